"""One answer to one window: preview, survey, pages nearest T first, and an honest account.

Reads outwards from the pinned instant in both directions, so that whatever ends the reading (rows,
bytes, time, a failure) leaves one stretch around T that is whole. A window that holds more than may
be read is counted by the cluster itself and read where it matters: see `wide`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic, time_ns

from connectors.contract import Answer
from connectors.elasticsearch.account import Account
from connectors.elasticsearch.answers import Reply
from connectors.elasticsearch.counting import Survey
from connectors.elasticsearch.dialect import Dialect
from connectors.elasticsearch.documents import (
    Document,
    Reading,
    columns_of,
    documents_in,
    event_of,
    events_of,
    speaker_in,
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
    NOT_FROZEN,
    Body,
    Query,
    Stretch,
    both,
    by_time,
    edge,
    search,
    survey,
    within,
    without,
)
from connectors.elasticsearch.requests import Request, on
from connectors.elasticsearch.scope import frozen_indices, left_alone
from connectors.elasticsearch.transport import SearchTransport
from connectors.elasticsearch.wide import read_wide
from timeline.batch import PREVIEW_ROWS, Batch, BatchExtras, Preview, batch_of
from timeline.clean import clean
from timeline.event import Event
from timeline.problems import SourceProblem
from timeline.window import Budget, Window

READING_SHARE = 0.85
"""Share of the time allowed after which no page is begun: the account still has to be given."""
COUNTING_SHARE = 0.4
"""Share of the time left that one count may take: what is near T has to be read as well."""
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
    always: tuple[Query, ...] = ()
    """What every record must satisfy that is ever asked for."""

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
    speaker: str = ""
    """The field whose values are the actors of the records, as far as the preview shows."""
    _point: PointInTime | None = None
    _told: set[str] = field(default_factory=set)
    """References of the records that were handed over: places may touch, and none counts twice."""

    async def answers(self) -> AsyncGenerator[Answer, None]:
        """Everything to tell about the window. Raises `SourceProblem` if nothing can be read."""
        self.deadline = monotonic() + self.budget.seconds * READING_SHARE
        preview = await self._preview()  # read in any case: it teaches about the fields
        if self.budget.preview:
            yield preview
        self.account.survey = survey = await self._survey()
        self.account.wide = survey is not None and survey.total > self.budget.rows
        self._point = await self._opened()
        reading = read_wide(self) if self.account.wide else self._everything_near()
        async for batch in reading:
            yield batch
        async for batch in self._arrived_without_a_time():
            yield batch
        yield await self._closing()

    @property
    def fields(self) -> FieldMap:
        return self.settings.reading.fields

    @property
    def stretch(self) -> Stretch:
        return Stretch.of(self.window.start, self.window.end)

    @property
    def pin(self) -> int:
        """T in ms."""
        return self.window.pin // 1_000_000

    @property
    def seconds_left(self) -> float:
        return self.deadline - monotonic()

    @property
    def counting_seconds(self) -> float:
        """How long one search without documents may take."""
        return self.seconds_left * COUNTING_SHARE

    def records(self) -> Query:
        """The records of the window that this source is about."""
        return within(self.fields.time, self.stretch, self.settings.always)

    async def counted(self, body: Body) -> Reply:
        """The answer to a search without documents. Raises `SourceProblem`, also if it is slow."""
        request = Request("POST", on(self.settings.index, "_search"), body=body)
        return await self.transport.read(request, monotonic() + self.counting_seconds)

    async def _preview(self) -> Preview:
        """The records nearest T, and with them what only documents tell about the fields."""
        stretch, pin = self.stretch, self.pin
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
                self.narrowed = tuple(self.fields.names)
        self.settings.learn_from(documents)
        reading = self.settings.reading
        events = [event_of(document, self.fields.time, reading) for document in documents]
        self.speaker = speaker_in(documents, reading)
        told = with_keys(self._inside(events), reading)
        return Preview(
            self.settings.source, tuple(sorted(told, key=lambda e: (e.timestamp, e.seq)))
        )

    async def _nearest(self, half: Stretch, *, backwards: bool) -> Reply:
        """The records of one side nearest T, fewer of them where they are very large."""
        time, rows = self.fields.time, PREVIEW_ROWS // 2
        while True:
            order = by_time(time, newest_first=backwards)
            query = within(time, half, self.settings.always)
            body = search(query, [order], rows, self.seconds_left)
            request = Request("POST", on(self.settings.index, "_search"), body=body)
            try:
                return await self.transport.read(request, self.deadline)
            except TooLarge:
                if rows == 1:
                    raise
                rows = max(1, rows // SMALLER)

    async def _survey(self) -> Survey | None:
        """Counts of the window; None when the cluster will not count, which stops nothing."""
        try:
            reply = await self.counted(survey(self.fields, self.records(), self.counting_seconds))
        except SourceProblem as problem:
            self.account.say("survey", f"The records could not be counted: {problem.what}")
            return None
        if said := missing_in(reply):
            self.account.missing(said)
        return Survey.of(reply.content or {})

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
        cut = min(max(self.pin, self.stretch.start), self.stretch.end)
        async for batch in self.outwards(cut, self.stretch, self.budget.rows):
            yield batch

    async def outwards(self, middle: int, stretch: Stretch, rows: int) -> AsyncIterator[Batch]:
        """Every record from `middle` (ms) both ways, until `stretch` ends or `rows` are read."""
        time, further = self.fields.time, self.settings.always
        before = self.sweep(time, Stretch(stretch.start, middle), further, backwards=True)
        after = self.sweep(time, Stretch(middle, stretch.end), further)
        self.account.near.append((before, after))
        async for batch in self.pages([before, after], middle, rows):
            yield batch

    async def _arrived_without_a_time(self) -> AsyncIterator[Batch]:
        """Records that carry nothing but the time of their arrival."""
        arrival = self.fields.ingest_time
        if arrival is None or self.spent():
            return
        lacking = without(self.fields.time.name)
        sweep = self.sweep(arrival, self.stretch, (lacking, *self.settings.always))
        self.account.arrivals = sweep
        async for batch in self.pages([sweep], self.pin, self.rows_left):
            yield batch

    @property
    def rows_left(self) -> int:
        return self.budget.rows - self.account.rows

    def sweep(
        self,
        time: TimeField,
        stretch: Stretch,
        further: tuple[Query, ...],
        *,
        backwards: bool = False,
    ) -> Sweep:
        """A way through the records of a stretch that satisfy `further`."""
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

    async def pages(self, sweeps: list[Sweep], middle: int, rows: int) -> AsyncIterator[Batch]:
        """Pages of the sweep whose frontier is nearest to `middle`, until all are done or spent."""
        left = min(rows, self.rows_left)
        while left > 0 and not self.spent():
            going = [sweep for sweep in sweeps if not sweep.done]
            if not going:
                return
            sweep = min(going, key=lambda item: abs(item.frontier - middle))
            try:
                page = await sweep.page(min(left, self._page_size()), self.deadline)
            except SourceProblem as problem:
                if monotonic() < self.deadline or not self.account.rows:
                    self.account.interrupted(problem)
                continue  # the deadline cut this page short, and `_spent` says so
            left -= len(page.documents)
            fresh = [document for document in page.documents if document.ref not in self._told]
            self._told.update(document.ref for document in fresh)
            self._last_page_bytes = page.wire_bytes
            if page.missing:
                self.account.missing(page.missing)
            if fresh or self._read_bytes > self._accounted:
                yield await asyncio.to_thread(self._batch, fresh, sweep.time)

    def _page_size(self) -> int:
        """As many records as make about `PAGE_BYTES`."""
        if not self.document_bytes:
            return self.settings.page_size
        fitting = max(SMALLEST_PAGE, int(PAGE_BYTES / self.document_bytes))
        return min(self.settings.page_size, fitting)

    def spent(self) -> bool:
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

    def _inside(self, events: list[Event]) -> list[Event]:
        """The events inside the window: a stretch is wider by what a millisecond hides."""
        return [event for event in events if self.window.contains(event.timestamp)]

    def _batch(self, documents: list[Document], time: TimeField) -> Batch:
        events = self._inside(events_of(documents, time, self.settings.reading))
        self.account.kept(event.severity_number for event in events)
        frame, keys = columns_of(events, self.settings.reading)
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
                remarks=self.account.remarks(self.window),
                bytes_read=self._newly_read(),
            ),
        )

    async def _edges(self) -> None:
        """The oldest and newest record kept, and how many records have no time at all."""
        fields, path = self.fields, on(self.settings.index, "_search")
        deadline = monotonic() + self.budget.seconds * (1 - READING_SHARE) / 2
        for oldest in (False, True):
            now = time_ns() // 1_000_000
            body = edge(fields.time, now, self.settings.always, oldest=oldest)
            reply = await self.transport.read(Request("POST", path, body=body), deadline)
            if found := documents_in(reply.content or {}):
                unit = 1 if fields.time.nanoseconds else 1_000_000
                self.account.set_edge(found[0].instant * unit, oldest=oldest)
            if said := missing_in(reply):
                self.account.missing(said)
        if NOT_FROZEN in self.settings.always:
            asked = frozen_indices(self.settings.index, fields, self.stretch)
            reply = await self.transport.ask(asked, deadline)
            if reply.status == 200 and (said := left_alone(reply)):
                self.account.missing(said)
        body = {"query": both(without(fields.time.name), *self.settings.always)}
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
