"""Times as people spell them in lists, tables and postmortems; and what is refused, not guessed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.logs.zones import ZoneRule
from connectors.notes.spelt import day_in, zone_stated
from connectors.notes.written import moment_of, note_in_line, note_in_object
from tests.connectors.test_notes import T, at, collected, notes, written
from timeline.event import Precision
from timeline.window import MINUTE_NS, SECOND_NS


@pytest.mark.parametrize(
    "line",
    [
        "* 2026-03-14 03:20 UTC — rolled back web",
        "| 2026-03-14 03:20 | rolled back web |",
        "| 2026-03-14 | 03:20 | rolled back web |",
        "- **03:20 UTC:** rolled back web",
        "- 03:20 - rolled back web",
        "04:20 CET rolled back web",
        "3:20 am UTC rolled back web",
        "04:20 Europe/Berlin rolled back web",
        "03:20 (UTC) rolled back web",
        "14 March 2026 03:20 UTC - rolled back web",
        "Mar 14, 2026 03:20 UTC: rolled back web",
        "/timeline rolled back web | 2026-03-14 03:20",
        "/timeline rolled back web | 2026-03-14 04:20 +01:00",
    ],
)
def test_more_spellings_of_the_same_minute(tmp_path: Path, line: str) -> None:
    (event,) = notes(tmp_path, line)
    assert (event.timestamp, event.body) == (T, "rolled back web")
    assert event.precision is Precision.MINUTE


@pytest.mark.parametrize(
    ("line", "body"),
    [
        ("~03:20 called the customer", "~03:20 called the customer"),
        ("about 03:20 called", "about 03:20 called"),
        ("| ~03:20 | called |", "~03:20 called"),
        ("03:20+ watching", "03:20+ watching"),
        ("03:20–03:50 watching", "03:20–03:50 watching"),
        ("03:20 - 03:50 UTC watching", "03:20–03:50 watching"),
        ("03:20 until 03:50 watching", "03:20–03:50 watching"),
    ],
)
def test_what_is_less_exact_than_a_minute_stays_as_written(
    tmp_path: Path, line: str, body: str
) -> None:
    (event,) = notes(tmp_path, line)
    assert (event.timestamp, event.body) == (T, body)
    assert '"written"' in (event.attributes or "")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("03:20 CST down", "CST names 2 zones (-06:00, +08:00)"),
        ("03:20 IST down", "IST names 3 zones"),
        ("- 2026-03-14 mailers down", "a day without a time of day (2026-03-14)"),
        ("| 2026-03-14 | mailers down |", "a day without a time of day"),
        ("- 03/04/2026 03:20 down", "day first and month first"),
        ("- Mar 14, 03:20 down", "a date without a year"),
        ("/timeline down", "without a date and a time"),
        ("03:20 Mars/Olympus down", "the zone Mars/Olympus is not known"),
    ],
)
def test_what_could_mean_two_things_is_refused_with_a_sentence(
    tmp_path: Path, line: str, reason: str
) -> None:
    answer = collected(written(tmp_path, f"{line}\n04:00 kept\n"))
    assert [event.body for event in answer.events] == ["kept"]
    (refused,) = [r.sentence for r in answer.remarks if r.topic == "undated"]
    assert reason in refused
    listed = [batch.undated for batch in answer.batches if batch.undated is not None]
    assert [frame["body"].to_list() for frame in listed] == [["down"]] or "mailers" in line


@pytest.mark.parametrize(
    ("stated", "zone"),
    [
        ("All times UTC.", "UTC"),
        ("All times are in CET.", "CET"),
        ("| Time (UTC) | Event |", "UTC"),
        ("## Timeline (Europe/Berlin)", "Europe/Berlin"),
        ("Timestamps: UTC+02:00", "UTC+02:00"),
        ("times were hard", ""),
        ("It was the first time. EST", ""),
    ],
)
def test_a_document_states_its_zone(stated: str, zone: str) -> None:
    assert zone_stated(stated) == zone


def test_a_stated_zone_holds_below_it_and_is_not_assumed(tmp_path: Path) -> None:
    text = "03:20 above\n\nAll times in CET.\n\n| Time | Event |\n|---|---|\n| 04:20 | below |\n"
    answer = collected(written(tmp_path, text), "UTC")
    assert {event.timestamp for event in answer.events} == {T}
    assert not any(remark.topic == "zone-assumed" for remark in answer.remarks)


def test_days_of_headings_with_the_months_name(tmp_path: Path) -> None:
    text = "### Saturday, March 14, 2026\n- 03:20 one\n\n15. März 2026\n\n- 03:20 two\n"
    found = [event.timestamp for event in notes(tmp_path, text, "notes.md")]
    assert found == [at("2026-03-14T03:20"), at("2026-03-15T03:20")]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("March 14, 2026", "2026-03-14"),
        ("the 14th of March 2026", "2026-03-14"),
        ("14 marzo 2026", "2026-03-14"),
        ("31 February 2026", ""),
        ("room 14 March", ""),
    ],
)
def test_a_day_with_the_months_name(text: str, day: str) -> None:
    assert day_in(text) == day


OFFSETS = st.sampled_from([-480, -210, -60, 0, 60, 120, 330, 345, 600])
LEADS = st.sampled_from(["", "- ", "* ", "1. ", "| ", "- [x] ", "**", "~", "[", "`"])


@settings(max_examples=300, deadline=None)
@given(
    moment=st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001  given a zone below
    minutes=OFFSETS,
    lead=LEADS,
    seconds=st.booleans(),
    text=st.text(st.characters(categories=["L"]), min_size=1, max_size=20),
)
def test_whatever_is_written_with_its_offset_is_read_back(
    moment: datetime, minutes: int, lead: str, seconds: bool, text: str
) -> None:
    here = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    form = "%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M"
    zone = here.strftime("%z")
    line = f"{lead}{here.strftime(form)} {zone[:3]}:{zone[3:]} | {text}"
    note = note_in_line(line)
    assert note is not None, line
    stamp = moment_of(note, "", ZoneRule.named("")).stamp
    unit = SECOND_NS if seconds else MINUTE_NS
    expected = int(here.astimezone(UTC).timestamp()) * SECOND_NS
    assert stamp.ns == expected - expected % unit


@settings(max_examples=500, deadline=None)
@given(line=st.text(max_size=120))
def test_no_line_breaks_the_reader(line: str) -> None:
    for note in (note_in_line(line), note_in_object(line)):
        if note is not None:
            moment_of(note, "2026-03-14", ZoneRule.named("Europe/Berlin"))
    zone_stated(line)
    day_in(line)


@settings(max_examples=300, deadline=None)
@given(
    parts=st.lists(
        st.sampled_from(
            ["03:20", "2026-03-14", "~", "+", "-", "–", " ", "|", "UTC", "CST", "pm", "T", ":",
             "Z", "+01:00", "/timeline ", "Mar ", "14", ", ", "*", "@ann", "[x]", "to ", "99:99"]
        ),
        max_size=12,
    )
)  # fmt: skip
def test_pieces_of_times_in_any_order_never_break_it(parts: list[str]) -> None:
    note = note_in_line("".join(parts))
    if note is not None:
        stamp = moment_of(note, "2026-03-14", ZoneRule.named("")).stamp
        assert (stamp.ns is None) == bool(stamp.reason)
