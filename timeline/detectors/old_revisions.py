"""The fourth part of stale-read: somebody decided on a state that was already overwritten.

Story: what is read is a projection of what was written. The projector falls behind; for ten minutes
couriers are sent to addresses that had been changed.

Predicate: a reader's line states a lower number of a thing's revision than another service stated
before, or a column's value from before a recorded change, for at least two things (three, where
all of it happened within a second), while the same reader stated the newest at other times. A row
into which a value was copied counts as such a line; there a measured lag bears it out. Or the lines
of one speaker, as of a proxy that logs entity tags, go back for three things and come again.
Or a copy stands still: it took up changes until an instant, and of none after it.
Likely at most, because a line tells a state and not where it was read; possible where the clocks
leave the order open.

False positives: who works through all changes in turn is behind all night (silent); two lines in
one second (silent); a counter that begins anew and goes on from there (silent).

Reference: monotonic reads (Terry et al., "Session Guarantees", 1994).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.event import Meaning
from timeline.facts.behind_reads import (
    BY_PATH,
    PARTED_NS,
    BehindRead,
    BehindReader,
    behind_readers,
    behind_values,
)
from timeline.facts.copied_values import behind_copies
from timeline.facts.frozen_reads import frozen_readers
from timeline.facts.records import LONGEST_TRANSACTION_NS
from timeline.facts.words import abridged, capital, counted, instant, length, listed, short
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
        first = max(self.reads, key=lambda read: read.gap)
        names = listed([short(read.key) for read in self.reads], 2)
        things = counted(len(self.reads), "thing")
        return abridged(
            f"{capital(self.reader)} worked on an old {self.what} of {things}: {names} "
            f"({short(first.key)} at {instant(first.at)} on {first.stated}, "
            f"{length(first.at - first.known_at)} after {first.known} was there); at other times it"
            f" had the newest ({counted(self.newest, 'reading')})."
        )

    def clause(self) -> str:
        return f"{self.reader} read an old {self.what} of {counted(len(self.reads), 'thing')}"


def old_revisions(incident: Incident) -> list[OldRevision]:
    """Findings by reader, strongest first."""
    readers = [*behind_readers(incident), *behind_values(incident), *behind_copies(incident)]
    unusual = [one for one in readers if one.unusual]
    told = {(one.reader, one.what) for one in unusual}
    frozen = frozen_readers(incident)
    unusual += [one for one in frozen if (one.reader, one.what) not in told]
    found = [_finding(incident, one) for one in unusual]
    found.sort(key=lambda one: (list(Verdict).index(one.verdict), one.began))
    return found[:MAX_FINDINGS]


def _finding(incident: Incident, one: BehindReader) -> OldRevision:
    reads = one.reads
    clearest = max(reads, key=lambda read: read.gap)
    known, said = incident.snapshot.events_at([clearest.known_row, clearest.row])
    order = before(known, said, incident.clocks)
    ordered = _in_order(incident, reads) >= SURE
    parted = one.alone or clearest.gap >= PARTED_NS
    sure = len(reads) >= SURE and ordered and parted
    teller = "row" if one.copied else "line"
    link = f"a {teller} tells the {one.what}, not where it was read"
    if not sure and one.copied and _borne_out(incident, reads) >= SURE:
        sure, link = True, "that a copy which was behind answered is inferred from its lag"
    elif not sure:
        few = order.verdict is not None and at_least(order.verdict, Verdict.LIKELY)
        link = "so few may be messages that came late" if few else order.because
        if one.copied and known.meaning is Meaning.TRANSACTION_START:
            link = "when the change was committed is not on record"
    if ordered and not parted and not sure:
        link = "the newer one was told within the same second, perhaps before its commit"
    names = listed([short(read.key) for read in reads])
    return OldRevision(
        verdict=Verdict.LIKELY if sure else Verdict.POSSIBLE,
        weakest_link=link,
        began=reads[0].known_at,
        ended=reads[-1].at,
        steps=(
            Step("newer", known, f"{one.what} {clearest.known} of {short(clearest.key)}"),
            Step("read", said, f"still {one.what} {clearest.stated}", order),
        ),
        keys=_keys(incident, reads),
        would_decide=(f"Look what {one.reader} reads from, and how far that is behind.",),
        alternatives=(f"{one.reader} works through the changes in turn",),
        next_action=f"Do again what {one.reader} decided on {names}.",
        reader=one.reader,
        what=one.what,
        table=one.table,
        reads=reads,
        newest=one.newest,
    )


def _in_order(incident: Incident, reads: tuple[BehindRead, ...]) -> int:
    """How many readings came at least likely after the newer state had been told: by the clocks, or
    because a transaction is hardly open for that long."""
    events = incident.snapshot.events_at(
        [row for read in reads for row in (read.known_row, read.row)]
    )
    pairs = zip(reads, events[::2], events[1::2], strict=True)
    orders = [
        Verdict.LIKELY
        if read.gap > LONGEST_TRANSACTION_NS
        else before(known, said, incident.clocks).verdict
        for read, known, said in pairs
    ]
    return sum(verdict is not None and at_least(verdict, Verdict.LIKELY) for verdict in orders)


def _borne_out(incident: Incident, reads: tuple[BehindRead, ...]) -> int:
    """How many readings were younger than the replica was then measured to be behind."""
    samples = [(read, incident.replicas.lag_at(read.at)) for read in reads]
    return sum(sample is not None and sample.lag >= read.gap for read, sample in samples)


def _keys(incident: Incident, reads: tuple[BehindRead, ...]) -> tuple[str, ...]:
    """The things; where a line names only a path, the keys of the line that was behind."""
    found = {read.key for read in reads if not read.key.startswith(BY_PATH)}
    rows = [read.row for read in reads if read.key.startswith(BY_PATH)]
    if rows:
        held = incident.snapshot.keys_of(pl.Series(rows, dtype=pl.UInt32))
        found |= set(held.get_column("key"))
    return tuple(sorted(found))
