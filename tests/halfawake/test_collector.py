"""All sources at once, each on its own terms; a failed one is a blind spot, never an end."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator

import pytest

from connectors.contract import Answer
from halfawake.cli import UsageProblem
from halfawake.collector import LiveCollector, SetupProblem
from halfawake.exit_codes import ExitCode
from halfawake.headless import Collected, collect
from halfawake.setup import Setup
from halfawake.where import Target
from tests.halfawake.fakes import FakeConnector, event, fake, setup_of
from timeline.batch import batch_of
from timeline.coverage import Sight
from timeline.event import SEVERITY_ERROR
from timeline.problems import Unreachable
from timeline.progress import Broke, Phase, Update
from timeline.window import SECOND_NS, Window

T = 1_773_453_820 * SECOND_NS
WINDOW = Window.around(T)


def collected(setup: Setup, key: str | None = None) -> Collected:
    return collect(Target(LiveCollector(lambda: setup), WINDOW, "test", key=key))


def answering(source: str, *bodies: str) -> FakeConnector:
    connector = fake(source)

    async def behaviour(window: Window) -> AsyncIterator[Answer]:
        rows = [event(source, T + index, body) for index, body in enumerate(bodies)]
        yield batch_of(source, rows)

    connector.behaviour = behaviour
    return connector


def failing(source: str) -> FakeConnector:
    connector = fake(source)

    async def behaviour(window: Window) -> AsyncIterator[Answer]:
        yield batch_of(source, [event(source, T, "before it died")])
        raise Unreachable("connection refused", where="db:5432", remedy="Is it running?")

    connector.behaviour = behaviour
    return connector


def test_all_sources_end_up_in_one_order() -> None:
    result = collected(setup_of(answering("b", "two"), answering("a", "one", "three")))
    bodies = [e.body for e in result.incident.snapshot.in_order(0, 9)]
    assert bodies == ["one", "two", "three"]
    assert result.exit_code is ExitCode.DONE


def test_a_failed_source_is_a_blind_spot_and_keeps_what_it_gave() -> None:
    result = collected(setup_of(answering("web", "fine"), failing("db")))
    assert result.exit_code is ExitCode.PARTIAL
    assert len(result.incident.snapshot) == 2
    blind = result.incident.snapshot.coverage.of("db")
    assert [entry.sight for entry in blind] == [Sight.BLIND]
    assert "connection refused" in blind[0].reason
    assert "Is it running?" in blind[0].remedy
    assert result.incident.snapshot.coverage.limits(["db"], T, T + SECOND_NS)


def test_all_sources_failed_is_its_own_exit_code() -> None:
    assert collected(setup_of(failing("db"))).exit_code is ExitCode.NO_ANSWER


def test_a_slow_source_is_cut_at_its_deadline() -> None:
    slow = fake("slow")

    async def behaviour(window: Window) -> AsyncIterator[Answer]:
        yield batch_of("slow", [event("slow", T, "first page")])
        await asyncio.sleep(30)

    slow.behaviour = behaviour
    began = time.monotonic()
    result = collected(setup_of(slow, seconds=0.3))
    assert time.monotonic() - began < 3
    assert result.statuses[0].phase is Phase.CUT
    assert "0.3 s" in result.statuses[0].problem
    assert len(result.incident.snapshot) == 1


def test_a_broken_connector_is_reported_not_raised() -> None:
    broken = fake("broken")

    async def behaviour(window: Window) -> AsyncIterator[Answer]:
        raise KeyError("surprise")
        yield

    broken.behaviour = behaviour
    result = collected(setup_of(broken, answering("web", "fine")))
    assert result.exit_code is ExitCode.PARTIAL
    assert "KeyError" in result.statuses[0].problem


def test_keys_of_errors_are_looked_up_in_every_source() -> None:
    web, db = fake("web"), fake("db")

    async def behaviour(window: Window) -> AsyncIterator[Answer]:
        body = "redis.exceptions.TimeoutError: Timeout reading from socket"
        yield batch_of("web", [event("web", T, body, "user:4711", severity=SEVERITY_ERROR)])

    web.behaviour = behaviour
    db.known = (event("db", T - 86_400 * SECOND_NS, "users/4711 in an odd state", "user:4711"),)
    result = collected(setup_of(web, db))
    assert any("user:4711" in keys for keys in db.asked)
    assert "users/4711 in an odd state" in [e.body for e in result.incident.snapshot.in_order(0, 9)]


def test_connections_end_with_the_collection() -> None:
    connector = answering("web", "fine")
    collected(setup_of(connector))
    assert connector.closed


def test_a_bad_configuration_is_one_sentence() -> None:
    def prepare() -> Setup:
        raise SetupProblem("halfawake.toml, line 3: no", ExitCode.USAGE)

    with pytest.raises(UsageProblem, match="line 3"):
        collect(Target(LiveCollector(prepare), WINDOW, "test"))


def test_a_defect_in_the_setup_ends_the_collection() -> None:
    """A connector of somebody's own that cannot be loaded: nobody waits for ever."""
    told: list[Update] = []
    ended = threading.Event()

    def prepare() -> Setup:
        raise ImportError("no module named left_pad")

    def listen(update: Update) -> None:
        told.append(update)
        ended.set()

    LiveCollector(prepare).start(WINDOW, listen)
    assert ended.wait(10)
    (update,) = told
    assert isinstance(update, Broke)
    assert isinstance(update.error, ImportError)
