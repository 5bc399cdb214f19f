"""systemd's journal: which clock, who speaks, what was dropped, and what is never run."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import time
from pathlib import Path

import pytest

from connectors.journald import JournaldConnector, JournaldOptions
from connectors.journald.options import NotAllowed, ensure_allowed
from connectors.logs.dialect import decide
from connectors.logs.journal import UNPRINTED
from connectors.logs.zones import ZoneRule
from tests.conformance.collecting import Collected, drained, fetched
from tests.connectors.journal_entries import REMOTE, RecordedJournal
from tests.connectors.logs.agreement import agreed
from tests.connectors.logs.reading import load
from timeline.coverage import Sight
from timeline.event import Event, Meaning, Precision
from timeline.keys import KeyRules
from timeline.problems import AccessRefused, Misconfigured, NothingHere
from timeline.window import SECOND_NS, Budget, Window

PIN = 1_773_454_049_000_000_000
WINDOW = Window(PIN, PIN - 60 * SECOND_NS, PIN + 60 * SECOND_NS)
FAKE = Path(__file__).with_name("fake_journalctl.py")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "entries.jsonl").write_bytes(RecordedJournal(PIN).lines())
    return tmp_path


def connector(folder: Path, **options: object) -> JournaldConnector:
    program = [sys.executable, str(FAKE), str(folder)]
    validated = JournaldOptions.model_validate({"journalctl": program, **options})
    return JournaldConnector("journal", validated, KeyRules())


def calls(folder: Path) -> list[list[str]]:
    return [json.loads(line) for line in (folder / "argv.jsonl").read_text().splitlines()]


def at(collected: Collected, second: int) -> Event:
    (found,) = [e for e in collected.events if round((e.timestamp - PIN) / SECOND_NS) == second]
    return found


def test_the_writers_stamp_is_occurred_and_the_arrival_says_not_later(folder: Path) -> None:
    collected = fetched(connector(folder), WINDOW)
    written, arrived = at(collected, 1), at(collected, 2)
    assert (written.timestamp, written.meaning) == (PIN + SECOND_NS - 700_000, Meaning.OCCURRED)
    assert (arrived.timestamp, arrived.meaning) == (PIN + 2 * SECOND_NS, Meaning.INGESTED)
    assert written.precision is Precision.MICROSECOND
    assert (written.actor, written.clock) == ("web.service", "web-1")
    assert written.keys == ("user:201",)
    assert json.loads(written.attributes or "")["__MONOTONIC_TIMESTAMP"] == "15000000"


def test_binary_and_long_messages_are_text(folder: Path) -> None:
    collected = fetched(connector(folder), WINDOW)
    boom = at(collected, 3)
    assert boom.body == "boom \ufffd␛[31mescape survives"
    assert boom.severity_number == 17
    assert at(collected, 4).body == "Traceback:␊  at here␊ValueError"


def test_what_journald_dropped_is_a_stretch_seen_in_part(folder: Path) -> None:
    collected = fetched(connector(folder), WINDOW)
    (loss,) = [entry for entry in collected.coverage if "Suppressed 4812" in entry.reason]
    assert loss.sight is Sight.PARTIAL
    assert (loss.start, loss.end) == (PIN - 22 * SECOND_NS, PIN + 8 * SECOND_NS + 1)
    assert "web.service" in loss.reason


def test_the_horizon_of_rotation_is_said(folder: Path) -> None:
    coverage = fetched(connector(folder), WINDOW).coverage
    (horizon,) = [entry for entry in coverage if "journal begins" in entry.reason]
    assert (horizon.start, horizon.end) == (WINDOW.start, PIN - 30 * SECOND_NS)
    full = [entry for entry in coverage if entry.sight is Sight.FULL]
    assert [(entry.start, entry.end) for entry in full] == [(PIN - 30 * SECOND_NS, WINDOW.end)]


def test_a_restart_of_the_machine_is_said(folder: Path) -> None:
    remarks = fetched(connector(folder), WINDOW).remarks
    assert [r.count for r in remarks if r.topic == "boot"] == [2]
    assert not [r for r in remarks if r.topic in ("clock", "out-of-order")]


def test_a_wall_clock_that_was_set_is_said(folder: Path) -> None:
    lines = (folder / "entries.jsonl").read_text().splitlines()
    moved = []
    for line in lines:
        record = json.loads(line)
        arrived = int(record["__REALTIME_TIMESTAMP"])
        if arrived >= PIN // 1_000 + 10_000_000:
            record["__REALTIME_TIMESTAMP"] = str(arrived + 4_000_000)
        moved.append(json.dumps(record))
    (folder / "entries.jsonl").write_text("\n".join(moved) + "\n")
    (said,) = [r for r in fetched(connector(folder), WINDOW).remarks if r.topic == "clock"]
    assert "+4.000 s" in said.sentence


def test_the_budget_keeps_what_is_nearest_on_both_sides(folder: Path) -> None:
    collected = fetched(connector(folder), WINDOW, Budget(rows=10))
    seconds = sorted(round((event.timestamp - PIN) / SECOND_NS) for event in collected.events)
    assert seconds == list(range(-5, 5))
    cuts = [entry for entry in collected.coverage if "row budget" in entry.reason]
    assert any(entry.start == WINDOW.start for entry in cuts)
    assert any(entry.end == WINDOW.end for entry in cuts)


def test_only_reading_flags_are_given(folder: Path) -> None:
    async def everything() -> None:
        subject = connector(folder, units=["web.service"], identifiers=["sshd"])
        await subject.check()
        await drained(subject.fetch(WINDOW, Budget()))
        await drained(subject.lookup(("user:201",), WINDOW, Budget()))

    asyncio.run(everything())
    for words in calls(folder):
        ensure_allowed(words)
        assert all(word.startswith("--") for word in words)
    assert sum("--unit=web.service" in words for words in calls(folder)) == 4


@pytest.mark.parametrize(
    "word",
    ["--rotate", "--vacuum-time=1s", "--flush", "--follow", "--cursor-file=/x", "--sync", "-f"],
)
def test_any_other_flag_raises(word: str) -> None:
    with pytest.raises(NotAllowed):
        ensure_allowed([word])


def test_an_account_without_rights(folder: Path) -> None:
    (folder / "complaint").write_text(
        "No journal files were opened due to insufficient permissions."
    )
    with pytest.raises(AccessRefused, match="insufficient permissions"):
        fetched(connector(folder), WINDOW)
    (folder / "complaint").write_text(
        "Hint: You are currently not seeing messages from other users and the system."
    )
    collected = fetched(connector(folder), WINDOW)
    assert len(collected.events) == 60
    assert any("hidden from this account" in entry.reason for entry in collected.coverage)


def test_no_journal_is_nothing_here_and_no_program_is_said(folder: Path) -> None:
    (folder / "entries.jsonl").write_text("")
    with pytest.raises(NothingHere):
        asyncio.run(connector(folder).check())
    missing = JournaldConnector("j", JournaldOptions(journalctl=("no-such",)), KeyRules())
    with pytest.raises(Misconfigured):
        fetched(missing, WINDOW)


def test_check_tells_version_and_reach(folder: Path) -> None:
    report = asyncio.run(connector(folder, units=["web.service"]).check())
    assert report.system == "journald (systemd 252 (252.38-1))"
    assert any("2026-03-14 02:06:59Z" in fact for fact in report.facts)


def test_cancelling_ends_the_process(folder: Path) -> None:
    (folder / "delay").write_text("30")

    async def cancel() -> float:
        task = asyncio.create_task(drained(connector(folder).fetch(WINDOW, Budget())))
        await asyncio.sleep(0.5)
        started = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - started

    assert asyncio.run(cancel()) < 1.25


def test_both_readers_agree_on_printed_entries() -> None:
    raw = RecordedJournal(PIN).lines()
    raw += b'{"__REALTIME_TIMESTAMP":"1773454090000000","MESSAGE":null,"PRIORITY":"4"}\n'
    dialect = decide(raw.decode().splitlines(), ZoneRule(), PIN // SECOND_NS)
    events = agreed(raw, dialect)
    assert len(events) == 61
    assert (events[-1].body, events[-1].severity_number) == (UNPRINTED, 13)


@pytest.mark.parametrize("torn", [0, 7])
def test_files_of_both_formats_tell_the_same(torn: int, tmp_path: Path) -> None:
    journal = RecordedJournal(PIN)
    exported, printed = tmp_path / "a.export", tmp_path / "b.json"
    raw = journal.export()
    exported.write_bytes(raw[: len(raw) - torn])
    printed.write_bytes(journal.lines())
    one, other = load(exported, window=WINDOW), load(printed, window=WINDOW)
    assert [(e.timestamp, e.actor, e.severity_number) for e in one.events[:-1]] == [
        (e.timestamp, e.actor, e.severity_number) for e in other.events[:-1]
    ]
    # Of a value that was torn off nothing is read: the last entry falls back on its arrival.
    last = one.events[-1]
    assert len(one.events) == 60
    assert last.timestamp == PIN + 29 * SECOND_NS - (0 if torn else 700_000)
    assert last.meaning is (Meaning.INGESTED if torn else Meaning.OCCURRED)
    for event in one.events:
        begin = int(event.ref.rpartition("@")[2])
        assert raw[begin:].startswith(b"__REALTIME_TIMESTAMP=")


@pytest.mark.servers
@pytest.mark.skipif(
    shutil.which("journalctl") is None or not REMOTE.exists(), reason="no systemd tools"
)
def test_the_real_journalctl_prints_what_was_recorded(tmp_path: Path, folder: Path) -> None:
    real = JournaldOptions(files=(str(RecordedJournal(PIN).journal_file(tmp_path)),))
    collected = fetched(JournaldConnector("journal", real, KeyRules()), WINDOW)
    recorded = fetched(connector(folder), WINDOW)

    def told(found: Collected) -> list[tuple[int, str, str]]:
        return sorted((e.timestamp, e.meaning.value, e.body) for e in found.events)

    assert told(collected) == told(recorded)
    assert [e.reason for e in collected.coverage] == [e.reason for e in recorded.coverage]
