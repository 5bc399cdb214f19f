"""The connector contract: at most seven methods, asynchronous, read-only, bounded.

A connector turns one system's facts into events. It knows no screen and no detector. Importing
its module must import no driver: drivers are imported inside the methods that need them, and a
missing one is a `MissingDriver` with the install command. Registered as an entry point of the
group `halfawake.connectors`; the conformance suite in `tests/conformance` is what "a connector"
means.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeAlias

from timeline.batch import Batch, Preview
from timeline.clock import ClockReading
from timeline.event import Lane

if TYPE_CHECKING:
    from pydantic import BaseModel

    from timeline.keys import KeyRules
    from timeline.window import Budget, Window

Answer: TypeAlias = Preview | Batch


@dataclass(frozen=True, slots=True)
class Cost:
    """One read that a look would make, and what the system would touch for it."""

    read: str
    """What is read, for example `orders.created_at` or `records of one hour`."""
    way: str = ""
    """How it is found: the index, or the bracket of ids that stands in for one."""
    rows: int | None = None
    """Rows or records that would be read; the planner's estimate or the engine's count."""
    refused: str = ""
    """Why this read is never started, and what would change that; empty when it is made."""


class Writes(StrEnum):
    """May the account of a source change the system? The value is the word of `check --json`."""

    REFUSED = "refused"
    POSSIBLE = "possible"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What `halfawake check` prints for one source, as sentences."""

    system: str
    """Product and version as the server states it, for example `PostgreSQL 15.18 (primary)`."""
    facts: tuple[str, ...] = ()
    cannot_see: tuple[str, ...] = ()
    clock: ClockReading | None = None
    writes_refused: bool | None = None
    """True when the account provably cannot write, False when it could, None when unknown."""
    retention: tuple[str, ...] = ()
    """What is kept for how long, with its numbers: `successes for 500 s (result_ttl)`."""
    cost: tuple[Cost, ...] = ()
    """What one look would read. Empty when the system offers no estimate."""
    rights: tuple[str, ...] = ()
    """What the verdict on writing rests on; for an unknown one, what the person can do."""
    no_account: str = ""
    """Why no account of a system is involved: local files are read with the person's own rights.
    The question whether it could write then does not arise."""

    @property
    def writes(self) -> Writes:
        """`writes_refused` in one word, told apart from sources without an account."""
        if self.writes_refused is None:
            return Writes.NOT_APPLICABLE if self.no_account else Writes.UNKNOWN
        return Writes.REFUSED if self.writes_refused else Writes.POSSIBLE


class Connector(Protocol):
    """One configured source. Created by `connector_class(source_name, options, key_rules)`.

    `options` is an instance of the class's `Options` model. Every method may raise a
    `timeline.problems.SourceProblem`; nothing else may leave it. Cancelling any of them must
    release its connection within one second.
    """

    system: ClassVar[str]
    lane: ClassVar[Lane]
    Options: ClassVar[type[BaseModel]]

    def __init__(self, source: str, options: BaseModel, key_rules: KeyRules) -> None: ...

    async def check(self) -> CheckReport:
        """Connect, state version, rights, clock and what this system forgets."""
        ...

    def fetch(self, window: Window, budget: Budget) -> AsyncIterator[Answer]:
        """Events inside `window`: optionally one `Preview` first, then batches with coverage.

        The perishable (running jobs, queue heads, active statements) comes first. Never more
        than `budget`; a cut is a `Remark` of topic `cut` and a partial `Coverage`. An engine that
        counts for us is no cut where every record was counted (`Batch.counts`) and every warning
        and worse was read: that is topic `counted`, and its coverage is partial all the same.
        """
        ...

    def lookup(self, keys: Sequence[str], span: Window, budget: Budget) -> AsyncIterator[Batch]:
        """The rows, jobs or records that carry any of `keys`, also outside the first window.

        `span` bounds sources that cannot find a key without a time range. A key of a type the
        system does not hold yields nothing; a key looked for and not found is said in coverage.
        """
        ...

    async def clock(self) -> ClockReading | None:
        """One bounded reading of the server's clock, or None when it has none to offer."""
        ...

    async def close(self) -> None:
        """End every connection. Safe to call twice."""
        ...


LOCAL_FILES = "read on this machine with your own rights; only ever opened for reading"
"""`CheckReport.no_account` of a source that is files here."""


class RunsPrograms(Protocol):
    """What a connector class adds whose options name a program to run, or a file that does."""

    runs: ClassVar[tuple[str, ...]]
    """Names of those options. What a project's own file puts there is shown to the person and
    agreed to before anything runs (`halfawake.trust`)."""


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """What one configured query found: cells as the database writes them as text, cleaned."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    complete: bool
    """False when there were more rows than were asked for; `rows` are then the first of them."""
    asked_at: int
    """ns UTC of our clock, just before the statement was sent."""


class Queryable(Protocol):
    """What a connector adds that can answer a query which a team has configured."""

    async def query(self, statement: str, limit: int, seconds: float) -> QueryAnswer:
        """The first `limit` rows of one SELECT, WITH, TABLE or VALUES, within `seconds`.

        Takes no parameters: `%` and `?` are what they are. Raises `Misconfigured` for anything
        that is not one reading statement, that could change something although the transaction is
        read-only, or that would read a large table from end to end; and other `SourceProblem`s.
        """
        ...
