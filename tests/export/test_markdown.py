"""The Markdown export: what comes first, what is in every row, and what happens when it is long."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.export.pasted import page
from tests.export.world import (
    ANALYSIS,
    EVENTS,
    HICCUP,
    NOTE,
    OPTIONS,
    RACE,
    SOURCES,
    STARTED,
    STATE,
    TIMEOUTS,
    at,
    incident,
    log,
    undated,
)  # fmt: skip
from timeline.analysis import Analysis, Condition
from timeline.batch import batch_of
from timeline.event import Event
from timeline.export.contract import PASTE_LIMIT, ExportOptions
from timeline.export.markdown import MarkdownExporter
from timeline.finding import Step
from timeline.incident import Incident
from timeline.order import Verdict
from timeline.window import Window

EXPECTED = Path(__file__).with_name("expected.md")


def export(
    seen: Incident | None = None,
    analysis: Analysis = ANALYSIS,
    options: ExportOptions = OPTIONS,
) -> str:
    return MarkdownExporter().render(seen or incident(), analysis, options)


def section(text: str, title: str) -> str:
    return text.partition(f"### {title}\n")[2].partition("\n### ")[0]


def rows(text: str) -> list[list[str]]:
    table = [line for line in section(text, "Timeline").split("\n") if line.startswith("| 2")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]


def test_the_document_is_what_was_agreed_byte_by_byte() -> None:
    """Look at the difference; when it is meant, write what `export()` returns into the file."""
    assert export() == EXPECTED.read_text("utf-8")


def test_the_same_incident_gives_the_same_bytes_in_any_order_of_arrival() -> None:
    names = sorted({event.source for event in EVENTS})
    for seed in range(5):
        random.Random(seed).shuffle(names)
        assert export(incident(EVENTS, names)) == export()


def test_what_a_person_pastes_comes_first() -> None:
    titles = [line[4:] for line in export().split("\n") if line.startswith("### ")]
    assert titles == [
        "Impact",
        "Timeline",
        "Unknown, to verify",
        "Findings",
        "Ruled out, and not evaluated",
        "Evidence",
        "How this was built",
    ]


def test_every_row_has_its_date_its_distance_and_its_evidence() -> None:
    found = rows(export())
    assert 8 <= len(found) <= 15
    for time, distance, source, event in found:
        assert time.startswith("2026-03-14 02:")
        assert distance == "T" or distance.endswith((" s", " min"))
        assert source
        assert "[E" in event or event.startswith(("inferred:", "**T,"))
    assert [row[0] for row in found] == sorted(row[0] for row in found)


def test_a_row_is_short_and_its_evidence_is_whole() -> None:
    long = log("02:07:29.050", "y" * 500)
    finding = replace(RACE, steps=(Step("first", long, "why"), *RACE.steps))
    text = export(incident((*EVENTS, long)), replace(ANALYSIS, findings=(finding,)))
    cell = next(row[3] for row in rows(text) if "yyy" in row[3])
    assert len(cell) <= 120 + len("``… [E12]")
    assert "y" * 500 in section(text, "Evidence")


def test_precision_is_that_of_the_source() -> None:
    times = {row[3]: row[0] for row in rows(export())}
    assert times["`web v412 deployed` [E1]"] == "2026-03-14 02:05:00"
    assert any(time == "2026-03-14 02:07:29.284000" for time in times.values())
    assert "A time without a fraction was recorded to the second." in export()


def test_a_note_says_who_wrote_it_and_to_which_unit() -> None:
    note = replace(NOTE, timestamp=at("02:12:00"))
    text = export(incident((*EVENTS, note)))
    row = next(row for row in rows(text) if "paused mailers" in row[3])
    assert row[0] == "2026-03-14 02:12"
    assert "on-call" in row[2]
    assert "note" in row[2]
    assert "A time without seconds was recorded to the minute." in text


def test_computed_rows_are_marked_as_inferred() -> None:
    recovered = [row for row in rows(export()) if row[3].startswith("inferred: recovered")]
    assert [row[0] for row in recovered] == ["2026-03-14 02:08:00"]


def test_an_onset_that_no_row_shows_gets_a_row_of_its_own() -> None:
    text = export(analysis=replace(ANALYSIS, onset=at("02:07:00")))
    assert any(row[3].startswith("inferred: onset") for row in rows(text))
    assert "- **Began:** 2026-03-14T02:07:00Z (-6 min 40 s from T)\n" in text


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (Condition.FAILING, "no, still failing"),
        (Condition.UNKNOWN, "not known"),
        (Condition.QUIET, "there was no error in the window"),
    ],
)
def test_what_has_not_recovered_says_so_and_has_no_duration(
    condition: Condition, words: str
) -> None:
    text = export(analysis=replace(ANALYSIS, state=replace(STATE, condition=condition)))
    assert f"- **Recovered:** {words}\n" in text
    assert "Duration" not in text


def test_unknown_lists_doubts_blind_spots_and_what_queues_forget() -> None:
    unknown = section(export(), "Unknown, to verify")
    for words in (
        "network-hiccup is only likely",
        "Look at redis latency",
        "mailer-us did not see 2026-03-14 02:07:00 to 2026-03-14 02:13:40 UTC: silent",
        "keeps no successes after 500 s",
        "UTC assumed",
        "Anything after 2026-03-14 02:13:39 UTC",
    ):
        assert words in unknown


def test_certain_and_complete_leaves_nothing_to_verify() -> None:
    state = replace(STATE, seen_until=incident().window.end)
    sure = replace(ANALYSIS, findings=(RACE,), blind=(), state=state)
    snapshot = replace(incident().snapshot, remarks=())
    seen = replace(incident(), sources=(), snapshot=snapshot)
    assert "- nothing: every source answered in full" in export(seen, sure)


def test_absence_is_told_apart_from_not_having_looked() -> None:
    ruled_out = section(export(), "Ruled out, and not evaluated")
    assert "not found in what the sources show: ambiguous-enqueue\n" in ruled_out
    assert "not evaluated: lost-update (needs row versions)" in ruled_out


def test_undated_records_are_counted_listed_and_get_no_time() -> None:
    snapshot = replace(incident().snapshot, undated=undated("a", "b", "c"))
    text = export(replace(incident(), snapshot=snapshot))
    assert "web: 3 records without a usable time, in no timeline (no stamp)" in text
    assert "- 3 records without a usable time" in section(text, "How this was built")
    assert "web 1 (no stamp): a\nweb 2 (no stamp): b\n" in section(text, "Without a time")
    assert rows(text) == rows(export())


def test_references_are_relative_and_never_the_whole_path() -> None:
    assert "`log/web.log@" in export()
    assert "/srv/shop" not in export()
    elsewhere = export(options=replace(OPTIONS, root=""))
    assert "`log/web.log@" in elsewhere
    assert "/srv/" not in elsewhere


def test_two_transitions_told_by_one_record_are_two_pieces_of_evidence() -> None:
    evidence = section(export(), "Evidence")
    assert evidence.count(f"id `{STARTED.id}`") == 2


def test_the_readers_zone_is_named_and_times_stay_utc() -> None:
    text = export(options=replace(OPTIONS, zone=ZoneInfo("Europe/Berlin")))
    assert "UTC+01:00" in text
    assert rows(text) == rows(export())


def _crowd(count: int) -> tuple[Incident, Analysis]:
    """A proof of `count` long records: more than any place to paste takes."""
    lines = tuple(
        log(f"02:07:{n % 60:02d}.{n:03d}", f"error {'z' * 900} {n}", byte=10**9 + n)
        for n in range(count)
    )
    finding = replace(HICCUP, steps=tuple(Step("error", line, "why") for line in lines))
    return incident((*EVENTS, *lines)), replace(ANALYSIS, findings=(finding, RACE))


def test_a_long_export_stays_under_the_limit_and_says_what_it_cut() -> None:
    text = export(*_crowd(300))
    assert PASTE_LIMIT - 3_000 < len(text) <= PASTE_LIMIT
    warning = text.split("\n")[2]
    assert warning.startswith("**Cut:**")
    said = re.search("([0-9]+) of ([0-9]+) evidence records", warning)
    assert said is not None
    left_out, of = int(said[1]), int(said[2])
    assert of - left_out == section(text, "Evidence").count("stamped 2026")
    assert "### How this was built" in text
    assert page(text).forbidden == []


@pytest.mark.parametrize("limit", [3_000, 6_000, 12_000, 30_000])
def test_any_limit_keeps_the_top_and_the_sources(limit: int) -> None:
    text = export(*_crowd(100), replace(OPTIONS, limit=limit))
    assert len(text) <= limit
    assert "### Impact" in text
    assert "### How this was built" in text
    assert "**Cut:**" in text


def test_talkative_sources_do_not_crowd_out_the_timeline() -> None:
    info = replace(SOURCES[0], system="s" * 900, forgets="f " * 450)
    many = tuple(replace(info, name=f"source-{n} {'n' * 300}") for n in range(60))
    text = export(replace(incident(), sources=many))
    assert len(text) <= PASTE_LIMIT
    assert len(rows(text)) >= 8
    assert "### Evidence" in text
    assert "more sources, in the JSON export" in text


def test_what_fits_is_not_said_to_be_cut() -> None:
    assert "Cut:" not in export()


def test_an_empty_incident_is_a_document_too() -> None:
    quiet = Analysis(
        replace(STATE, condition=Condition.UNKNOWN, since=None, victims=()),
        None, (), (), (), (), "", "",
    )  # fmt: skip
    text = export(incident(()), quiet, ExportOptions())
    assert "- **Began:** not known" in text
    assert "no key could be joined to an error" in text
    assert page(text).cells_by_row == [4, 4]


def test_many_sources_keys_and_findings_are_counted_where_they_are_cut() -> None:
    keys = tuple(f"user:{n}" for n in range(50))
    certain = replace(RACE, keys=keys, verdict=Verdict.CERTAIN)
    text = export(
        analysis=replace(ANALYSIS, findings=(certain,) * 9, state=replace(STATE, victims=keys))
    )
    assert "50 keys: `user:0`" in text
    assert "`user:19` and 30 more" in text
    assert "#### 9. job-before-commit" in text


def test_hundreds_of_thousands_of_errors_take_no_time() -> None:
    """Polars counts; only a few dozen rows become objects."""
    import time

    import polars as pl

    from timeline.columns import frame_from
    from timeline.store import Store

    frame, _ = frame_from([TIMEOUTS[0]])
    many = 200_000
    n = pl.int_range(many, eager=True)
    frame = pl.concat([frame] * 1).select(pl.all().repeat_by(many).explode()).with_columns(
        (pl.col("timestamp") + n * 1_000).alias("timestamp"), n.cast(pl.UInt64).alias("seq"),
        ("web@" + n.cast(pl.String)).alias("ref"),
        ("sign-up " + n.cast(pl.String) + " failed").alias("body"),
    )  # fmt: skip
    store = Store()
    template: Event = TIMEOUTS[0]
    empty = batch_of("web", [template])
    store.add(replace(empty, events=frame, keys=empty.keys.clear()))
    window = Window.around(at("02:13:40"))
    seen = Incident(window, store.snapshot())
    started = time.perf_counter()
    text = export(seen, replace(ANALYSIS, findings=()))
    assert time.perf_counter() - started < 3.0
    assert "x200 000 over 200 ms" in text
