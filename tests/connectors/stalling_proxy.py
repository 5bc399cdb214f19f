"""A TCP proxy that passes everything on until it is told to stall: a network that goes quiet."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator


class StallingProxy:
    """In front of one loopback port. While `stalled` is set, bytes are read and kept."""

    def __init__(self, upstream_port: int) -> None:
        self.upstream_port = upstream_port
        self.port = 0
        self.open = 0
        self._flowing = asyncio.Event()
        self._flowing.set()

    def stall(self) -> None:
        self._flowing.clear()

    def flow(self) -> None:
        self._flowing.set()

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[StallingProxy]:
        server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            self.flow()
            server.close()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream = await asyncio.open_connection("127.0.0.1", self.upstream_port)
        self.open += 1
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass(reader, upstream))
                group.create_task(self._pass(upstream_reader, writer))
        except* ConnectionError:
            pass
        finally:
            self.open -= 1
            upstream.close()
            writer.close()

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while chunk := await source.read(65_536):
            await self._flowing.wait()
            sink.write(chunk)
            await sink.drain()
        sink.close()
