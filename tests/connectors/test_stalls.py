"""A network that goes quiet in the middle of an answer: we leave in time, and say so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from urllib.parse import SplitResult, urlsplit

import pytest
from redis import Redis

from connectors.contract import Connector
from connectors.rq import RQConnector, RQOptions
from tests.conformance.collecting import drained
from tests.connectors.pg import connector as postgresql_connector
from tests.connectors.pg import database_on, last_minutes
from tests.connectors.stalling_proxy import StallingProxy
from tests.servers.process import RunningServer
from timeline.keys import KeyRules
from timeline.problems import Unreachable
from timeline.window import Budget

pytestmark = pytest.mark.servers

CANCEL_S = 1.25
"""The contract's second, and what a busy machine may add."""
SYSTEMS = ("postgresql", "rq")
Through = Callable[[int], Connector]


@pytest.fixture(params=SYSTEMS)
def through(
    request: pytest.FixtureRequest,
) -> Iterator[tuple[int, Through]]:
    """The real server's port, and a connector to it by way of another port."""
    server: RunningServer
    if request.param == "postgresql":
        server = request.getfixturevalue("postgresql_server")
        with database_on(server) as database:
            database.run(
                "CREATE TABLE users (id bigserial PRIMARY KEY, created_at timestamptz)",
                "INSERT INTO users (created_at) SELECT now() FROM generate_series(1, 50)",
            )
            yield (
                urlsplit(database.url).port or 0,
                lambda port: postgresql_connector(
                    _moved(database.url, port), page_rows=5, statement_timeout_ms=200
                ),
            )
    else:
        server = request.getfixturevalue("redis_server")
        url = urlsplit(server.url)._replace(path="/7").geturl()
        with Redis.from_url(url) as client:
            client.flushdb()
            client.sadd("rq:queues", *(f"rq:queue:q{n}" for n in range(20)))
            yield (
                urlsplit(url).port or 0,
                lambda port: RQConnector(
                    "queue",
                    RQOptions.model_validate({"url": _moved(url, port), "read_timeout_s": 0.5}),
                    KeyRules(),
                ),
            )
            client.flushdb()


def _moved(url: str, port: int) -> str:
    parts: SplitResult = urlsplit(url)
    netloc = f"{parts.username or ''}:{parts.password}@{parts.hostname}:{port}"
    return parts._replace(netloc=netloc).geturl()


def test_a_stalled_fetch_is_cancelled_in_time(through: tuple[int, Through]) -> None:
    port, connector_at = through

    async def cancel() -> float:
        async with StallingProxy(port).serving() as proxy:
            connector = connector_at(proxy.port)
            answers = connector.fetch(last_minutes(), Budget())
            await anext(answers)
            proxy.stall()
            task = asyncio.create_task(drained(answers))
            await asyncio.sleep(0.15)
            assert not task.done()
            started = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            elapsed = time.monotonic() - started
            await connector.close()
            return elapsed

    assert asyncio.run(cancel()) < CANCEL_S


def test_a_stalled_fetch_ends_by_itself_with_a_sentence(through: tuple[int, Through]) -> None:
    port, connector_at = through

    async def wait() -> float:
        async with StallingProxy(port).serving() as proxy:
            connector = connector_at(proxy.port)
            answers = connector.fetch(last_minutes(), Budget())
            await anext(answers)
            proxy.stall()
            started = time.monotonic()
            try:
                collected = await drained(answers)
                said = " ".join(entry.reason for entry in collected.coverage)
            except Unreachable as problem:
                said = problem.sentence()
            await connector.close()
            assert "answer" in said
            return time.monotonic() - started

    assert asyncio.run(wait()) < 10


def test_a_connector_recovers_when_the_network_does(through: tuple[int, Through]) -> None:
    port, connector_at = through

    async def recover() -> int:
        async with StallingProxy(port).serving() as proxy:
            connector = connector_at(proxy.port)
            try:
                await anext(connector.fetch(last_minutes(), Budget()))
                proxy.stall()
                with pytest.raises(Unreachable):
                    await drained(connector.fetch(last_minutes(), Budget()))
                proxy.flow()
                return len((await drained(connector.fetch(last_minutes(), Budget()))).events)
            finally:
                await connector.close()

    assert asyncio.run(recover()) >= 20
