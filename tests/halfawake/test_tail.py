"""Reading on live: what arrives is shown, once; stopping is instant; nothing else is touched."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.contract import Answer
from connectors.file import FileConnector, FileOptions
from halfawake import tail
from halfawake.collector import LiveCollector
from halfawake.setup import PreparedSource, Setup
from tests.halfawake.fakes import FakeConnector, event, fake, setup_of
from timeline.batch import Batch, batch_of
from timeline.coverage import Coverage, Sight
from timeline.event import Lane
from timeline.incident import Incident, SourceInfo
from timeline.keys import KeyRules
from timeline.problems import Unreachable
from timeline.progress import CollectionEnded, IncidentGrew, Phase, SourceStatus, Update
from timeline.window import SECOND_NS, Budget, Window

SOON_S = 10.0


@pytest.fixture(autouse=True)
def rounds_without_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "EVERY_S", 0.05)
    monkeypatch.setattr(tail, "AT_MOST_S", 0.05)


class Watched:
    """A collector over some sources, and the last of everything that it told."""

    def __init__(self, setup: Setup) -> None:
        self.incident: Incident | None = None
        self.statuses: tuple[SourceStatus, ...] = ()
        self.ends = 0
        now = time.time_ns()
        self.collector = LiveCollector(lambda: setup)
        self.collector.start(Window(now, now - 60 * SECOND_NS, now), self._take)
        soon(lambda: self.ends > 0)

    def _take(self, update: Update) -> None:
        if isinstance(update, IncidentGrew):
            self.incident = update.incident
        elif isinstance(update, CollectionEnded):
            self.statuses = update.statuses
            self.ends += 1

    @property
    def bodies(self) -> list[str]:
        assert self.incident is not None
        return [e.body for e in self.incident.snapshot.in_order(0, 99)]


def soon(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + SOON_S
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.01)


def arriving(lines: list[str]) -> FakeConnector:
    """Tells every line, each stamped when it was first told, if the window holds it."""
    connector = fake("web")
    stamps: dict[str, int] = {}
    connector.windows = []  # type: ignore[attr-defined]  # what it was asked for

    async def behaviour(window: Window) -> AsyncIterator[Answer]:
        connector.windows.append(window)  # type: ignore[attr-defined]
        told = [event("web", stamps.setdefault(line, window.end - 1), line) for line in lines]
        inside = [item for item in told if window.contains(item.timestamp)]
        yield batch_of("web", inside)

    connector.behaviour = behaviour
    return connector


def test_new_rows_arrive_once_and_the_window_grows() -> None:
    lines = ["before"]
    watched = Watched(setup_of(arriving(lines)))
    first = watched.incident
    assert first is not None
    try:
        assert watched.collector.keep_reading(True)
        lines.append("after")
        soon(lambda: watched.bodies == ["before", "after"])
        time.sleep(0.3)  # several rounds, whose overlap reads both again
        assert watched.bodies == ["before", "after"]
        assert watched.incident is not None
        window = watched.incident.window
        assert (window.pin, window.start) == (first.window.pin, first.window.start)
        assert window.end > first.window.end
        assert watched.statuses[0].rows == 2
    finally:
        watched.collector.close()


def test_stopping_asks_no_more() -> None:
    connector = arriving([])
    watched = Watched(setup_of(connector))
    try:
        watched.collector.keep_reading(True)
        soon(lambda: len(connector.windows) > 3)  # type: ignore[attr-defined]
        watched.collector.keep_reading(False)
        time.sleep(0.2)
        asked = len(connector.windows)  # type: ignore[attr-defined]
        time.sleep(0.3)
        assert len(connector.windows) == asked  # type: ignore[attr-defined]
    finally:
        watched.collector.close()


def test_nothing_new_is_told_to_nobody() -> None:
    watched = Watched(setup_of(arriving(["only"])))
    try:
        soon(lambda: watched.bodies == ["only"])
        ends = watched.ends
        watched.collector.keep_reading(True)
        time.sleep(0.5)
        assert watched.ends == ends
    finally:
        watched.collector.close()


def test_a_source_that_comes_back_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["before"]
    connector = arriving(lines)
    answer, down = connector.behaviour, [True]

    async def behaviour(window: Window) -> AsyncIterator[Answer]:
        answered = [item async for item in answer(window)]  # stamps the line while it is away
        if lines == ["before"] or not down[0]:
            for item in answered:
                yield item
        else:
            raise Unreachable("connection refused", where="web:80", remedy="Is it running?")

    connector.behaviour = behaviour
    watched = Watched(setup_of(connector))
    try:
        lines.append("while it was away")
        watched.collector.keep_reading(True)
        soon(lambda: watched.statuses[0].phase is Phase.FAILED)
        monkeypatch.setattr(tail, "OVERLAP_NS", 0)  # what was missed is not read by luck
        down[0] = False
        soon(lambda: "while it was away" in watched.bodies)
        soon(lambda: watched.statuses[0].phase is Phase.DONE)
    finally:
        watched.collector.close()


def test_another_window_is_followed_from_its_own_end() -> None:
    connector = arriving([])
    watched = Watched(setup_of(connector))
    try:
        watched.collector.keep_reading(True)
        soon(lambda: len(connector.windows) > 2)  # type: ignore[attr-defined]
        now = time.time_ns()
        other = Window(now - 5 * SECOND_NS, now - 30 * SECOND_NS, now - 3 * SECOND_NS)
        watched.collector.repin(other)
        soon(lambda: other in connector.windows)  # type: ignore[attr-defined]
        begun = connector.windows.index(other)  # type: ignore[attr-defined]
        soon(lambda: len(connector.windows) > begun + 1)  # type: ignore[attr-defined]
        following = connector.windows[begun + 1]  # type: ignore[attr-defined]
        assert following.start == other.end - tail.OVERLAP_NS
    finally:
        watched.collector.close()


def test_lines_written_to_a_file_appear_whole(tmp_path: Path) -> None:
    path = tmp_path / "web.log"
    path.write_text("".join(line("INFO", f"old {n}") for n in range(3)), encoding="utf-8")
    connector = FileConnector("web", FileOptions(paths=[str(path)]), KeyRules())
    info = SourceInfo("web", Lane.LOG, "file")
    watched = Watched(Setup((PreparedSource(info, connector, Budget()),)))
    try:
        watched.collector.keep_reading(True)
        written = line("ERROR", "the whole sentence")
        with path.open("a", encoding="utf-8") as file:
            file.write(written[:-9])
            file.flush()
            time.sleep(0.4)
            file.write(written[-9:])
        soon(lambda: "the whole sentence" in " ".join(watched.bodies))
        time.sleep(0.3)
        assert [body for body in watched.bodies if "the whole" in body] == ["the whole sentence"]
    finally:
        watched.collector.close()
    asyncio.run(connector.close())


def line(level: str, text: str) -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z {level} {text}\n"


def test_what_was_unseen_is_seen_when_it_is_read_again() -> None:
    """A file's last line bounds its sight; a later line moves that bound and leaves no gap."""
    lines = ["first"]
    connector = arriving(lines)
    answer = connector.behaviour

    async def behaviour(window: Window) -> AsyncIterator[Answer]:
        reach = window.end - SECOND_NS
        seen = Coverage("web", window.start, reach, Sight.FULL)
        unseen = Coverage("web", reach, window.end, Sight.PARTIAL, "not written yet")
        async for batch in answer(window):
            assert isinstance(batch, Batch)
            yield dataclasses.replace(batch, coverage=(seen, unseen))

    connector.behaviour = behaviour
    watched = Watched(setup_of(connector))
    try:
        watched.collector.keep_reading(True)
        time.sleep(0.5)  # several rounds, each with an unseen end of its own
        lines.append("second")
        soon(lambda: "second" in watched.bodies)
        assert watched.incident is not None
        limits = watched.incident.snapshot.coverage.limits(["web"], 0, 2**62)
        assert len([entry for entry in limits if entry.sight is Sight.PARTIAL]) == 1
    finally:
        watched.collector.close()
