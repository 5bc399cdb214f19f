"""What is read of one queue, in which order and how much: each read bounded, and planned first
where a table is large. What was not read is told to the account as a cut, never left out in
silence.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, LiteralString

from connectors.postgresql.plans import plan_of
from connectors.postgresql.session import Parameter, Session
from connectors.postgresql.session import Row as Cells
from connectors.postgresql.statements import explained, iso
from connectors.queues.account import Account
from connectors.sqlqueue.jobs import Row
from connectors.sqlqueue.places import Here, Place
from connectors.sqlqueue.shape import History, Records, Search
from connectors.sqlqueue.statements import Statements, known_otherwise
from timeline.event import Kind
from timeline.problems import Overloaded
from timeline.window import MINUTE_NS, Window

if TYPE_CHECKING:
    from psycopg import sql

MAX_RUNNING = 500
NEXT_DUE = 500
MAX_QUEUES = 500
NEWEST_JOBS = 2_000
"""Jobs enqueued last that are searched for a key among their arguments; no queue has an index."""
HISTORY_ROWS = 20
"""Rows of history that are expected of one job at most; a page of jobs with more is a cut."""
BRACKET_MARGIN_NS = 10 * MINUTE_NS
"""Ids are given out as rows are written, stamps are those of the transaction or of another host:
ten minutes apart at most, or the transaction was no online one."""
MOST_PROBES = 64
"""Of one search by ids: a bisection of 64-bit numbers needs no more."""
INTEGERS = ("int4", "int8")
ID_FORMS = {
    "int8": re.compile(r"[0-9]{1,18}"),
    "int4": re.compile(r"[0-9]{1,9}"),
    "uuid": re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
}
"""What an id must look like to be asked for; any other text is not an id of this table."""


@dataclass
class Reading:
    """Bounded reads for one fetch or look-up of one queue system."""

    session: Session
    here: Here
    zone: str
    account: Account
    max_jobs: int
    queues: tuple[str, ...] | None = None
    """Names of the queues, where the table is partitioned by them."""
    refused: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        system = self.here.system
        self.jobs = Statements(self.here, system.jobs, self.zone)
        self.history: Statements | None = None
        if system.history is not None and self.here.has(system.history):
            self.history = Statements(self.here, system.history, self.zone)

    async def learn_queues(self) -> None:
        """Names of the queues by which the table of jobs is partitioned, if it is."""
        place = self.here.places.get(self.here.system.queue_table)
        if place is None or "name" not in place.columns:
            return
        from psycopg import sql

        statement = sql.SQL("SELECT name FROM {} ORDER BY name LIMIT {}").format(
            sql.Identifier(place.schema, place.name), sql.Literal(MAX_QUEUES + 1)
        )
        names = [str(row[0]) for row in await self.session.read(statement)]
        if len(names) > MAX_QUEUES:
            self.account.cut(f"more than {MAX_QUEUES} queues: jobs of so many were looked for")
        self.queues = tuple(names[:MAX_QUEUES])

    async def latest(self, search: Search) -> int | None:
        """The newest value (ns UTC) of a stamp that is written with the row."""
        rows = await self._last(f"the newest {search.name}", search.sql, 1)
        return self._rows(self.jobs, rows)[0].stamp(f"@{search.name}") if rows else None

    async def largest(self, search: Search) -> int | None:
        """The largest value (ns UTC) of a stamp; without an index for it, that of the last row."""
        if not self.jobs.has(search.sql):
            return None
        written: LiteralString = f"({search.sql}) IS NOT NULL"
        statement = self.jobs.listed(written, search.sql, 1, newest=True)
        if self.here.jobs.large and await self._dear(statement, ()):
            return await self.latest(search)
        rows = await self._answered(f"the newest {search.name}", statement) or []
        return self._rows(self.jobs, rows)[0].stamp(f"@{search.name}") if rows else None

    async def oldest_finished(self) -> int | None:
        """When the job ended (ns UTC) that succeeded longest ago and is still there."""
        jobs = self.here.system.jobs
        oldest = []
        for stamp in jobs.stamps:
            if stamp.kind is Kind.JOB_FINISHED and self.jobs.has(stamp.sql):
                rows = await self._guarded("the oldest success", self.jobs.oldest(stamp))
                oldest += [row[0] * 1_000 for row in rows or () if isinstance(row[0], int)]
        return min(oldest, default=None)

    async def depths(self) -> list[Cells]:
        """(queue, waiting, running, coming due, µs of the longest waiting)."""
        return await self._guarded("the depth of the queues", self.jobs.depths()) or []

    async def coming_due(self) -> list[Cells]:
        """(id, queue, µs) of the jobs and retries that come due next."""
        if self.here.system.jobs.due == "NULL":
            return []
        statement = self.jobs.coming_due(NEXT_DUE)
        return await self._guarded("what comes due", statement) or []

    async def running(self) -> list[Row]:
        """Jobs that run now, as far as the tables tell."""
        jobs = self.here.system.jobs
        statement = self.jobs.listed(jobs.running, jobs.id, MAX_RUNNING + 1)
        rows = await self._guarded("what is running", statement) or []
        if len(rows) > MAX_RUNNING:
            self.account.cut(f"more than {MAX_RUNNING} jobs run: only so many were read")
        return self._rows(self.jobs, rows[:MAX_RUNNING])

    async def waiting(self, each: int) -> list[Row]:
        """Live jobs that do not run, by their ids: at most `each` from either end."""
        jobs, found = self.here.system.jobs, dict[str, Row]()
        for newest in (False, True):
            statement = self.jobs.listed(jobs.live, jobs.id, each, newest=newest)
            rows = await self._guarded("what waits", statement) or []
            found.update((row.id, row) for row in self._rows(self.jobs, rows) if not row.running)
        return list(found.values())

    async def newest(self) -> list[Row]:
        """The jobs written last."""
        jobs = self.here.system.jobs
        order = next((search.sql for search in jobs.searches if search.inserted), jobs.id)
        return self._rows(self.jobs, await self._last("the newest jobs", order, NEWEST_JOBS))

    async def by_ids(self, ids: Iterable[str]) -> list[Row]:
        """Jobs by their ids, or by the second id under which logs know them."""
        jobs, wanted, found = self.here.system.jobs, list(dict.fromkeys(ids)), list[Row]()
        own = jobs.known_as if known_otherwise(jobs) else jobs.id
        for fragment in (own, jobs.other_id):
            known = [one for one in wanted if self._fits(jobs, fragment, one)]
            if known and not self.here.lacks(jobs, fragment):
                statement = self.jobs.by_ids(fragment, self.max_jobs)
                rows = await self._guarded("jobs by their ids", statement, (known,)) or []
                found += self._rows(self.jobs, rows)
        return found

    async def touched(self, window: Window, page: int) -> AsyncIterator[list[Row]]:
        """Jobs of which some stamp lies in `window`, each once, in pages."""
        seen = set[str]()
        history = self.here.system.history
        if self.history is not None and history is not None:
            ids = dict[str, None]()
            for search in history.searches:
                found = await self._stretch(self.history, history, search, window)
                ids.update(dict.fromkeys(row.job for row in found))
            named = list(ids)
            for start in range(0, len(named), page):
                if self.account.exhausted:
                    self.account.cut(f"{len(named) - start} jobs with history were not read")
                    break
                rows = await self.by_ids(named[start : start + page])
                seen.update(row.id for row in rows)
                yield rows
        jobs = self.here.system.jobs
        for search in jobs.searches:
            if self.account.exhausted:
                self.account.cut(f"jobs were not looked for by {search.name}")
                continue
            found = await self._stretch(self.jobs, jobs, search, window)
            fresh = [row for row in found if row.id not in seen]
            seen.update(row.id for row in fresh)
            for start in range(0, len(fresh), page):
                yield fresh[start : start + page]

    async def past(self, jobs: Sequence[Row]) -> dict[str, list[Row]]:
        """What is on record of what happened to these jobs, by the job's id."""
        history = self.here.system.history
        told: dict[str, list[Row]] = {}
        if self.history is None or history is None or not jobs:
            return told
        limit = max(len(jobs), NEXT_DUE) * HISTORY_ROWS
        ids = [row.id for row in jobs]
        statement = self.history.by_ids(history.job, limit + 1)
        rows = await self._guarded("the history of jobs", statement, (ids,)) or []
        if len(rows) > limit:
            self.account.cut(f"more than {limit} rows of history: only so many were read")
        for row in self._rows(self.history, rows[:limit]):
            told.setdefault(row.job, []).append(row)
        return told

    async def _last(self, what: str, order: LiteralString, limit: int) -> list[Cells]:
        """The last jobs by their ids where these rise, else by `order`.

        By the primary key it is a walk of `limit` steps, though a plan names the cost of all.
        """
        jobs = self.here.system.jobs
        if self.here.type_of(jobs, jobs.id) in INTEGERS:
            statement = self.jobs.listed(jobs.where, jobs.id, limit, newest=True)
            return await self._answered(what, statement) or []
        statement = self.jobs.listed(jobs.where, order, limit, newest=True)
        return await self._guarded(what, statement) or []

    async def _stretch(
        self, statements: Statements, records: Records, search: Search, window: Window
    ) -> list[Row]:
        """Rows nearest T first on either side of it, so that a cut leaves the far ends out."""
        if not statements.has(search.sql):
            return []
        halves = ((window.start, window.pin, True), (window.pin, window.end, False))
        found: list[Row] = []
        for start, end, newest in halves:
            if start >= end:
                continue
            rows = await self._half(statements, records, search, (start, end), newest)
            if len(rows) > self.max_jobs:
                side = "before" if newest else "after"
                self.account.cut(
                    f"more than {self.max_jobs} rows by {search.name} {side} T: those nearest to "
                    "it were read"
                )
            found += self._rows(statements, rows[: self.max_jobs])
        return found

    async def _half(
        self,
        statements: Statements,
        records: Records,
        search: Search,
        span: tuple[int, int],
        newest: bool,
    ) -> list[Cells]:
        limit = self.max_jobs + 1
        ends = [iso(-(-instant // 1_000)) for instant in span]
        queues = self.queues is not None
        names = [list(self.queues or ())] if queues and not isinstance(records, History) else []
        plain = statements.found(search, limit, newest=newest, bracketed=False, queues=queues)
        parameters: list[Parameter] = [*ends, *names]
        place = self.here.places[records.tables[0].name]
        name = f"{place.name}.{search.name}"
        if not place.large or not await self._dear(plain, parameters):
            return await self._answered(f"jobs by {name}", plain, parameters) or []
        if not search.inserted or self.here.type_of(records, records.id) not in INTEGERS:
            self._refuse(name, place)
            return []
        bracket = await self._bracket(statements, search, span)
        by_ids = statements.found(search, limit, newest=newest, bracketed=True, queues=queues)
        parameters = [*ends, *bracket, *names]
        if await self._dear(by_ids, parameters):
            self._refuse(name, place)
            return []
        return await self._answered(f"jobs by {name}", by_ids, parameters) or []

    async def _bracket(
        self, statements: Statements, search: Search, span: tuple[int, int]
    ) -> tuple[int, int]:
        """Ids between which every row of `span` was written; ids rise with their stamps."""
        newest = await self._answered("the last id", statements.last(search))
        last = newest[0][0] if newest and isinstance(newest[0][0], int) else 0
        ends = [
            await self._first_id(statements, search, instant // 1_000, last)
            for instant in (span[0] - BRACKET_MARGIN_NS, span[1] + BRACKET_MARGIN_NS)
        ]
        return ends[0], ends[1]

    async def _first_id(
        self, statements: Statements, search: Search, microseconds: int, last: int
    ) -> int:
        """The first id whose row was stamped at an instant or later; `last` + 1 if none was."""
        low, high = 0, last + 1
        for _ in range(MOST_PROBES):
            if low >= high:
                break
            middle = (low + high) // 2
            rows = await self._answered("an id", statements.id_since(search), (middle,))
            row = rows[0] if rows else None
            if row is None or not isinstance(row[0], int) or not isinstance(row[1], int):
                high = middle
            elif row[1] < microseconds:
                low = row[0] + 1
            else:
                high = middle
        return low

    async def _guarded(
        self, what: str, statement: sql.Composed, parameters: Sequence[Parameter] = ()
    ) -> list[Cells] | None:
        """The rows, unless the table is large and no index leads to them."""
        if self.here.jobs.large and await self._dear(statement, parameters):
            self._refuse(what, self.here.jobs)
            return None
        return await self._answered(what, statement, parameters)

    async def _answered(
        self, what: str, statement: sql.Composed, parameters: Sequence[Parameter] = ()
    ) -> list[Cells] | None:
        """The rows, or a cut for a statement that the server gave up on; others may answer."""
        try:
            return await self.session.read(statement, parameters)
        except Overloaded as problem:
            self.account.cut(f"{what}: {problem.what}")
            return None

    async def _dear(self, statement: sql.Composed, parameters: Sequence[Parameter]) -> bool:
        plan = plan_of(await self.session.read(explained(statement), parameters))
        return plan.scans_everything or plan.costly

    def _refuse(self, what: str, place: Place) -> None:
        if what not in self.refused:
            self.refused.add(what)
            size = "of unknown size" if place.bytes is None else f"{place.bytes // 2**20} MiB"
            self.account.cut(f"{what}: not read, no index serves and {place.label} is {size}")

    def _rows(self, statements: Statements, rows: Iterable[Cells]) -> list[Row]:
        fields = statements.fields
        return [Row.of(fields, cells) for cells in rows]

    def _fits(self, records: Records, fragment: str, one: str) -> bool:
        form = ID_FORMS.get(self.here.type_of(records, fragment))
        return fragment != "NULL" and (form is None or form.fullmatch(one) is not None)
