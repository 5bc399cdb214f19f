"""Reading a stretch page by page without losing or repeating a record, and without leaving a trace.

A point in time with `_shard_doc` as tie-breaker where the server has it, scrolling where not. The
reading contexts that are open are known to `Contexts`, which gives every one of them back.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from time import monotonic

from connectors.answers import at, items, text
from connectors.elasticsearch.answers import Reply
from connectors.elasticsearch.dialect import KEEP_ALIVE, Dialect
from connectors.elasticsearch.documents import Document, documents_in
from connectors.elasticsearch.fields import TimeField
from connectors.elasticsearch.problems import TooLarge, lost_context, not_json, refusal
from connectors.elasticsearch.queries import Query, Stretch, by_time, search, within
from connectors.elasticsearch.requests import Request, on
from connectors.elasticsearch.transport import SearchTransport
from connectors.logs.jsonshape import JsonValue
from timeline.problems import SourceProblem

PAGE_BYTES = 1024 * 1024
"""Decompressed size that pages aim for: decoding one is not felt by the screen."""
SMALLER = 8
"""A page that was too large is asked for again with so many times fewer records."""
CLOSE_WITHIN_S = 0.7
"""Giving a reading context back may take this long, and no more; it expires by itself."""


@dataclass(frozen=True)
class Page:
    """The records of one page, how much travelled for it, and what the answer admits is missing."""

    documents: list[Document]
    wire_bytes: int
    missing: str = ""
    """Why some records may not be among them; "" when every shard answered."""


def missing_in(reply: Reply) -> str:
    """What a search answer admits not to hold: failed shards, a timeout, skipped clusters."""
    content = reply.content or {}
    shards = at(content, "_shards")
    failed, total = at(shards, "failed"), at(shards, "total")
    said = []
    if isinstance(failed, int) and failed:
        failures = items(at(shards, "failures"))
        kind = text(at(failures[0], "reason", "type")) if failures else ""
        said.append(f"{failed} of {total} shards failed ({kind or 'no reason given'})")
    if at(content, "timed_out") is True:
        said.append("the search timed out in the cluster")
    skipped = at(content, "_clusters", "skipped")
    if isinstance(skipped, int) and skipped:
        said.append(
            f"{skipped} of {at(content, '_clusters', 'total')} remote clusters were skipped"
        )
    return "; ".join(said)


@dataclass
class Contexts:
    """The reading contexts open on the cluster, and how to give them back."""

    transport: SearchTransport
    dialect: Dialect
    open: dict[str, Request] = field(default_factory=dict)
    """By name of the reader: the request that closes its present context."""

    async def release(self, *names: str) -> None:
        """Close the named contexts (all without names), even while being cancelled."""
        closing = [self.open.pop(name) for name in names or tuple(self.open) if name in self.open]
        if closing:
            await asyncio.shield(asyncio.ensure_future(self._close(closing)))

    async def _close(self, requests: Sequence[Request]) -> None:
        with contextlib.suppress(SourceProblem, TimeoutError):
            async with asyncio.timeout(CLOSE_WITHIN_S):
                for request in requests:
                    await self.transport.ask(request)


@dataclass
class PointInTime:
    """One index pattern held still. Shared by the sweeps over it; reopened once if it expires."""

    contexts: Contexts
    index: str
    id: str = ""
    generation: int = 0
    expired: int = 0

    async def opened(self, deadline: float) -> str:
        """The id, opening the point in time when there is none. Raises `SourceProblem`."""
        if not self.id:
            dialect = self.contexts.dialect
            reply = await self.contexts.transport.read(dialect.open(self.index), deadline)
            context = dialect.opened_id(reply.content)
            if not context:
                raise not_json(reply)
            self.generation += 1
            self.keep(context)
        return self.id

    def keep(self, newest: str) -> None:
        """Remember the id to use and to close: it may change with every page."""
        self.id = newest
        self.contexts.open[self._name] = self.contexts.dialect.close(newest)

    @property
    def _name(self) -> str:
        return f"point in time {id(self)}"

    def lost(self) -> bool:
        """Note that it expired; False when it did so before, which is no accident any more."""
        self.id = ""
        self.contexts.open.pop(self._name, None)
        self.expired += 1
        return self.expired == 1


@dataclass
class Sweep:
    """One direction through a stretch. `frontier` is the ms up to which every record was read."""

    time: TimeField
    stretch: Stretch
    contexts: Contexts
    index: str
    point: PointInTime | None
    """None when the server needs scrolling."""
    newest_first: bool = False
    further: tuple[Query, ...] = ()
    source: tuple[str, ...] = ()
    frontier: int = 0
    done: bool = False
    _after: tuple[JsonValue, ...] = ()
    _generation: int = 0
    _last: int | None = None
    """Millisecond of the last record told."""
    _told: set[str] = field(default_factory=set)
    """References of the records told of that millisecond, in case it must be read again."""
    _scroll: str = ""
    _scroll_size: int = 0
    """A scroll keeps the page size that it was opened with."""
    _losses: int = 0

    def __post_init__(self) -> None:
        self.frontier = self.stretch.end if self.newest_first else self.stretch.start
        self.done = self.stretch.empty

    @property
    def unread(self) -> Stretch:
        """What has not been read to the end."""
        if self.newest_first:
            return Stretch(self.stretch.start, self.frontier)
        return Stretch(self.frontier, self.stretch.end)

    def continued(self, further: tuple[Query, ...]) -> Sweep:
        """A sweep of what is unread that asks for less; records told already stay told."""
        rest = replace(
            self, stretch=self.unread, further=further, _after=(), _scroll="", _scroll_size=0
        )
        rest._told = set(self._told)
        return rest

    async def page(self, size: int, deadline: float) -> Page:
        """The next page of at most `size` records; `done` tells that it was the last.

        Raises `SourceProblem`. A page that is too large is asked for again in smaller pieces.
        """
        while True:
            try:
                reply = await self._reply(size, deadline)
            except TooLarge:
                if size == 1:
                    raise
                size = max(1, size // SMALLER)
                await self._begin_scroll_again()
                continue
            if lost_context(reply) and self._recovers():
                continue
            if reply.status != 200:
                raise refusal(reply)
            if reply.content is None:
                raise not_json(reply)
            return self._taken(reply, self._scroll_size or size, size)

    async def _reply(self, size: int, deadline: float) -> Reply:
        if self.point is None:
            return await self._scrolled(size, deadline)
        context = await self.point.opened(deadline)
        if self.point.generation != self._generation:
            # `_shard_doc` means nothing in another point in time: read the last instant again.
            self._after, self._generation = (), self.point.generation
        body = self._body(size, deadline)
        body["sort"] = [by_time(self.time, newest_first=self.newest_first), {"_shard_doc": "asc"}]
        body["pit"] = {"id": context, "keep_alive": KEEP_ALIVE}
        if self._after:
            body["search_after"] = list(self._after)
        reply = await self.contexts.transport.ask(Request("POST", "/_search", body=body), deadline)
        if newest := text(at(reply.content or {}, "pit_id")):
            self.point.keep(newest)
        return reply

    async def _scrolled(self, size: int, deadline: float) -> Reply:
        body: dict[str, JsonValue]
        if self._scroll:
            body = {"scroll": KEEP_ALIVE, "scroll_id": self._scroll}
            request = Request("POST", "/_search/scroll", body=body)
        else:
            self._scroll_size = size
            body = self._body(size, deadline)
            del body["track_total_hits"]  # refused in a scroll, which always counts
            path = on(self.index, "_search")
            request = Request("POST", path, {"scroll": KEEP_ALIVE}, body)
        reply = await self.contexts.transport.ask(request, deadline)
        if scroll := text(at(reply.content or {}, "_scroll_id")):
            self._scroll = scroll
            closing = Request("DELETE", "/_search/scroll", body={"scroll_id": [scroll]})
            self.contexts.open[self._name] = closing
        return reply

    def _body(self, size: int, deadline: float) -> dict[str, JsonValue]:
        again = not self._after and self._last is not None
        query = within(self.time, self.unread if again else self.stretch, self.further)
        order = by_time(self.time, newest_first=self.newest_first)
        return search(query, [order], size, deadline - monotonic(), self.source)

    def _taken(self, reply: Reply, asked: int, size: int) -> Page:
        documents = documents_in(reply.content or {})
        exhausted = len(items(at(reply.content or {}, "hits", "hits"))) < asked
        fresh = [
            document
            for document in documents
            if self._millisecond(document) != self._last or document.ref not in self._told
        ]
        kept = fresh[:size]  # a scroll's page may be larger than what is wanted now
        if documents:
            self._after = documents[-1].sort
        if kept:
            self._remember(kept)
        if exhausted and len(kept) == len(fresh):
            self.done = True
            self.frontier = self.stretch.start if self.newest_first else self.stretch.end
        return Page(kept, reply.wire_bytes, missing_in(reply))

    def _remember(self, told: Sequence[Document]) -> None:
        last = self._millisecond(told[-1])
        if last != self._last:
            self._told = set()
        self._told |= {document.ref for document in told if self._millisecond(document) == last}
        self._last = last
        self.frontier = last + 1 if self.newest_first else last

    def _millisecond(self, document: Document) -> int:
        return document.instant // 1_000_000 if self.time.nanoseconds else document.instant

    def _recovers(self) -> bool:
        """Whether a new context may be tried after the old one was lost."""
        if self.point is not None:
            return self.point.lost()
        self.contexts.open.pop(self._name, None)
        self._scroll, self._after = "", ()
        self._losses += 1
        return self._losses == 1

    async def _begin_scroll_again(self) -> None:
        """From the last instant; a search in a point in time is simply repeated."""
        if self.point is None:
            await self.contexts.release(self._name)
            self._scroll, self._after = "", ()

    @property
    def _name(self) -> str:
        return f"scroll {id(self)}"
