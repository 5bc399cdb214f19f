"""A web API that hangs at any point of its answer is left within a second, connection and all."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from connectors.contract import Connector
from connectors.loki import LokiConnector
from connectors.prometheus import PrometheusConnector
from connectors.rabbitmq import RabbitMQConnector
from halfawake.collection import CollectionSession
from halfawake.setup import PreparedSource, Setup
from halfawake.telling import CANCEL_WITHIN_S
from timeline.event import Lane
from timeline.incident import SourceInfo
from timeline.keys import KeyRules
from timeline.problems import SourceProblem
from timeline.progress import Update
from timeline.window import SECOND_NS, Budget, Window

T = 1_773_453_820 * SECOND_NS
WINDOW = Window.around(T)
DRIP_S = 0.01
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n"
POINTS = ("nothing", "half a head", "half a body", "a body that never ends")
SOURCES: tuple[tuple[type[Connector], dict[str, str]], ...] = (
    (PrometheusConnector, {"url": "http://127.0.0.1:{port}"}),
    (LokiConnector, {"url": "http://127.0.0.1:{port}", "query": '{{app="web"}}'}),
    (RabbitMQConnector, {"url": "http://guest:guest@127.0.0.1:{port}"}),
)


@dataclass
class Hanging:
    """Answers up to a point and then no more. `open` are the connections it holds."""

    point: str
    port: int = 0
    open: int = 0
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[Hanging]:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def emptied(self, within_s: float) -> bool:
        until = time.monotonic() + within_s
        while self.open and time.monotonic() < until:  # noqa: ASYNC110  # a count, not one event
            await asyncio.sleep(0.01)
        return not self.open

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            await reader.readuntil(b"\r\n\r\n")
            if self.point == "half a head":
                writer.write(HEAD[:20])
            elif self.point != "nothing":
                writer.write(HEAD + b"{")
            await writer.drain()
            self.asked.set()
            left = asyncio.create_task(reader.read())  # ends when the other side closes
            while not left.done():
                await asyncio.wait({left}, timeout=DRIP_S)
                if self.point == "a body that never ends":
                    writer.write(b" ")
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open -= 1
            writer.close()


def connector_to(kind: type[Connector], options: dict[str, str], port: int) -> Connector:
    filled = {name: value.format(port=port) for name, value in options.items()}
    return kind("web", kind.Options.model_validate(filled), KeyRules())


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize(
    ("kind", "options"), SOURCES, ids=lambda value: getattr(value, "system", "")
)
async def test_a_cancelled_read_ends_with_its_connection(
    kind: type[Connector], options: dict[str, str], point: str
) -> None:
    async with Hanging(point).serving() as hanging:
        connector = connector_to(kind, options, hanging.port)

        async def read() -> None:
            async for _ in connector.fetch(WINDOW, Budget(seconds=60)):
                pass

        reading = asyncio.create_task(read())
        await asyncio.wait_for(hanging.asked.wait(), 10)
        await asyncio.sleep(5 * DRIP_S)
        assert not reading.done()
        began = time.monotonic()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await connector.close()
        assert time.monotonic() - began < CANCEL_WITHIN_S
        assert await hanging.emptied(CANCEL_WITHIN_S), "the server still holds a connection"


@pytest.mark.parametrize("point", POINTS)
async def test_a_collection_that_is_left_leaves_the_server(point: str) -> None:
    """As `q` on the screen does it: the work is cancelled and the session is closed."""
    told: list[Update] = []
    async with Hanging(point).serving() as hanging:
        source = PreparedSource(
            SourceInfo("web", Lane.METRIC, "prometheus"),
            connector_to(*SOURCES[0], hanging.port),
            Budget(seconds=60),
        )
        session = CollectionSession(Setup((source,)), told.append, lambda: WINDOW.end)
        work = asyncio.create_task(session.collect(WINDOW))
        await asyncio.wait_for(hanging.asked.wait(), 10)
        began = time.monotonic()
        work.cancel()
        await session.close()
        await asyncio.wait({work})
        assert time.monotonic() - began < CANCEL_WITHIN_S
        assert work.cancelled()
        assert await hanging.emptied(CANCEL_WITHIN_S), "the server still holds a connection"


@pytest.mark.parametrize("point", ["nothing", "a body that never ends"])
async def test_the_deadline_of_a_source_ends_its_connection(point: str) -> None:
    async with Hanging(point).serving() as hanging:
        connector = connector_to(*SOURCES[0], hanging.port)
        began = time.monotonic()
        with contextlib.suppress(SourceProblem, TimeoutError):
            async with asyncio.timeout(0.5):
                async for _ in connector.fetch(WINDOW, Budget(seconds=0.4)):
                    pass
        await connector.close()
        assert time.monotonic() - began < 0.5 + CANCEL_WITHIN_S
        assert hanging.asked.is_set()
        assert await hanging.emptied(CANCEL_WITHIN_S), "the server still holds a connection"
