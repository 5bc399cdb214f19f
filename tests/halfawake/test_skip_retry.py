"""A source that takes too long is left at a word, and asked again at another; nobody else notices.

The slow sources are real: a command that sleeps and a server that accepts and says nothing.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from connectors.command import CommandConnector
from connectors.contract import Answer, Connector
from connectors.loki import LokiConnector
from halfawake.collector import LiveCollector
from halfawake.exit_codes import ExitCode
from halfawake.headless import exit_code_of
from halfawake.setup import PreparedSource, Setup
from tests.halfawake.fakes import FakeConnector, event, fake
from timeline.batch import BatchExtras, Remark, batch_of
from timeline.coverage import Coverage, Sight
from timeline.event import SEVERITY_ERROR, Lane
from timeline.incident import Incident, SourceInfo
from timeline.keys import KeyRules
from timeline.problems import Unreachable
from timeline.progress import CollectionEnded, IncidentGrew, Phase, SourceStatus, Update
from timeline.window import SECOND_NS, Budget, Window

T = 1_773_453_820 * SECOND_NS
WINDOW = Window.around(T)
SKIP_WITHIN_S = 1.0
SOON_S = 20.0
PATIENT = Budget(seconds=60.0)


@dataclass
class Watched:
    """A running collector and the newest of everything that it told."""

    collector: LiveCollector
    incident: Incident | None = None
    statuses: dict[str, SourceStatus] = field(default_factory=dict)
    ends: int = 0
    told: list[float] = field(default_factory=list)

    def take(self, update: Update) -> None:
        self.told.append(time.monotonic())
        if isinstance(update, IncidentGrew):
            self.incident = update.incident
        statuses = getattr(update, "statuses", ())
        self.statuses |= {status.source: status for status in statuses}
        self.ends += isinstance(update, CollectionEnded)

    def phase(self, source: str) -> Phase | None:
        return self.statuses[source].phase if source in self.statuses else None

    @property
    def exit_code(self) -> ExitCode:
        return exit_code_of(tuple(self.statuses.values()))

    def sight(self, source: str) -> list[Coverage]:
        assert self.incident is not None
        return list(self.incident.snapshot.coverage.of(source))

    @property
    def bodies(self) -> list[str]:
        assert self.incident is not None
        return [row.body for row in self.incident.snapshot.in_order(0, 99)]


def soon(condition: Callable[[], bool], within_s: float = SOON_S) -> None:
    until = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.01)


@contextmanager
def watching(*connectors: Connector, budget: Budget = PATIENT) -> Iterator[Watched]:
    names = [getattr(c, "source", "") or c._source for c in connectors]  # type: ignore[attr-defined]
    prepared = tuple(
        PreparedSource(SourceInfo(name, Lane.LOG, connector.system), connector, budget)
        for name, connector in zip(names, connectors, strict=True)
    )
    watched = Watched(LiveCollector(lambda: Setup(prepared)))
    watched.collector.start(WINDOW, watched.take)
    try:
        yield watched
    finally:
        watched.collector.close()


def answering(source: str, *bodies: str, severity: int = 9) -> FakeConnector:
    connector = fake(source)

    async def behaviour(window: Window) -> AsyncIterator[Answer]:
        rows = [event(source, T + n, body, severity=severity) for n, body in enumerate(bodies)]
        seen = Coverage(source, window.start, window.end, Sight.FULL)
        yield batch_of(source, rows, BatchExtras((seen,)))

    connector.behaviour = behaviour
    return connector


def sleeping_command(marker: Path) -> CommandConnector:
    """Prints one line and sleeps; `marker` then holds its process id."""
    program = (
        "import os, time, pathlib; print('2026-03-14T02:03:40Z ERROR slow one', flush=True); "
        f"pathlib.Path({str(marker)!r}).write_text(str(os.getpid())); time.sleep(60)"
    )
    options = {"argv": [sys.executable, "-c", program], "timeout_s": 60}
    return CommandConnector("slow", CommandConnector.Options.model_validate(options), KeyRules())


@contextmanager
def silent_server() -> Iterator[int]:
    """Accepts at most eight connections on loopback and never says a word; yields its port."""
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        over = threading.Event()

        def accept() -> None:
            while not over.is_set() and len(held) < 8:
                try:
                    held.append(server.accept()[0])
                except TimeoutError:
                    continue

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            over.set()
            thread.join()
            for one in held:
                one.close()


def assert_left_alone(watched: Watched, began: float) -> None:
    """`slow` was cut within a second, the other is whole, and the exit code says so."""
    soon(lambda: watched.ends > 0, SKIP_WITHIN_S - (time.monotonic() - began) + SOON_S)
    status = watched.statuses["slow"]
    assert status.phase is Phase.CUT
    assert "skipped by you at " in status.problem
    assert " after " in status.problem
    assert watched.phase("web") is Phase.DONE
    assert "fine" in watched.bodies
    assert watched.exit_code is ExitCode.PARTIAL
    (claim,) = watched.sight("slow")
    assert (claim.start, claim.end) == (WINDOW.start, WINDOW.end)
    assert claim.sight in (Sight.PARTIAL, Sight.BLIND)
    assert claim.reason == status.problem


def test_a_sleeping_command_is_left_within_a_second(tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    with watching(sleeping_command(marker), answering("web", "fine")) as watched:
        soon(lambda: marker.exists() and watched.phase("web") is Phase.DONE)
        began = time.monotonic()
        assert watched.collector.skip("slow")
        soon(lambda: watched.phase("slow") is Phase.CUT, SKIP_WITHIN_S)
        soon(lambda: watched.ends > 0, SOON_S)
        assert time.monotonic() - began < 2 * SKIP_WITHIN_S
        assert_left_alone(watched, began)
        number = int(marker.read_text(encoding="ascii"))
        soon(lambda: not Path(f"/proc/{number}/cmdline").exists() or not _alive(number))


def _alive(number: int) -> bool:
    return Path(f"/proc/{number}/stat").read_text(encoding="ascii").split()[2] != "Z"


def test_a_silent_server_is_left_within_a_second() -> None:
    with silent_server() as port:
        options = {"url": f"http://127.0.0.1:{port}", "query": '{app="web"}'}
        slow = LokiConnector("slow", LokiConnector.Options.model_validate(options), KeyRules())
        with watching(slow, answering("web", "fine")) as watched:
            soon(lambda: watched.phase("slow") is Phase.READING)
            soon(lambda: watched.phase("web") is Phase.DONE)
            began = time.monotonic()
            assert watched.collector.skip("slow")
            soon(lambda: watched.ends > 0, 2 * SKIP_WITHIN_S)
            assert_left_alone(watched, began)
            assert watched.sight("slow")[0].sight is Sight.BLIND  # it never told a row


def test_its_rows_stay_and_the_rest_is_said_to_be_unseen() -> None:
    slow = fake("slow")

    async def behaviour(window: Window) -> AsyncIterator[Answer]:
        yield batch_of("slow", [event("slow", T, "first page")])
        await asyncio.sleep(60)

    slow.behaviour = behaviour
    with watching(slow, answering("web", "fine")) as watched:
        soon(lambda: watched.incident is not None and "first page" in watched.bodies)
        assert watched.collector.skip("slow")
        began = time.monotonic()
        assert_left_alone(watched, began)
        assert "first page" in watched.bodies
        assert watched.sight("slow")[0].sight is Sight.PARTIAL
        assert not watched.collector.skip("slow")  # it is not asked anything any more
        assert not watched.collector.skip("nobody")


def test_a_skipped_source_is_not_asked_for_keys_either() -> None:
    slow, web = fake("slow"), fake("web")

    async def stalled(window: Window) -> AsyncIterator[Answer]:
        await asyncio.sleep(60)
        yield batch_of("slow", [])

    async def trouble(window: Window) -> AsyncIterator[Answer]:
        body = "redis.exceptions.TimeoutError: Timeout reading from socket"
        yield batch_of("web", [event("web", T, body, "user:4711", severity=SEVERITY_ERROR)])

    slow.behaviour, web.behaviour = stalled, trouble
    with watching(slow, web) as watched:
        soon(lambda: watched.phase("web") is Phase.DONE)
        watched.collector.skip("slow")
        soon(lambda: watched.ends > 0)
        assert any("user:4711" in keys for keys in web.asked)
        assert slow.asked == []


def test_a_look_up_can_be_skipped() -> None:
    slow = answering("slow", "told")

    async def forever(*_: object) -> AsyncIterator[Answer]:
        await asyncio.sleep(60)
        yield batch_of("slow", [])

    slow.lookup = forever  # type: ignore[method-assign,assignment]
    with watching(slow) as watched:
        soon(lambda: watched.ends == 1)
        watched.collector.look_up(["user:4711"])
        soon(lambda: watched.phase("slow") is Phase.LOOKING_UP)
        assert watched.collector.skip("slow")
        soon(lambda: watched.ends == 2, 2 * SKIP_WITHIN_S)
        assert watched.phase("slow") is Phase.CUT
        assert watched.bodies == ["told"]


def recovering(failure: Exception) -> FakeConnector:
    """Fails once with a remark of what it lost, then answers in full."""
    connector = fake("db")
    tries: list[int] = []

    async def behaviour(window: Window) -> AsyncIterator[Answer]:
        tries.append(1)
        if len(tries) == 1:
            lost = Remark("db", "command-failed", "it left with 1")
            yield batch_of("db", [event("db", T, "one")], BatchExtras((), (lost,)))
            raise failure
        seen = Coverage("db", window.start, window.end, Sight.FULL)
        rows = [event("db", T + n, body) for n, body in enumerate(("one", "two"))]
        yield batch_of("db", rows, BatchExtras((seen,)))

    connector.behaviour = behaviour
    return connector


def test_a_source_that_failed_is_asked_again_and_its_blind_spot_goes() -> None:
    db = recovering(Unreachable("connection refused", where="db:5432", remedy="Is it running?"))
    with watching(db, answering("web", "fine")) as watched:
        soon(lambda: watched.ends == 1)
        assert watched.phase("db") is Phase.FAILED
        assert not watched.collector.retry("web")  # it answered in full
        assert watched.collector.retry("db")
        soon(lambda: watched.ends == 2)
        assert watched.phase("db") is Phase.DONE
        assert [claim.sight for claim in watched.sight("db")] == [Sight.FULL]
        assert watched.statuses["db"].problem == ""
        assert watched.statuses["db"].rows == 2  # a row told twice counts once
        assert sorted(watched.bodies) == ["fine", "one", "two"]
        assert watched.incident is not None
        assert watched.incident.snapshot.remarks == ()
        assert watched.exit_code is ExitCode.DONE


def test_while_it_is_asked_again_nothing_of_it_is_called_absent() -> None:
    release = threading.Event()
    db = fake("db")
    tries: list[int] = []

    async def behaviour(window: Window) -> AsyncIterator[Answer]:
        tries.append(1)
        if len(tries) == 1:
            raise Unreachable("connection refused", where="db:5432", remedy="Is it running?")
        seen = Coverage("db", window.start, window.end, Sight.FULL)
        yield batch_of("db", [event("db", T, "page one")], BatchExtras((seen,)))
        while not release.is_set():  # noqa: ASYNC110  # it is set by another thread
            await asyncio.sleep(0.01)

    db.behaviour = behaviour
    with watching(db) as watched:
        soon(lambda: watched.ends == 1)
        watched.collector.retry("db")
        soon(lambda: watched.incident is not None and "page one" in watched.bodies)
        assert watched.incident is not None
        assert list(watched.incident.reading) == ["db"]
        assert Sight.BLIND in [claim.sight for claim in watched.sight("db")]
        release.set()
        soon(lambda: watched.ends == 2)
        assert list(watched.incident.reading) == []
        assert [claim.sight for claim in watched.sight("db")] == [Sight.FULL]


def test_skipped_and_asked_again_at_once_it_has_its_second_chance() -> None:
    slow = fake("slow")
    tries: list[int] = []

    async def behaviour(window: Window) -> AsyncIterator[Answer]:
        tries.append(1)
        if len(tries) == 1:
            await asyncio.sleep(60)
        seen = Coverage("slow", window.start, window.end, Sight.FULL)
        yield batch_of("slow", [event("slow", T, "at last")], BatchExtras((seen,)))

    slow.behaviour = behaviour
    with watching(slow, answering("web", "fine")) as watched:
        soon(lambda: watched.phase("slow") is Phase.READING)
        assert watched.collector.skip("slow")
        soon(lambda: watched.collector.retry("slow"))
        soon(lambda: watched.phase("slow") is Phase.DONE)
        soon(lambda: [claim.sight for claim in watched.sight("slow")] == [Sight.FULL])
        assert sorted(watched.bodies) == ["at last", "fine"]


def test_the_clock_of_a_source_runs_only_while_it_is_asked() -> None:
    with watching(answering("web", "fine")) as watched:
        soon(lambda: watched.ends == 1)
        took = watched.statuses["web"].elapsed_s
        time.sleep(0.5)
        watched.collector.look_up(["user:1"])
        soon(lambda: watched.ends == 2)
        assert watched.statuses["web"].elapsed_s < took + 0.4
        assert watched.statuses["web"].deadline_s >= PATIENT.seconds


def test_the_screen_is_told_at_most_about_four_times_a_second() -> None:
    slow = fake("slow")

    async def behaviour(window: Window) -> AsyncIterator[Answer]:
        for n in range(300):
            await asyncio.sleep(0.005)
            yield batch_of("slow", [event("slow", T + n, f"row {n}")])

    slow.behaviour = behaviour
    with watching(slow) as watched:
        soon(lambda: watched.ends == 1)
        assert watched.statuses["slow"].rows == 300
        # two kinds of updates (progress and rows), and the few at the beginning and the end
        assert len(watched.told) <= 2 * 4 * (watched.told[-1] - watched.told[0] + 1) + 6


@pytest.mark.parametrize("phase", [Phase.FAILED, Phase.CUT])
def test_who_repins_while_a_source_is_asked_again_gets_the_new_window(phase: Phase) -> None:
    db = fake("db")
    windows: list[Window] = []

    async def behaviour(window: Window) -> AsyncIterator[Answer]:
        windows.append(window)
        if len(windows) == 1:
            if phase is Phase.FAILED:
                raise Unreachable("connection refused", where="db:5432", remedy="Is it running?")
            await asyncio.sleep(60)
        if len(windows) == 2:
            await asyncio.sleep(60)
        seen = Coverage("db", window.start, window.end, Sight.FULL)
        yield batch_of("db", [event("db", window.pin, "there")], BatchExtras((seen,)))

    db.behaviour = behaviour
    budget = PATIENT if phase is Phase.FAILED else Budget(seconds=0.2)
    with watching(db, budget=budget) as watched:
        soon(lambda: watched.ends == 1)
        assert watched.phase("db") is phase
        watched.collector.retry("db")
        soon(lambda: len(windows) == 2)
        watched.collector.repin(WINDOW.repinned(T + SECOND_NS))
        soon(lambda: watched.phase("db") is Phase.DONE)
        assert windows[2].pin == T + SECOND_NS
        assert watched.bodies == ["there"]
