"""A Slack export as a source of notes: who said what and when, and what of it cannot be read."""

from __future__ import annotations

import asyncio
import json
import zipfile
from pathlib import Path

import pytest

from connectors.notes import NotesConnector, NotesOptions
from connectors.notes.recognised import Format, is_certain, recognised
from tests.conformance.collecting import Collected, fetched, looked_up
from tests.connectors.slack_export import NIGHT, USERS, night_zip, said, ts, written_zip
from timeline.coverage import Sight
from timeline.event import Event, Precision
from timeline.keys import KeyRules
from timeline.problems import Misconfigured
from timeline.window import MINUTE_NS, SECOND_NS, Window

T = int(ts("02:13:40").partition(".")[0]) * SECOND_NS
DAY = "incident-42/2026-03-14.json"


def connector(path: Path) -> NotesConnector:
    return NotesConnector("slack", NotesOptions(paths=[str(path)]), KeyRules())


def collected(path: Path, window: Window | None = None) -> Collected:
    return fetched(connector(path), window or Window.around(T, 30 * MINUTE_NS, 30 * MINUTE_NS))


def events(path: Path) -> list[Event]:
    return sorted(collected(path).events, key=lambda event: event.timestamp)


def told(event: Event, name: str) -> str:
    return str(json.loads(event.attributes or "{}").get(name, ""))


def test_messages_are_notes_with_their_authors(tmp_path: Path) -> None:
    shown = [(event.actor, event.body) for event in events(night_zip(tmp_path))]
    assert shown[:4] == [
        ("Pager", "HighErrorRate on web␊5xx above 2 %"),
        ("Ann", "ack, looking at user_id=4711 & graph (https://grafana.example/d/1)"),
        ("Bo Jung", "@Ann may I pause #mailers?"),
        ("Ann", "rolled back web to v411␊and restarted mailers"),
    ]


def test_the_stamp_is_slacks_own_and_claims_a_second(tmp_path: Path) -> None:
    ack = events(night_zip(tmp_path))[1]
    assert ack.timestamp == T + 40 * SECOND_NS + 200_000
    assert (ack.precision, ack.clock) == (Precision.SECOND, "slack")
    assert ack.keys == ("user:4711",)
    assert ack.ref == f"{DAY}@{ts('02:14:20').replace('.', '')}"


def test_threads_edits_and_bots_are_told(tmp_path: Path) -> None:
    answer = collected(night_zip(tmp_path))
    bot, _, reply, *_ = sorted(answer.events, key=lambda event: event.timestamp)
    assert (told(bot, "bot"), told(reply, "thread")) == ("yes", ts("02:14:20"))
    assert told(reply, "edited") == ts("02:17:00")
    assert told(reply, "channel") == "incident-42"
    said_of = {remark.sentence.partition(",")[0]: remark.count for remark in answer.remarks}
    assert said_of["messages edited after they were sent"] == 1
    assert said_of["messages of bots"] == 1
    assert said_of["messages about the channel itself (joined"] == 1


def test_hostile_text_is_cleaned(tmp_path: Path) -> None:
    last = events(night_zip(tmp_path))[-1]
    assert "text survives" in last.body
    assert "\x1b" not in last.body
    assert "\u202e" not in last.body


@pytest.mark.parametrize("shape", ["folder", "channel", "day", "wrapped"])
def test_every_shape_of_an_export(tmp_path: Path, shape: str) -> None:
    channel = tmp_path / "export" / "incident-42"
    channel.mkdir(parents=True)
    (tmp_path / "export" / "users.json").write_text(json.dumps(USERS), encoding="utf-8")
    (tmp_path / "export" / "channels.json").write_text("[]", encoding="utf-8")
    night = {"messages": NIGHT} if shape == "wrapped" else NIGHT
    day = channel / "2026-03-14.json"
    day.write_text(json.dumps(night), encoding="utf-8")
    named = {"folder": tmp_path / "export", "channel": channel}.get(shape, day)
    assert recognised(named) is Format.SLACK
    assert is_certain(named)
    assert [event.actor for event in events(named)[:2]] == ["Pager", "Ann"]
    assert {told(event, "channel") for event in events(named)} == {"incident-42"}


def test_only_the_window_is_told_and_only_its_days_are_read(tmp_path: Path) -> None:
    far = [said("02:14:20", "long ago")]
    days = {DAY: NIGHT, "incident-42/2025-01-01.json": far, "incident-42/2026-03-20.json": "{"}
    narrow = Window.around(T, MINUTE_NS, MINUTE_NS)
    answer = collected(written_zip(tmp_path / "x.zip", days), narrow)
    assert [event.actor for event in answer.events] == ["Pager", "Ann"]
    assert not any(remark.topic == "cut" for remark in answer.remarks)


def test_a_key_is_found_outside_of_the_window(tmp_path: Path) -> None:
    narrow = Window.around(T - 90 * MINUTE_NS, MINUTE_NS, MINUTE_NS)
    answer = looked_up(connector(night_zip(tmp_path)), ("order:815", "user:1"), narrow)
    assert [event.keys for event in answer.events] == [("order:815",)]


def test_a_broken_day_is_said_with_its_place_and_the_rest_is_kept(tmp_path: Path) -> None:
    days = {DAY: NIGHT, "incident-42/2026-03-13.json": '[{"type": "message",\n "ts": oops}]'}
    answer = collected(written_zip(tmp_path / "x.zip", days))
    assert len(answer.events) == len(NIGHT) - 1
    cuts = [remark.sentence for remark in answer.remarks if remark.topic == "cut"]
    assert len(cuts) == 1
    assert "x.zip: incident-42/2026-03-13.json, line 2, column 8" in cuts[0]
    assert {entry.sight for entry in answer.coverage} == {Sight.PARTIAL}


def test_records_that_are_no_messages_are_counted(tmp_path: Path) -> None:
    odd: list[object] = [7, None, {"ts": "soon"}, {"text": "no ts"}, {"ts": 1773454460.0002}]
    answer = collected(written_zip(tmp_path / "x.zip", {DAY: [*odd, *NIGHT]}))
    assert len(answer.events) == len(NIGHT) - 1
    assert [r.count for r in answer.remarks if r.topic == "broken-line"] == [len(odd)]


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.notes.slack_files.MOST_DAY_BYTES", 100_000)
    bomb = "[" + " " * 3_000_000 + "]"
    days = {DAY: NIGHT, "incident-42/2026-03-15.json": bomb}
    path = written_zip(tmp_path / "x.zip", days)
    assert path.stat().st_size < 10_000
    answer = collected(path)
    assert len(answer.events) == len(NIGHT) - 1
    cut = next(remark.sentence for remark in answer.remarks if remark.topic == "cut")
    assert "2026-03-15.json is larger than" in cut


def test_an_archive_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(b"PK\x03\x04 not an archive")
    with pytest.raises(Misconfigured, match="broken"):
        collected(path)
    assert not is_certain(path)


def test_a_deeply_nested_day_is_a_sentence(tmp_path: Path) -> None:
    days = {DAY: NIGHT, "incident-42/2026-03-15.json": "[" * 200_000}
    answer = collected(written_zip(tmp_path / "x.zip", days))
    assert len(answer.events) == len(NIGHT) - 1
    assert any("2026-03-15.json" in remark.sentence for remark in answer.remarks)


def test_a_message_of_many_lines_is_cut_and_says_so(tmp_path: Path) -> None:
    long = said("02:14:20", "\n".join(f"line {n}" for n in range(200)))
    (event,) = collected(written_zip(tmp_path / "x.zip", {DAY: [long]})).events
    assert event.body.count("␊") == 51
    assert event.body.endswith("… [149 more lines, see the source]")


def test_endless_lines_and_names_are_bounded(tmp_path: Path) -> None:
    huge = said("02:14:20", "x" * 1_000_000, "U9", user_profile={"display_name": "n" * 100_000})
    huge["files"] = [{"name": "f" * 100_000}]
    (event,) = collected(written_zip(tmp_path / "x.zip", {DAY: [huge]})).events
    assert event.body.endswith("… [984000 more characters, see the source]")
    assert len(event.body) < 16_100
    assert len(event.actor) == 80
    assert len(event.attributes or "") < 1_000


def test_check_counts_them(tmp_path: Path) -> None:
    report = asyncio.run(connector(night_zip(tmp_path)).check())
    assert report.facts[0] == "5 notes"


def test_a_zip_without_days_is_not_taken_for_an_export(tmp_path: Path) -> None:
    path = tmp_path / "logs.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("app.log", "2026-03-14T02:07:29Z hello\n")
    assert not is_certain(path)
