"""The fourth part of stale-read: somebody decided on a state that was already overwritten.

Story: what is read is a projection of what was written. The projector falls behind; for ten minutes
couriers are sent to addresses that had been changed.

Predicate: a reader's line states a lower number of a thing's revision than another service stated
more than a second before, or a column's value from before a recorded change, for at least two
things, while the same reader stated the newest at other times. Likely at most, because a line tells
a state and not where it was read.

False positives: who works through all changes in turn is behind all night (silent); two lines in
one second (silent).

Reference: monotonic reads (Terry et al., "Session Guarantees", 1994).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from timeline.facts.behind_reads import (
    BehindRead,
    BehindReader,
    behind_readers,
    behind_values,
)
from timeline.facts.words import abridged, counted, instant, length, listed, short
from timeline.finding import Finding, Step
from timeline.order import Verdict, at_least, before

if TYPE_CHECKING:
    from timeline.incident import Incident

MAX_FINDINGS = 3
SURE = 3
"""Things that must have been read so before it is likely."""


@dataclass(frozen=True, kw_only=True)
class OldRevision(Finding):
    """One reader and the things of which it stated an old state, in time order. `what` is
    `revision`, or the column of `table`."""

    term: ClassVar[str] = "stale-read"
    remedy: ClassVar[str] = (
        "Let a reader that decides something ask for the revision it needs and wait for it, and "
        "watch how far the projection or the replica is behind."
    )

    reader: str
    what: str
    table: str
    reads: tuple[BehindRead, ...]
    newest: int

    def sentence(self) -> str:
        first = self.reads[0]
        names = listed([short(read.key) for read in self.reads], 3)
        return abridged(
            f"{self.reader} worked on an old {self.what} of {counted(len(self.reads), 'thing')}: "
            f"{names} (first at {instant(first.at)} on {first.stated}, "
            f"{length(first.at - first.known_at)} after {first.known} was there); at other times it"
            f" had the newest ({counted(self.newest, 'reading')})."
        )

    def clause(self) -> str:
        return f"{self.reader} read an old {self.what} of {counted(len(self.reads), 'thing')}"


def old_revisions(incident: Incident) -> list[OldRevision]:
    """Findings by reader, strongest first."""
    readers = [*behind_readers(incident), *behind_values(incident)]
    found = [_finding(incident, one) for one in readers if one.unusual]
    found.sort(key=lambda one: (list(Verdict).index(one.verdict), one.began))
    return found[:MAX_FINDINGS]


def _finding(incident: Incident, one: BehindReader) -> OldRevision:
    reads = one.reads
    known, said = incident.snapshot.events_at([reads[0].known_row, reads[0].row])
    order = before(known, said, incident.clocks)
    ordered = order.verdict is not None and at_least(order.verdict, Verdict.LIKELY)
    sure = len(reads) >= SURE and ordered
    link = f"a line tells the {one.what}, not where it was read"
    if not sure:
        link = "so few may be messages that came late" if ordered else order.because
    names = listed([short(read.key) for read in reads])
    return OldRevision(
        verdict=Verdict.LIKELY if sure else Verdict.POSSIBLE,
        weakest_link=link,
        began=reads[0].known_at,
        ended=reads[-1].at,
        steps=(
            Step("newer", known, f"{one.what} {reads[0].known} of {short(reads[0].key)}"),
            Step("read", said, f"still {one.what} {reads[0].stated}", order),
        ),
        keys=tuple(sorted({read.key for read in reads})),
        would_decide=(f"Look what {one.reader} reads from, and how far that is behind.",),
        alternatives=(f"{one.reader} works through the changes in turn",),
        next_action=f"Do again what {one.reader} decided on {names}.",
        reader=one.reader,
        what=one.what,
        table=one.table,
        reads=reads,
        newest=one.newest,
    )
