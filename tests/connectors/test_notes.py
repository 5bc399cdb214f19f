"""Notes as people write them at night: every spelling, and what is never guessed."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.discovery import Place
from connectors.notes import NotesConnector, NotesOptions
from connectors.notes.written import day_in
from tests.conformance.collecting import Collected, fetched
from timeline.coverage import Sight
from timeline.event import Event, Meaning, Precision
from timeline.keys import KeyRules
from timeline.problems import Misconfigured, NothingHere
from timeline.window import MINUTE_NS, SECOND_NS, Window

DAY_MINUTES = 24 * 60


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND_NS


T = at("2026-03-14T03:20")


def connector(path: Path, zone: str = "") -> NotesConnector:
    options = NotesOptions.model_validate({"paths": [str(path)], "zone": zone})
    return NotesConnector("notes", options, KeyRules())


def collected(path: Path, zone: str = "") -> Collected:
    wide = Window.around(T, 400 * DAY_MINUTES * MINUTE_NS, 400 * DAY_MINUTES * MINUTE_NS)
    return fetched(connector(path, zone), wide)


def written(tmp_path: Path, text: str, name: str = "2026-03-14.md") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def notes(tmp_path: Path, text: str, name: str = "2026-03-14.md", zone: str = "") -> list[Event]:
    events = collected(written(tmp_path, text, name), zone).events
    return sorted(events, key=lambda event: event.seq)


@pytest.mark.parametrize(
    "line",
    [
        "03:20 rolled back web",
        "3:20 rolled back web",
        "3:20 am rolled back web",
        "- 03:20 rolled back web",
        "* [x] 03:20 - rolled back web",
        "1. **03:20** rolled back web",
        "[03:20] rolled back web",
        "`03:20` – rolled back web",
        "03:20: rolled back web",
        "03:20Z rolled back web",
        "| 03:20 | rolled back web |",
        "## 03:20 rolled back web",
        "- 2026-03-14T03:20Z rolled back web",
        "2026-03-14 03:20 UTC rolled back web",
        "2026-03-14 04:20 +01:00 rolled back web",
    ],
)
def test_every_spelling_of_a_minute(tmp_path: Path, line: str) -> None:
    (event,) = notes(tmp_path, line)
    assert event.timestamp == T
    assert event.precision is Precision.MINUTE
    assert event.body == "rolled back web"


@pytest.mark.parametrize(
    ("line", "timestamp", "precision"),
    [
        ("03:20:11 x", T + 11 * SECOND_NS, Precision.SECOND),
        ("03:20:11,5 x", T + 11_500_000_000, Precision.SECOND),
        ("2026-03-14T03:20:11.250Z x", T + 11_250_000_000, Precision.MILLISECOND),
        ("12:05 am x", at("2026-03-14T00:05"), Precision.MINUTE),
        ("3:20 pm x", at("2026-03-14T15:20"), Precision.MINUTE),
    ],
)
def test_a_stamp_is_as_exact_as_it_was_written(
    tmp_path: Path, line: str, timestamp: int, precision: Precision
) -> None:
    (event,) = notes(tmp_path, line)
    assert (event.timestamp, event.precision) == (timestamp, precision)


@pytest.mark.parametrize("line", ["25:00 x", "03:61 x", "13:00 pm x", "3 times x", "10:1 odds"])
def test_what_is_no_time_begins_no_note(tmp_path: Path, line: str) -> None:
    assert notes(tmp_path, line) == []


def test_a_stretch_of_time_is_no_offset(tmp_path: Path) -> None:
    text = "03:00-03:30 paused\n2026-03-14 03:00-04:00 watched\n2026-03-14T03:00-04:00 offset\n"
    events = notes(tmp_path, text)
    assert [event.timestamp for event in events[:2]] == [at("2026-03-14T03:00")] * 2
    assert events[2].timestamp == at("2026-03-14T07:00")
    assert "03:30 paused" in events[0].body


@pytest.mark.parametrize("start", ["[ann] ", "@ann: ", "@ann "])
def test_who_wrote_it(tmp_path: Path, start: str) -> None:
    (event,) = notes(tmp_path, f"03:20 {start}rolled back user_id=4711")
    assert (event.actor, event.clock, event.body) == (
        "ann", "writer ann", "rolled back user_id=4711"
    )  # fmt: skip
    assert event.keys == ("user:4711",)


def test_a_link_is_no_writer(tmp_path: Path) -> None:
    (event,) = notes(tmp_path, "03:20 [runbook](https://example.org) followed")
    assert event.actor == ""
    assert event.body.startswith("[runbook](")


def test_the_day_comes_from_the_heading_before_the_name(tmp_path: Path) -> None:
    text = "03:20 one\n\n## 2026-03-15\n03:20 two\n\n2026-03-16\n==========\n03:20 three\n"
    assert [event.timestamp for event in notes(tmp_path, text)] == [
        at(f"2026-03-{day}T03:20") for day in (14, 15, 16)
    ]


def test_without_a_day_a_note_gets_none(tmp_path: Path) -> None:
    answer = collected(written(tmp_path, "03:20 one\n2026-03-14T03:21Z two\n", "notes.md"))
    assert [event.body for event in answer.events] == ["two"]
    undated = [batch.undated for batch in answer.batches if batch.undated is not None]
    assert [frame["body"].to_list() for frame in undated] == [["one"]]
    assert any(r.topic == "undated" and "without a day" in r.sentence for r in answer.remarks)
    assert {entry.sight for entry in answer.coverage} == {Sight.PARTIAL}


def test_a_night_goes_past_midnight(tmp_path: Path) -> None:
    events = notes(tmp_path, "23:50 one\n00:10 two\n02:00 three\n")
    assert [event.timestamp for event in events] == [
        at("2026-03-14T23:50"), at("2026-03-15T00:10"), at("2026-03-15T02:00")
    ]  # fmt: skip
    assert [event.meaning for event in events] == [
        Meaning.OCCURRED, Meaning.DERIVED, Meaning.DERIVED
    ]  # fmt: skip
    assert "midnight" in (events[1].attributes or "")


def test_an_afterthought_is_not_the_next_day(tmp_path: Path) -> None:
    events = notes(tmp_path, "03:20 one\n02:50 forgot: paused before\n")
    assert events[1].timestamp == at("2026-03-14T02:50")


def test_a_zone_is_declared_or_said_to_be_assumed(tmp_path: Path) -> None:
    (event,) = notes(tmp_path, "04:20 x", zone="Europe/Berlin")
    assert event.timestamp == T
    answer = collected(written(tmp_path, "03:20 x"))
    assert [r.count for r in answer.remarks if r.topic == "zone-assumed"] == [1]


def test_an_hour_that_was_twice_says_so(tmp_path: Path) -> None:
    path = written(tmp_path, "02:30 x\n04:00 y\n", "2026-10-25.txt")
    answer = collected(path, "Europe/Berlin")
    first = min(answer.events, key=lambda event: event.timestamp)
    assert first.timestamp == at("2026-10-25T00:30")
    assert "twice" in json.loads(first.attributes or "")["ambiguous"]
    assert [r.count for r in answer.remarks if r.topic == "zone-ambiguous"] == [1]


def test_an_hour_that_never_was_is_undated(tmp_path: Path) -> None:
    answer = collected(written(tmp_path, "02:30 x\n", "2026-03-29.txt"), "Europe/Berlin")
    assert answer.events == []
    assert any("skipped" in r.sentence for r in answer.remarks if r.topic == "undated")


def test_lines_below_belong_to_the_note(tmp_path: Path) -> None:
    text = (
        "Prose before.\n\n03:20 tried this:\n```\n03:14:15 ERROR from a log\n```\n"
        "and it worked\n\nMore prose.\n03:30 next\n"
    )
    answer = collected(written(tmp_path, text))
    bodies = [event.body for event in sorted(answer.events, key=lambda event: event.seq)]
    assert bodies == ["tried this:␊03:14:15 ERROR from a log␊and it worked", "next"]
    assert [r.count for r in answer.remarks if r.topic == "prose"] == [2]


def test_objects_of_json_lines(tmp_path: Path) -> None:
    lines = [
        '{"time": "2026-03-14T03:20:00Z", "who": "ann", "text": "one"}',
        '{"at": "03:21", "note": "two"}',
        '{"ts": 1773458520, "message": "three"}',
        '{"text": "no time"}',
        '{"time": "2026-03-14T0',
        "[]",
    ]
    answer = collected(written(tmp_path, "\n".join(lines), "2026-03-14.jsonl"))
    told = [(event.timestamp, event.body) for event in answer.events]
    assert sorted(told) == [(T, "one"), (T + 60 * SECOND_NS, "two"), (T + 120 * SECOND_NS, "three")]
    said = {(remark.topic, remark.count) for remark in answer.remarks}
    assert {("undated", 1), ("broken-line", 2)} <= said


def test_a_folder_is_read_file_by_file(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    for day in (13, 14):
        written(folder, "03:20 x\n", f"2026-03-{day}.md")
    written(folder, "03:20 x\n", "picture.png")
    events = collected(folder).events
    assert sorted(event.ref for event in events) == ["2026-03-13.md@0", "2026-03-14.md@0"]


def test_the_reference_is_the_byte_where_it_begins(tmp_path: Path) -> None:
    events = notes(tmp_path, "Prosa: größer\r\n\r\n03:20 x\r\n")
    assert [event.ref for event in events] == [f"2026-03-14.md@{len('Prosa: größer'.encode()) + 4}"]


def test_hostile_files_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.notes.files.MOST_BYTES", 2_000)
    answer = collected(written(tmp_path, "03:20 x\n" + "y\n" * 5_000 + "03:21 z\n"))
    assert len(answer.events) == 1
    assert "more lines" in answer.events[0].body
    assert any(remark.topic == "cut" for remark in answer.remarks)
    (tmp_path / "binary.md").write_bytes(bytes(range(256)) * 10)
    assert collected(tmp_path / "binary.md").events == []


def test_missing_and_empty_files_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="no file with notes"):
        collected(tmp_path / "nonesuch.md")
    with pytest.raises(NothingHere):
        asyncio.run(connector(written(tmp_path, "only prose\n")).check())


def test_notes_of_the_working_directory_are_proposed(tmp_path: Path) -> None:
    place = Place({}, tmp_path, tmp_path)
    assert list(NotesConnector.candidates(place)) == []
    written(tmp_path, "", "notes.md")
    (found,) = NotesConnector.candidates(place)
    assert found.options == {"paths": ["notes.md"]}


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-03-14", "2026-03-14"),
        ("incident-20260314-web", "2026-03-14"),
        ("2026_03_14", "2026-03-14"),
        ("ticket 1234567890", ""),
        ("v2026-13-40", ""),
    ],
)
def test_a_day_in_a_name(text: str, day: str) -> None:
    assert day_in(text) == day
