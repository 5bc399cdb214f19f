"""One answer to one window: preview, survey, pages nearest T first, and an honest account.

Reads outwards from the pinned instant in both directions, so that whatever ends the reading (rows,
bytes, time, a failure) leaves one stretch around T that is whole. What lies outside it is asked
for by severity, and counted by the cluster itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, replace
from time import monotonic, time_ns

from connectors.contract import Answer
from connectors.elasticsearch.account import Account, Survey, survey_in
from connectors.elasticsearch.answers import Reply
from connectors.elasticsearch.dialect import Dialect
from connectors.elasticsearch.documents import (
    Document,
    Reading,
    columns_of,
    documents_in,
    event_of,
    with_keys,
)
from connectors.elasticsearch.fields import FieldMap, TimeField, refined
from connectors.elasticsearch.paging import (
    PAGE_BYTES,
    SMALLER,
    Contexts,
    PointInTime,
    Sweep,
    missing_in,
)
from connectors.elasticsearch.problems import TooLarge
from connectors.elasticsearch.queries import (
    Stretch,
    any_value,
    by_time,
    edge,
    search,
    survey,
    within,
    without,
)
from connectors.elasticsearch.requests import Request, on
from connectors.elasticsearch.transport import SearchTransport
from connectors.logs.jsonshape import JsonValue
from timeline.batch import PREVIEW_ROWS, Batch, BatchExtras, Preview, batch_of
from timeline.clean import clean
from timeline.event import Event
from timeline.problems import SourceProblem
from timeline.window import Budget, Window

NEAR_SHARE = 0.6
"""Share of the rows that goes to everything around T when not all can be read; the rest goes to
warnings and worse of the whole window."""
READING_SHARE = 0.85
"""Share of the time allowed after which no page is begun: the account still has to be given."""
WIDE_DOCUMENT_BYTES = 8 * 1024
"""Documents larger than this on average travel without the fields that have no role."""
SMALLEST_PAGE = 10


@dataclass
class Settings:
    """What a source is read with, known after the first contact."""

    source: str
    index: str
    page_size: int
    dialect: Dialect
    reading: Reading

    @property
    def pages_by_point_in_time(self) -> bool:
        """Whether the server and the time field allow it; else pages are scrolled."""
        fields = self.reading.fields
        times = (fields.time, fields.ingest_time)
        nanoseconds = any(time is not None and time.nanoseconds for time in times)
        return self.dialect.pages_by_point_in_time(nanoseconds=nanoseconds)

    def learn_from(self, documents: Sequence[Document]) -> None:
        """Take in what only documents tell about the fields."""
        fields = refined(self.reading.fields, [document.content for document in documents])
        self.reading = replace(self.reading, fields=fields)


@dataclass
class WindowReading:
    """The state of one fetch."""

    transport: SearchTransport
    settings: Settings
    contexts: Contexts
    window: Window
    budget: Budget
    account: Account
    deadline: float = 0.0
    narrowed: tuple[str, ...] = ()
    document_bytes: float = 0.0
    _last_page_bytes: int = 0
    _accounted: int = 0
    _point: PointInTime | None = None

    async def answers(self) -> AsyncGenerator[Answer, None]:
        """Everything to tell about the window. Raises `SourceProblem` if nothing can be read."""
        self.deadline = monotonic() + self.budget.seconds * READING_SHARE
        yield await self._preview()
        self.account.survey = await self._survey()
        self._point = await self._opened()
        async for batch in self._everything_near():
            yield batch
        async for batch in self._severe_elsewhere():
            yield batch
        async for batch in self._arrived_without_a_time():
            yield batch
        yield await self._closing()

    @property
    def _fields(self) -> FieldMap:
        return self.settings.reading.fields

    @property
    def _stretch(self) -> Stretch:
        return Stretch.of(self.window.start, self.window.end)

    async def _preview(self) -> Preview:
        """The records nearest T, and with them what only documents tell about the fields."""
        stretch, pin = self._stretch, self.window.pin // 1_000_000
        documents: list[Document] = []
        size = 0
        for half, backwards in (
            (Stretch(stretch.start, min(pin, stretch.end)), True),
            (Stretch(max(pin, stretch.start), stretch.end), False),
        ):
            if half.empty:
                continue
            reply = await self._nearest(half, backwards=backwards)
            documents += documents_in(reply.content or {})
            size += len(reply.body)
        if documents:
            self.document_bytes = size / len(documents)
            if self.document_bytes > WIDE_DOCUMENT_BYTES:
                self.narrowed = tuple(self._fields.names)
        self.settings.learn_from(documents)
        told = with_keys(self._events(documents, self._fields.time), self.settings.reading)
        return Preview(
            self.settings.source, tuple(sorted(told, key=lambda e: (e.timestamp, e.seq)))
        )

    async def _nearest(self, half: Stretch, *, backwards: bool) -> Reply:
        """The records of one side nearest T, fewer of them where they are very large."""
        time, rows = self._fields.time, PREVIEW_ROWS // 2
        while True:
            order = by_time(time, newest_first=backwards)
            body = search(within(time, half), [order], rows, self.deadline - monotonic())
            request = Request("POST", on(self.settings.index, "_search"), body=body)
            try:
                return await self.transport.read(request, self.deadline)
            except TooLarge:
                if rows == 1:
                    raise
                rows = max(1, rows // SMALLER)

    async def _survey(self) -> Survey | None:
        """Counts of the window; None when the cluster will not count, which stops nothing."""
        body = survey(self._fields, self._stretch, self.deadline - monotonic())
        try:
            reply = await self.transport.read(
                Request("POST", on(self.settings.index, "_search"), body=body), self.deadline
            )
        except SourceProblem as problem:
            self.account.say("survey", f"The records could not be counted: {problem.what}")
            return None
        return survey_in(reply.content or {})

    async def _opened(self) -> PointInTime | None:
        """A point in time to page in; None where scrolling has to do."""
        dialect, transport = self.settings.dialect, self.transport
        if not self.settings.pages_by_point_in_time:
            return None
        point = PointInTime(self.contexts, self.settings.index)
        reply = await transport.ask(dialect.open(self.settings.index), self.deadline)
        if reply.status == 200 and (context := dialect.opened_id(reply.content)):
            point.generation = 1
            point.keep(context)
            return point
        return None  # an account that may search but not do this can still scroll

    async def _everything_near(self) -> AsyncIterator[Batch]:
        stretch, pin = self._stretch, self.window.pin // 1_000_000
        cut = min(max(pin, stretch.start), stretch.end)
        before = self._sweep(self._fields.time, Stretch(stretch.start, cut), backwards=True)
        after = self._sweep(self._fields.time, Stretch(cut, stretch.end))
        self.account.near = (before, after)
        rows = self.budget.rows
        if self.account.too_many(rows) and self.account.severe_values():
            rows = max(1, int(rows * NEAR_SHARE))
        async for batch in self._pages([before, after], pin, rows):
            yield batch

    async def _severe_elsewhere(self) -> AsyncIterator[Batch]:
        """Warnings and worse of what was not read as a whole."""
        values = self.account.severe_values()
        whole = all(sweep.done for sweep in self.account.near)
        if whole or not values or self._spent():
            return
        severe = any_value(self._fields.level, values)
        sweeps = [sweep.continued((severe,)) for sweep in self.account.near]
        self.account.severe = tuple(sweeps)
        pin = self.window.pin // 1_000_000
        async for batch in self._pages(sweeps, pin, self.budget.rows - self.account.rows):
            yield batch

    async def _arrived_without_a_time(self) -> AsyncIterator[Batch]:
        """Records that carry nothing but the time of their arrival."""
        arrival = self._fields.ingest_time
        if arrival is None or self._spent():
            return
        lacking = without(self._fields.time.name)
        sweep = self._sweep(arrival, self._stretch, further=(lacking,))
        self.account.arrivals = sweep
        rows = self.budget.rows - self.account.rows
        async for batch in self._pages([sweep], self.window.pin // 1_000_000, rows):
            yield batch

    def _sweep(
        self,
        time: TimeField,
        stretch: Stretch,
        *,
        backwards: bool = False,
        further: tuple[dict[str, JsonValue], ...] = (),
    ) -> Sweep:
        return Sweep(
            time,
            stretch,
            self.contexts,
            self.settings.index,
            self._point,
            newest_first=backwards,
            further=further,
            source=self.narrowed,
        )

    async def _pages(self, sweeps: list[Sweep], pin: int, rows: int) -> AsyncIterator[Batch]:
        """Pages of the sweep whose frontier is nearest to T, until all are done or spent."""
        left = rows
        while left > 0 and not self._spent():
            going = [sweep for sweep in sweeps if not sweep.done]
            if not going:
                return
            sweep = min(going, key=lambda item: abs(item.frontier - pin))
            try:
                page = await sweep.page(min(left, self._page_size()), self.deadline)
            except SourceProblem as problem:
                if monotonic() < self.deadline or not self.account.rows:
                    self.account.interrupted(problem)
                continue  # the deadline cut this page short, and `_spent` says so
            left -= len(page.documents)
            self.account.rows += len(page.documents)
            self._last_page_bytes = page.wire_bytes
            if page.missing:
                self.account.missing(page.missing)
            yield await asyncio.to_thread(self._batch, page.documents, sweep.time)

    def _page_size(self) -> int:
        """As many records as make about `PAGE_BYTES`."""
        if not self.document_bytes:
            return self.settings.page_size
        fitting = max(SMALLEST_PAGE, int(PAGE_BYTES / self.document_bytes))
        return min(self.settings.page_size, fitting)

    def _spent(self) -> bool:
        """Whether rows, bytes or time are used up, or reading failed; the account says which."""
        account = self.account
        if account.failed:
            return True
        if account.rows >= self.budget.rows:
            account.spent = f"the {self.budget.rows} records it may read"
        elif self._read_bytes + self._last_page_bytes > self.budget.bytes:
            account.spent = f"the {self.budget.bytes // 1024**2} MB it may read"
        elif monotonic() >= self.deadline:
            account.spent = f"the {self.budget.seconds:g} s it may take"
        return bool(account.spent)

    @property
    def _read_bytes(self) -> int:
        return self.transport.bytes_read - self.account.bytes_before

    def _events(self, documents: list[Document], time: TimeField) -> list[Event]:
        """The events inside the window: a stretch is wider by what a millisecond hides."""
        events = [event_of(document, time, self.settings.reading) for document in documents]
        return [event for event in events if self.window.contains(event.timestamp)]

    def _batch(self, documents: list[Document], time: TimeField) -> Batch:
        frame, keys = columns_of(self._events(documents, time), self.settings.reading)
        return Batch(self.settings.source, frame, keys, bytes_read=self._newly_read())

    def _newly_read(self) -> int:
        total = self._read_bytes
        newly, self._accounted = total - self._accounted, total
        return newly

    async def _closing(self) -> Batch:
        """What was covered and what was not."""
        await self.contexts.release()
        try:
            await self._edges()
        except SourceProblem as problem:
            self.account.say("survey", f"The newest record could not be asked for: {problem.what}")
        return batch_of(
            self.settings.source,
            (),
            BatchExtras(
                coverage=self.account.coverage(self.window),
                remarks=self.account.remarks(),
                bytes_read=self._newly_read(),
            ),
        )

    async def _edges(self) -> None:
        """The oldest and newest record kept, and how many records have no time at all."""
        fields, path = self._fields, on(self.settings.index, "_search")
        deadline = monotonic() + self.budget.seconds * (1 - READING_SHARE) / 2
        for oldest in (False, True):
            body = edge(fields.time, time_ns() // 1_000_000, oldest=oldest)
            reply = await self.transport.read(Request("POST", path, body=body), deadline)
            if found := documents_in(reply.content or {}):
                unit = 1 if fields.time.nanoseconds else 1_000_000
                self.account.set_edge(found[0].instant * unit, oldest=oldest)
            if said := missing_in(reply):
                self.account.missing(said)
        body = {"query": without(fields.time.name)}
        counting = Request("POST", on(self.settings.index, "_count"), body=body)
        reply = await self.transport.read(counting, deadline)
        count = (reply.content or {}).get("count")
        if isinstance(count, int) and count and fields.ingest_time is None:
            self.account.say(
                "undated",
                f"{count} records of {clean(self.settings.index)} have no "
                f"{clean(fields.time.name)} and cannot be placed",
                count,
            )
