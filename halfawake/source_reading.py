"""One source while it answers, and what is said of it until it has, or because it did not.

Plain facts about one source of one collection. Decides nothing about when what is told.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from timeline.progress import Phase, SourceStatus
from timeline.window import SECOND_NS
from timeline.words import clock_face

if TYPE_CHECKING:
    from connectors.contract import Answer
    from halfawake.reach import Tunnel
    from halfawake.setup import PreparedSource
    from timeline.batch import Batch
    from timeline.incident import Incident
    from timeline.problems import SourceProblem
    from timeline.store import Snapshot
    from timeline.window import Window


@dataclass
class SourceReading:
    """One source while it answers. Its clock runs only while it is being asked."""

    source: PreparedSource
    status: SourceStatus
    reach: int = 0
    """Where the last answer ended (ns UTC), and the next one goes on."""
    skipped: str = ""
    """When and after how long the person gave up waiting for it; empty otherwise."""
    deadlines: set[asyncio.Timeout] = field(default_factory=set)
    """Of the questions it is being asked now."""
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while nothing is being asked of it."""
    _began: float = field(default_factory=time.monotonic)
    _questions: int = 0

    def __post_init__(self) -> None:
        self.idle.set()

    def begin(self, phase: Phase) -> None:
        """A question is put: time is added to what earlier ones took."""
        self._began = time.monotonic() - self.status.elapsed_s
        until = self.status.elapsed_s + self.source.budget.seconds
        self.status = replace(self.status, phase=phase, deadline_s=until)

    def update(self, **changes: object) -> None:
        """Change the status; its elapsed time moves on unless it had answered already."""
        if not self.status.answered:
            changes["elapsed_s"] = time.monotonic() - self._began
        self.status = replace(self.status, **changes)  # type: ignore[arg-type]

    @contextlib.contextmanager
    def being_asked(self) -> Iterator[None]:
        """One question, from its beginning until what it gave has been kept."""
        self._questions += 1
        self.idle.clear()
        try:
            yield
        finally:
            self._questions -= 1
            if not self._questions:
                self.deadlines.clear()
                self.idle.set()

    def skip(self, now: int) -> bool:
        """End every question now (`now` is ns UTC); False when none is being asked."""
        if not self._questions or self.skipped:
            return False
        seconds = time.monotonic() - self._began
        whole = clock_face(now - now % SECOND_NS)
        self.skipped = f"skipped by you at {whole} UTC after {seconds:.1f} s"
        self.update(phase=Phase.CUT, problem=self.skipped)
        for deadline in self.deadlines:
            if not deadline.expired():
                with contextlib.suppress(RuntimeError):  # it ended a moment ago
                    deadline.reschedule(asyncio.get_running_loop().time())
        return True


def waiting(source: PreparedSource) -> SourceStatus:
    """The status of a source that has not been asked yet."""
    info = source.info
    return SourceStatus(
        info.name, info.lane, info.system, Phase.WAITING, deadline_s=source.budget.seconds
    )


def with_unread(snapshot: Snapshot, reading: Sequence[str], window: Window) -> Snapshot:
    """`snapshot` with the word of each source in `reading` that it has not told the window yet.

    Whatever it said of parts of it, the weaker claim holds: nothing is called absent that its next
    page may hold.
    """
    from timeline.coverage import Coverage, Sight

    if not reading:
        return snapshot
    why = "it is still being read"
    said = (Coverage(name, window.start, window.end, Sight.BLIND, why) for name in reading)
    return replace(snapshot, coverage=snapshot.coverage.adding(said).tidy())


def words_of(problem: SourceProblem, tunnel: Tunnel | None) -> tuple[str, str]:
    """What failed and the whole sentence; a tunnel that has ended is named first."""
    if tunnel is None or not tunnel.ended:
        return problem.what, problem.sentence()
    what = tunnel.epitaph()
    return what, f"{what}. {problem.sentence()}"


def unseen(source: str, window: Window, what: str, remedy: str, *, cut: bool) -> Batch:
    """A batch without rows that says that the window was not seen, or with `cut` not all of it."""
    import polars as pl

    from timeline.batch import Batch
    from timeline.columns import EVENT_SCHEMA, KEY_SCHEMA
    from timeline.coverage import Coverage, Sight

    sight = Sight.PARTIAL if cut else Sight.BLIND
    blind = Coverage(source, window.start, window.end, sight, what, remedy)
    return Batch(
        source, pl.DataFrame(schema=EVENT_SCHEMA), pl.DataFrame(schema=KEY_SCHEMA), (blind,)
    )


@contextlib.asynccontextmanager
async def closing_early(answers: AsyncIterator[Answer]) -> AsyncIterator[None]:
    """Close a generator that is left early now, not when it happens to be collected."""
    try:
        yield
    finally:
        if isinstance(answers, AsyncGenerator):
            await answers.aclose()


def told_by(incident: Incident, *, present: bool) -> tuple[object, ...]:
    """How many measurements (`present`) or other events there are, and how much they say.

    A record read again may say more: a line that was being written, a job that went on.
    """
    import polars as pl

    from timeline.event import Kind

    events = incident.snapshot.events.lazy()
    measured = pl.col("kind") == Kind.METRIC.value
    sizes = [pl.col(name).str.len_bytes().sum().alias(name) for name in ("body", "attributes")]
    chosen = events.filter(measured if present else ~measured)
    return chosen.select(pl.len(), *sizes).collect().row(0)


def rows_by_source(incident: Incident) -> dict[str, int]:
    """How many events each source gave, without what was read twice."""
    import polars as pl

    sources = incident.snapshot.events.get_column("source").cast(pl.String)
    return dict(sources.value_counts().iter_rows())
