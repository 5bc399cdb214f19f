"""One run of the person's own program: its output in blocks, bounded in size and time.

The argument list comes from a connector that keeps an allow-list of its own; nothing here adds to
it, and no shell ever sees it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from connectors.logs.process import complaint, end, gone, said, start
from timeline.problems import Unreachable

READ_BYTES = 256 * 1024


class Program:
    """Runs once. After `blocks` has ended: `code`, `complaint`, and why it was `stopped`, if so."""

    def __init__(self, argv: Sequence[str], deadline: float, most_bytes: int) -> None:
        self._argv = argv
        self._deadline = deadline
        self._most = most_bytes
        self.code: int | None = None
        self.complaint = ""
        self.stopped = ""
        """Empty when the program ended by itself."""
        self.bytes = 0

    async def blocks(self) -> AsyncGenerator[bytes, None]:
        """The output as it comes, until its end, `deadline` (monotonic s) or the most bytes."""
        process = await start(self._argv)
        if process.stdout is None or process.stderr is None:
            raise Unreachable("The program has no output to read", where=self._argv[0])
        complaints = asyncio.ensure_future(complaint(process.stderr))
        try:
            while block := await self._next(process.stdout):
                yield block
            if not self.stopped and await gone(process, self._deadline):
                self.code = process.returncode
                self.complaint = await said(complaints)
            else:
                self.stopped = self.stopped or "its time was up"
        finally:
            await end(process, complaints)
            if not self.complaint and complaints.done() and not complaints.cancelled():
                self.complaint = complaints.result()

    async def _next(self, stream: asyncio.StreamReader) -> bytes:
        left = self._deadline - time.monotonic()
        try:
            block = await asyncio.wait_for(stream.read(READ_BYTES), max(left, 0.001))
        except TimeoutError:
            self.stopped = "its time was up"
            return b""
        self.bytes += len(block)
        if self.bytes > self._most:
            self.stopped = f"its output passed {self._most / 2**20:,.0f} MB"
            return b""
        return block

    async def output(self) -> bytes:
        """All of the output."""
        async with aclosing(self.blocks()) as blocks:
            return b"".join([block async for block in blocks])
