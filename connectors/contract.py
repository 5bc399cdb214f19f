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
class CheckReport:
    """What `halfawake check` prints for one source, as sentences."""

    system: str
    """Product and version as the server states it, for example `PostgreSQL 15.18 (primary)`."""
    facts: tuple[str, ...] = ()
    cannot_see: tuple[str, ...] = ()
    clock: ClockReading | None = None
    writes_refused: bool | None = None
    """True when the account provably cannot write, False when it could, None when unknown."""


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


class RunsPrograms(Protocol):
    """What a connector class adds whose options name a program to run, or a file that does."""

    runs: ClassVar[tuple[str, ...]]
    """Names of those options. What a project's own file puts there is shown to the person and
    agreed to before anything runs (`halfawake.trust`)."""
