"""A server that greets every Redis command with one fixed reply, and remembers what it was sent."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator


class FakeRedis:
    """Speaks just enough RESP: one `reply` per command, or `replies` in turn."""

    def __init__(self, reply: bytes = b"+OK\r\n") -> None:
        self.reply = reply
        self.received = b""
        self.port = 0

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[FakeRedis]:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while chunk := await reader.read(65536):
                self.received += chunk
                commands = chunk.count(b"*")
                writer.write(self.reply * commands)
                await writer.drain()
        writer.close()
