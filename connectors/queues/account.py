"""The account of one reading: what may still be read, what was cut, and what that lets us claim.

A queue that forgets cannot show that a job did not run. The account turns its memory (a horizon)
and every cut into coverage and remarks, in one shape for all queues.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from connectors.queues.transitions import iso
from timeline.batch import Batch, BatchExtras, Remark, batch_of
from timeline.coverage import Coverage, Sight
from timeline.event import Event
from timeline.window import SECOND_NS, Budget, Window

READING_SHARE = 0.8
"""Of the time a source may take; the rest is for the last page and for saying what was not read."""
CLOCKS_APART_NS = 2 * SECOND_NS
"""A window that ends now by this machine's clock may end a little later by the queue server's; two
machines that keep time are closer than this. What lies further ahead was not read."""
NAMED_KEYS = 10
"""Keys named one by one in a sentence."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What the queue still knows of the past."""

    horizon: int | None
    """ns UTC: before it, what has ended may be gone without a trace; None when all is kept."""
    forgets: str
    """In words: `keeps no successes after result_ttl (500 s)`."""
    remedy: str = "A job that is not here may have succeeded."


@dataclass(slots=True)
class Account:
    """Budget and honesty of one fetch or look-up."""

    source: str
    now: int
    """The queue server's clock at the start (ns UTC)."""
    deadline: float
    remaining: int
    cuts: list[str] = field(default_factory=list)

    @classmethod
    def opened(cls, source: str, now: int, budget: Budget) -> Account:
        return cls(source, now, time.monotonic() + budget.seconds * READING_SHARE, budget.rows)

    @property
    def late(self) -> bool:
        return time.monotonic() > self.deadline

    @property
    def exhausted(self) -> bool:
        """Whether reading must stop; the caller says by `cut` what that leaves unread."""
        return self.late or self.remaining <= 0

    def cut(self, sentence: str) -> None:
        """Say that something was left unread."""
        self.cuts.append(sentence)

    def batch(
        self,
        events: Sequence[Event],
        *,
        bytes_read: int = 0,
        coverage: Sequence[Coverage] = (),
        remarks: Sequence[Remark] = (),
    ) -> Batch:
        """A batch within the budget; what does not fit is said by `closing`."""
        kept = events[: max(self.remaining, 0)]
        if len(kept) < len(events) and not any("rows" in cut for cut in self.cuts):
            self.cut("more than the rows it may read: the rest is missing")
        self.remaining -= len(kept)
        extras = BatchExtras(tuple(coverage), tuple(remarks), bytes_read)
        return batch_of(self.source, kept, extras)

    def closing(self, window: Window, memory: Memory, remarks: Sequence[Remark] = ()) -> Batch:
        """The last batch of a fetch: what the whole window's silence is worth, and every cut."""
        told = [Remark(self.source, "cut", cut) for cut in self.cuts]
        return self.batch((), coverage=self._sight(window, memory), remarks=(*told, *remarks))

    def not_found(self, keys: Sequence[str], reason: str) -> Batch:
        """Looked for and not there, with the instant of looking."""
        named = ", ".join(keys[:NAMED_KEYS])
        sentence = f"{named}: {reason} (looked at {iso(self.now)})"
        coverage = Coverage(self.source, self.now, self.now + 1, Sight.NOW_ONLY, sentence)
        remark = Remark(self.source, "not-found", sentence, len(keys))
        return self.batch((), coverage=(coverage,), remarks=(remark,))

    def _sight(self, window: Window, memory: Memory) -> list[Coverage]:
        """Entries that together say something about all of `window`: what the queue forgot, what
        it keeps, and what had not happened yet when it was read."""
        reached = window.end
        if window.end - self.now > CLOCKS_APART_NS:
            reached = max(window.start, self.now)
        told = self._past(window.start, reached, memory) if window.start < reached else []
        if reached < window.end:
            why = f"it was read at {iso(self.now)}, before this"
            remedy = "Look again once it is over."
            told.append(Coverage(self.source, reached, window.end, Sight.BLIND, why, remedy))
        return told

    def _past(self, start: int, end: int, memory: Memory) -> list[Coverage]:
        """The same for `[start, end)`, all of it over when the queue was read."""
        horizon = start if memory.horizon is None else max(start, memory.horizon)
        told = []
        if horizon > start:
            forgotten = min(horizon, end)
            told.append(
                Coverage(
                    self.source,
                    start,
                    forgotten,
                    Sight.NOW_ONLY,
                    memory.forgets,
                    memory.remedy,
                )
            )
        cuts = "; ".join(self.cuts)
        if horizon < end:
            sight = Sight.PARTIAL if cuts else Sight.FULL
            reason = cuts or "what ended in this stretch is still kept"
            told.append(Coverage(self.source, horizon, end, sight, reason))
        elif cuts:
            told.append(Coverage(self.source, start, end, Sight.PARTIAL, cuts))
        return told
