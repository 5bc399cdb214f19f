"""The tables of one database that hold something of Celery's, opened for one fetch or look-up.

Owns finding them (each may be missing: brokers and results often live apart) and in which zone
their stamps, which have none, are read. Says what could not be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, LiteralString, TypeVar

from connectors.celery_sql.options import CelerySqlOptions
from connectors.celery_sql.rows import MessageRows, ResultRows
from connectors.celery_sql.tables import described
from connectors.postgresql.session import Session
from connectors.postgresql.tables import Server
from connectors.queues.account import Account
from connectors.sqlqueue.jobs import Row
from connectors.sqlqueue.places import Here, locate
from connectors.sqlqueue.reading import Reading
from connectors.sqlqueue.shape import System
from timeline.event import Event
from timeline.keys import KeyRules
from timeline.problems import AccessRefused, BadAnswer, NothingHere, SourceProblem
from timeline.window import Budget

ZONE: LiteralString = "SELECT current_setting('TimeZone')"
R = TypeVar("R", MessageRows, ResultRows)


@dataclass
class Part(Generic[R]):
    """One table, how it is read, and which of its events were told."""

    here: Here
    reading: Reading
    rows: R
    zone: str
    told: set[str] = field(default_factory=set)
    unopened: dict[str, str] = field(default_factory=dict)
    """Row to what its arguments are instead of JSON."""

    def fresh(self, rows: Iterable[Row], now: int) -> list[Event]:
        """Events of these rows that were not told yet."""
        events: dict[str, Event] = {}
        for row in rows:
            if closed := self.rows.unopened(row):
                self.unopened[row.id] = closed
            events.update((e.ref, e) for e in self.rows.events(row, now) if e.ref not in self.told)
        self.told.update(events)
        return list(events.values())


@dataclass
class Begun:
    """What one fetch or look-up knows."""

    server: Server
    account: Account
    messages: Part[MessageRows] | None
    results: Sequence[Part[ResultRows]]
    unread: Sequence[str]
    """Tables that are there and cannot be read, with the reason."""
    damaged: set[str] = field(default_factory=set)
    """Rows of the broker that hold no message of kombu's, or one too large to fetch."""
    resultless: dict[str, str] = field(default_factory=dict)
    """Taken tasks of the window that have no result: id to name."""

    @property
    def parts(self) -> list[Part[MessageRows] | Part[ResultRows]]:
        return [*([self.messages] if self.messages else []), *self.results]


async def begin(
    session: Session,
    server: Server,
    source: str,
    options: CelerySqlOptions,
    rules: KeyRules,
    budget: Budget,
) -> Begun:
    """Find what is there. Raises `NothingHere` when nothing is, `SourceProblem` as reads do."""
    account = Account.opened(source, server.now, budget)
    broker, keepers = described(options)
    problems: list[SourceProblem] = []
    found = await _located(session, broker, options, problems)
    result_zone = options.zone or await _application_zone(session)
    messages = None
    if found is not None:
        zone = options.taken_zone or "UTC"
        rows = MessageRows(source, found.jobs.label, rules, options.arguments)
        reading = Reading(session, found, zone, account, options.max_jobs)
        messages = Part(found, reading, rows, zone)
    results = []
    for system in keepers:
        here = await _located(session, system, options, problems)
        if here is None:
            continue
        label = here.jobs.label
        kept = ResultRows.of_table(source, system, label, rules, options.arguments)
        reading = Reading(session, here, result_zone, account, options.max_jobs)
        results.append(Part(here, reading, kept, result_zone))
    if messages is None and not results:
        raise next(iter(problems), _nothing(session, options))
    refused = [f"{problem.what} ({problem.where})" for problem in problems]
    unread = [
        *refused,
        *(u for part in (found, *(r.here for r in results)) if part for u in part.unreadable),
    ]
    return Begun(server, account, messages, results, unread)


async def _located(
    session: Session, system: System, options: CelerySqlOptions, problems: list[SourceProblem]
) -> Here | None:
    try:
        return await locate(session, system, options.schema_name)
    except NothingHere:
        return None
    except (AccessRefused, BadAnswer) as problem:
        problems.append(problem)
        return None


async def _application_zone(session: Session) -> str:
    """The database's own TimeZone, in which it keeps a stamp that the driver sent with a zone."""
    rows = await session.read(ZONE)
    return str(rows[0][0]) if rows else "UTC"


def _nothing(session: Session, options: CelerySqlOptions) -> NothingHere:
    return NothingHere(
        f"There is none of Celery's tables: {options.message_table}, {options.result_table}, "
        "django_celery_results_taskresult",
        where=f"{session.where}, schema {options.schema_name or 'of the search path'}",
        remedy="Check the database (broker and results may each have their own), the schema, and "
        "message_table and result_table if the application renames them.",
    )
