"""How one job queue lives in PostgreSQL tables, as a description: no reading, no code to run.

A fragment is SQL over the aliases that the description itself gives to tables. One that names a
column or a table which this version of the queue lacks reads as NULL, so that one description
serves several versions; nothing from outside ever enters a fragment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import LiteralString

from connectors.queues.transitions import WORKER_CLOCK
from timeline.event import Kind, Meaning

SERVER_CLOCK = ""
"""The database's own clock, as an event's clock is named."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table under an alias. `on` joins it (LEFT) to those before it; the first has none."""

    alias: str
    name: str
    on: LiteralString = ""


@dataclass(frozen=True, slots=True)
class Stamp:
    """One instant that a row holds, and the transition that it tells."""

    name: str
    """The column, as it stands in references: `attempted_at`."""
    sql: LiteralString
    """Column or expression of type `timestamptz`, or a column `timestamp` that holds UTC."""
    kind: Kind
    words: str
    """`failed on {queue} and comes due again at {due}`; also `{worker}`, `{attempt}`,
    and `{later}`, the words for a job that has not begun and runs later."""
    states: tuple[str, ...] = ()
    """States of the row, in the queue's words, in which it tells this; none: in all."""
    clock: str = WORKER_CLOCK
    """Who wrote it; `SERVER_CLOCK` when the database's `now()` did."""
    meaning: Meaning = Meaning.OCCURRED
    stage: int | None = None
    searched: bool = True
    """Whether jobs are looked for by it; an expression without an index rarely is."""
    inserted: bool = False
    """Whether it is written with the row and never again, so that ids rise with it."""
    with_error: bool = False
    """Whether the error on record is of this transition."""


@dataclass(frozen=True, slots=True)
class Search:
    """One column by which rows of a stretch of time are found."""

    name: str
    sql: LiteralString
    states: tuple[str, ...]
    """States that rows must be in; none: any."""
    inserted: bool


@dataclass(frozen=True, slots=True)
class Records:
    """Rows that hold stamps: of jobs, or of what happened to jobs."""

    tables: tuple[Table, ...]
    id: LiteralString
    stamps: tuple[Stamp, ...]
    state: LiteralString = "NULL"
    state_indexed: bool = False
    """Whether an index begins with the state: then a search names the states it is for."""
    worker: LiteralString = "NULL"
    error: LiteralString = "NULL"
    heartbeat: LiteralString = "NULL"
    """Last sign of life of whoever runs the job: `timestamptz`, or `timestamp` holding UTC."""
    heartbeat_clock: str = WORKER_CLOCK
    attempt: LiteralString = "NULL"
    """Attempts begun, the running one included."""
    where: LiteralString = "true"
    """Which rows of the tables are records at all."""
    lateral: LiteralString = ""
    """Further FROM items over the tables, `CROSS JOIN LATERAL unnest(…)`."""

    @property
    def columns(self) -> dict[str, LiteralString]:
        """Each stamp's column once: several transitions may be read from one."""
        return {stamp.name: stamp.sql for stamp in self.stamps}

    @property
    def searches(self) -> tuple[Search, ...]:
        """One for each column that rows are looked for by."""
        by_name: dict[str, list[Stamp]] = {}
        for stamp in self.stamps:
            if stamp.searched:
                by_name.setdefault(stamp.name, []).append(stamp)
        return tuple(
            Search(name, stamps[0].sql, self._states(stamps), any(s.inserted for s in stamps))
            for name, stamps in by_name.items()
        )

    def _states(self, stamps: Sequence[Stamp]) -> tuple[str, ...]:
        if not self.state_indexed or not all(stamp.states for stamp in stamps):
            return ()
        return tuple(dict.fromkeys(state for stamp in stamps for state in stamp.states))


@dataclass(frozen=True, slots=True)
class Jobs(Records):
    """One row a job."""

    job_class: LiteralString = "NULL"
    queue: LiteralString = "'default'"
    args: LiteralString = "NULL"
    """JSON text of its arguments. Never another format: `opaque` measures those."""
    opaque: LiteralString = "NULL"
    """Arguments in a format that is not opened; only their size leaves the server."""
    opaque_format: str = ""
    known_as: LiteralString = "NULL"
    """The id under which logs and clients know the job, where that is not the row's."""
    other_id: LiteralString = "NULL"
    """A second id under which logs know the job (Active Job's)."""
    max_attempts: LiteralString = "NULL"
    due: LiteralString = "NULL"
    """When it may run: a retry's or a scheduled job's instant."""
    live: LiteralString = "true"
    """Jobs that wait, run or come due; what has ended is not counted in a depth."""
    running: LiteralString = "false"
    """Which live jobs run, as far as the tables tell."""
    alive: LiteralString = "NULL"
    """Column with the last sign that a running job is alive: its heartbeat, else its start."""
    silent_for: LiteralString = "NULL"
    """Interval after which the product itself takes a job without such a sign for lost."""
    lost: LiteralString = "false"
    """Further running jobs that count as lost: their worker's row is gone."""
    details: Mapping[str, LiteralString] = field(default_factory=dict)
    """Further short values worth showing, each as text."""


@dataclass(frozen=True, slots=True)
class History(Records):
    """Rows of their own for what happened to a job, found by the job's id."""

    job: LiteralString = "NULL"


@dataclass(frozen=True, slots=True)
class System:
    """One job queue system."""

    name: str
    """As configured: `connector = "pg-boss"`."""
    product: str
    jobs: Jobs
    forgets: str
    """What cannot be known of the past, in words that follow the product's name."""
    lost_means: str
    """What it is worth that a running job counts as lost: `no heartbeat for 30 s`."""
    schema: str = ""
    """Where its tables are unless configured; empty: wherever the search path finds them."""
    schema_option: str = "schema"
    history: History | None = None
    kept_s: int | None = 0
    """How long ended jobs are kept by default: 0 not at all, None for ever."""
    deletes_from: str = ""
    """Table whose deletions tell whether anything was ever removed; empty: the jobs' own."""
    version_table: str = ""
    """Table that keeps the version of the schema; empty for none."""
    version_column: str = "version"
    queue_table: str = ""
    """Table of the queues by whose `name` the jobs are partitioned; empty for none."""
    cannot_see: tuple[str, ...] = ()
    variables: tuple[str, ...] = ("DATABASE_URL",)
