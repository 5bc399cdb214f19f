"""A TCP proxy that can delay, narrow, stall and cut what passes, as a network does.

It knows bytes and connections and nothing of any protocol. It listens on loopback only and runs
its own event loop in a thread, so that tests and stories drive it with plain calls.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeVar

LOOPBACK = "127.0.0.1"
CHUNK_BYTES = 16_384
"""At 10 Mbit/s one chunk takes 13 ms, so that two connections share a narrow link fairly."""
QUEUED_CHUNKS = 64
"""Bytes a direction may hold before its sender is made to wait: about a socket buffer."""
BACKLOG = 128
FILLERS = 8
"""Connections tried at most to fill the accept queue; Linux needs one for a backlog of 0."""
FILLED_AFTER_S = 0.05
"""A loopback handshake takes microseconds; one that takes this long was dropped."""
CALL_WITHIN_S = 10.0

Result = TypeVar("Result")


@dataclass(frozen=True)
class Link:
    """What the path is like when nothing is wrong."""

    round_trip_s: float = 0.0
    bits_per_second: float | None = None
    """Each way, shared by all connections; None is unlimited."""


@dataclass
class Flow:
    """One proxied connection. `held` counts the bytes held back in each direction since
    `held_since_ns`; `last_byte_ns` is when a byte last passed in either (its opening at first)."""

    number: int
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    requests: asyncio.Event
    responses: asyncio.Event
    held_since_ns: int | None = None
    last_byte_ns: int = field(default_factory=time.time_ns)
    held: dict[str, int] = field(default_factory=dict)

    def hold(self, direction: str, size: int) -> None:
        """Note that `size` bytes are waiting for the stall to end."""
        self.held[direction] = self.held.get(direction, 0) + size
        if self.held_since_ns is None:
            self.held_since_ns = time.time_ns()


@dataclass(frozen=True)
class Released:
    """What became of the bytes that one connection had waiting when a stall ended."""

    flow: int
    held_since_ns: int
    request_bytes: int
    delivered: bool


class Proxy:
    """Listens on a free port of loopback and forwards to one target while its block lasts."""

    def __init__(self, host: str, port: int, link: Link | None = None) -> None:
        self._target = (host, port)
        self._link = link or Link()
        self._flows: dict[int, Flow] = {}
        self._free_at = {"requests": 0.0, "responses": 0.0}
        self._opened = 0
        self._stalled: frozenset[str] = frozenset()
        self._fillers: list[socket.socket] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.bytes_to_client = 0
        self.bytes_to_server = 0

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def connections(self) -> int:
        """Connections open now."""
        return len(self._flows)

    def __enter__(self) -> Self:
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.bind((LOOPBACK, 0))
        self._listener.listen(BACKLOG)
        self._listener.setblocking(False)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._call(self._begin_accepting())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CALL_WITHIN_S)
        self._loop.close()
        self._listener.close()

    def set_link(self, link: Link) -> None:
        """Make the path slower or faster from now on, for open connections too."""
        self._link = link

    def stall(self, *, requests: bool = True, responses: bool = True) -> int:
        """Hold every byte of the named directions from now on; the instant, ns UTC.

        With requests held no new connection comes through either: its handshake is lost, as a
        SYN is (Linux drops SYNs while the accept queue is full).
        """
        directions = frozenset(
            name for name, held in (("requests", requests), ("responses", responses)) if held
        )
        return self._call(self._stall(directions))

    def resume(
        self, deliver: Callable[[Flow], bool] = lambda flow: True
    ) -> tuple[int, tuple[Released, ...]]:
        """End the stall: held bytes are delivered, or lost with their connection.

        `deliver` decides for each connection that held something. Returns the instant (ns UTC)
        and what became of each.
        """
        return self._call(self._resume(deliver))

    def cut(self, which: Callable[[Flow], bool] = lambda flow: True) -> int:
        """Reset the connections that `which` picks (RST both ways); how many they were."""
        return self._call(self._cut(which))

    def cut_idlest(self, seconds: float) -> int:
        """Reset the connection that was silent longest, if that is `seconds` or more: 1 or 0."""
        idlest = min(self._flows.values(), key=lambda flow: flow.last_byte_ns, default=None)
        if idlest is None or time.time_ns() - idlest.last_byte_ns < seconds * 1e9:
            return 0
        return self.cut(lambda flow: flow is idlest)

    def break_for_good(self) -> None:
        """As if the target's process had died: open connections end, new ones are refused."""
        self._call(self._end())
        self._listener.close()

    def _call(self, work: Coroutine[object, None, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(CALL_WITHIN_S)

    async def _begin_accepting(self) -> None:
        self._accepting = self._loop.create_task(self._accept())

    async def _accept(self) -> None:
        while True:
            client, address = await self._loop.sock_accept(self._listener)
            if any(address == filler.getsockname() for filler in self._fillers):
                client.close()
                continue
            task = self._loop.create_task(self._serve(client))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, client: socket.socket) -> None:
        try:
            server_reader, server_writer = await asyncio.open_connection(*self._target)
        except OSError:
            _reset(client)
            return
        client_reader, client_writer = await asyncio.open_connection(sock=client)
        self._opened += 1
        flow = Flow(self._opened, client_writer, server_writer, _open_gate(), _open_gate())
        for name in self._stalled:
            _gate(flow, name).clear()
        self._flows[flow.number] = flow
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(flow, "requests", client_reader, server_writer))
                group.create_task(self._pump(flow, "responses", server_reader, client_writer))
        except* OSError:
            pass
        finally:
            self._flows.pop(flow.number, None)
            for writer in (client_writer, server_writer):
                writer.transport.abort()

    async def _pump(
        self,
        flow: Flow,
        direction: str,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(QUEUED_CHUNKS)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._receive(reader, waiting))
            group.create_task(self._deliver(flow, direction, waiting, writer))

    async def _receive(
        self, reader: asyncio.StreamReader, waiting: asyncio.Queue[tuple[float, bytes]]
    ) -> None:
        """Take what one side sends; an empty chunk is its end."""
        data = b"begin"
        while data:
            data = await reader.read(CHUNK_BYTES)
            await waiting.put((self._loop.time() + self._link.round_trip_s / 2, data))

    async def _deliver(
        self,
        flow: Flow,
        direction: str,
        waiting: asyncio.Queue[tuple[float, bytes]],
        writer: asyncio.StreamWriter,
    ) -> None:
        """Hand on what `_receive` took, when the path lets it through."""
        gate = _gate(flow, direction)
        while True:
            arrives, data = await waiting.get()
            await asyncio.sleep(max(0.0, self._sent_by(direction, len(data), arrives)))
            if not gate.is_set():
                flow.hold(direction, len(data))
                await gate.wait()
            if not data:
                if writer.can_write_eof():
                    writer.write_eof()
                return
            self._count(flow, direction, len(data))
            writer.write(data)
            await writer.drain()

    def _sent_by(self, direction: str, size: int, arrives: float) -> float:
        """Seconds from now until a chunk has crossed the link."""
        now = self._loop.time()
        if self._link.bits_per_second is None:
            return arrives - now
        begins = max(self._free_at[direction], now)
        self._free_at[direction] = begins + size * 8 / self._link.bits_per_second
        return max(arrives, self._free_at[direction] + self._link.round_trip_s / 2) - now

    def _count(self, flow: Flow, direction: str, size: int) -> None:
        flow.last_byte_ns = time.time_ns()
        if direction == "requests":
            self.bytes_to_server += size
        else:
            self.bytes_to_client += size

    async def _stall(self, directions: frozenset[str]) -> int:
        began = time.time_ns()
        self._stalled = directions
        for flow in self._flows.values():
            for name in directions:
                _gate(flow, name).clear()
        if "requests" in directions:
            self._accepting.cancel()
            self._listener.listen(0)
            await self._fill_accept_queue()
        return began

    async def _fill_accept_queue(self) -> None:
        for _ in range(FILLERS):
            filler = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            filler.setblocking(False)
            try:
                async with asyncio.timeout(FILLED_AFTER_S):
                    await self._loop.sock_connect(filler, (LOOPBACK, self.port))
            except TimeoutError:
                filler.close()
                return
            self._fillers.append(filler)
        raise RuntimeError("the accept queue could not be filled; new connections would pass")

    async def _resume(self, deliver: Callable[[Flow], bool]) -> tuple[int, tuple[Released, ...]]:
        released = []
        for flow in list(self._flows.values()):
            if flow.held_since_ns is not None:
                released.append(
                    Released(
                        flow.number,
                        flow.held_since_ns,
                        flow.held.get("requests", 0),
                        delivered=deliver(flow),
                    )
                )
                if not released[-1].delivered:
                    _abort(flow)
                flow.held_since_ns, flow.held = None, {}
        self._stalled = frozenset()
        ended = time.time_ns()
        for flow in self._flows.values():
            flow.requests.set()
            flow.responses.set()
        if self._accepting.done():
            self._listener.listen(BACKLOG)
            await self._begin_accepting()
            self._loop.call_later(1.0, self._drop_fillers)
        return ended, tuple(released)

    def _drop_fillers(self) -> None:
        while self._fillers:
            self._fillers.pop().close()

    async def _cut(self, which: Callable[[Flow], bool]) -> int:
        chosen = [flow for flow in self._flows.values() if which(flow)]
        for flow in chosen:
            _abort(flow)
        return len(chosen)

    async def _end(self) -> None:
        self._accepting.cancel()
        self._drop_fillers()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _open_gate() -> asyncio.Event:
    gate = asyncio.Event()
    gate.set()
    return gate


def _gate(flow: Flow, direction: str) -> asyncio.Event:
    return flow.requests if direction == "requests" else flow.responses


def _abort(flow: Flow) -> None:
    """Reset both sides; bytes that wait are lost."""
    for writer in (flow.client, flow.server):
        _linger_zero(writer.get_extra_info("socket"))
        writer.transport.abort()


def _reset(client: socket.socket) -> None:
    _linger_zero(client)
    client.close()


def _linger_zero(connection: socket.socket | None) -> None:
    """Closing then sends RST instead of FIN (socket(7), SO_LINGER with a time of 0)."""
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
