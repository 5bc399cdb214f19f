"""The third part of stale-read: somebody went on with an old copy of a value, time and again.

Story: the price is changed, the cache beside the database is not emptied; every basket of the next
ten minutes is priced as before. Or one host of four missed the message that a rate had changed.

Predicate: lines of one reader give a thing, beside the column's name, the value that it had before
a recorded change, for half a minute and more; on no host does such a line follow one with the new
value. Likely where the new value could be had: another host gave it meanwhile, the reader gave it
afterwards, gave that of other things at once, or says that a cache answered. Possible where nobody
gave it, or where only the beginning of the change is on record.

False positives: a value that was agreed earlier and is told with the thing it was agreed for (old
and new come in turns: silent), lines within the first seconds, one or two lines (silent).

Reference: cache invalidation races (Nishtala et al., "Scaling Memcache at Facebook", NSDI 2013).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.event import Meaning
from timeline.facts.entities import entity_pairs
from timeline.facts.late_readers import (
    ALONE,
    CACHE,
    PROMPT,
    SPLIT,
    TURNED,
    LateReader,
    late_readers,
)
from timeline.facts.words import abridged, counted, instant, length, listed, short
from timeline.finding import Finding, Step
from timeline.order import Verdict, before

if TYPE_CHECKING:
    from timeline.incident import Incident

MAX_FINDINGS = 5
MAX_KEYS = 200
"""Things named by lines with the old value that are listed."""
SIGNS = {
    SPLIT: "others gave the new value meanwhile",
    TURNED: "afterwards it gave the new one",
    PROMPT: "other changes of that column it took up at once",
    CACHE: "its lines say that a cache answered",
    ALONE: "nobody gave the new one",
}
REMEDY = (
    "Remove or update the copy in the same transaction as the change (or by its log), give every "
    "copy a short life, and let readers carry the version they decided on."
)


@dataclass(frozen=True, kw_only=True)
class OldCopy(Finding):
    """One reader that held old copies of one column. `copies` by the time of the change."""

    term: ClassVar[str] = "stale-read"
    remedy: ClassVar[str] = REMEDY

    reader: str
    column: str
    table: str
    sign: str
    copies: tuple[LateReader, ...]

    def sentence(self) -> str:
        first = self.copies[0]
        told = (
            f"{self._who} went on with {self.column}={first.old} of {_thing(first.key)} until "
            f"{instant(first.last)}, {length(first.last - first.changed_at)} after it had become "
            f"{first.new} ({counted(len(first.rows), 'line')}); {SIGNS[self.sign]}"
        )
        more = [_thing(copy.key) for copy in self.copies[1:]]
        if more:
            told += f"; likewise with {listed(more, 3)}"
        return abridged(f"{told}.")

    def clause(self) -> str:
        return f"{self._who} went on with an old {self.column}"

    @property
    def _who(self) -> str:
        first = self.copies[0]
        if first.everywhere or not first.hosts:
            return self.reader or "a reader"
        return f"{self.reader or 'a reader'} on {listed(first.hosts, 2)}"


def old_copies(incident: Incident) -> list[OldCopy]:
    """Findings by reader and column, strongest first."""
    groups: dict[tuple[str, str, str, str], list[LateReader]] = {}
    for one in late_readers(incident):
        groups.setdefault((one.actor, one.table, one.column, one.sign), []).append(one)
    found = [_finding(incident, key, copies) for key, copies in groups.items()]
    found.sort(key=lambda one: (list(Verdict).index(one.verdict), one.began, one.reader))
    return found[:MAX_FINDINGS]


def _finding(
    incident: Incident, group: tuple[str, str, str, str], copies: Sequence[LateReader]
) -> OldCopy:
    reader, table, column, sign = group
    change, last = incident.snapshot.events_at([copies[0].changed_row, copies[0].rows[-1]])
    if copies[0].committed:
        change = replace(change, timestamp=copies[0].changed_at, meaning=Meaning.COMMITTED)
    order = before(change, last, incident.clocks)
    doubts = [
        (sign == ALONE, "nobody is seen to have read the new value"),
        (
            not all(copy.committed for copy in copies),
            "when the change was committed is not on record",
        ),
        (order.verdict in (None, Verdict.POSSIBLE), order.because),
    ]
    link = next(
        (words for holds, words in doubts if holds),
        "a line tells which value was used, not where it was read",
    )
    sure = not any(holds for holds, _ in doubts)
    rows = pl.Series([row for copy in copies for row in copy.rows], dtype=pl.UInt32)
    things = entity_pairs(incident.snapshot.keys_of(rows)).get_column("key").unique().sort()
    return OldCopy(
        verdict=Verdict.LIKELY if sure else Verdict.POSSIBLE,
        weakest_link=link,
        began=copies[0].changed_at,
        ended=max(copy.last for copy in copies),
        steps=tuple(step for copy in copies[:2] for step in _steps(incident, copy)),
        keys=tuple(sorted({copy.key for copy in copies} | set(things.head(MAX_KEYS)))),
        would_decide=(f"Look where {reader or 'the reader'} keeps its copy of {column}.",),
        alternatives=("the old value had been agreed for these things before",),
        next_action=(
            f"Make {reader or 'the reader'} load {listed([_thing(c.key) for c in copies])} anew, "
            f"then check what was decided with the old {column}."
        ),
        reader=reader,
        column=column,
        table=table,
        sign=sign,
        copies=tuple(copies),
    )


def _steps(incident: Incident, copy: LateReader) -> list[Step]:
    change, first, last = incident.snapshot.events_at(
        [copy.changed_row, copy.rows[0], copy.rows[-1]]
    )
    steps = [
        Step("change", change, f"{_thing(copy.key)} changes its {copy.column}"),
        Step("read", first, "it is given as it was", before(change, first, incident.clocks)),
        Step("read", last, "and still is", before(first, last, incident.clocks)),
    ]
    if copy.now_row is not None:
        (now,) = incident.snapshot.events_at([copy.now_row])
        steps.append(Step("new value", now, "it is given as it is"))
        steps.sort(key=lambda step: step.event.timestamp)
        steps = [Step(step.role, step.event, step.why) for step in steps]
    return steps


def _thing(key: str) -> str:
    """`tariff std-1` of `tariff:std-1`, `settings/vat` of a row's own key."""
    return short(key) if key.startswith("row:") else key.replace(":", " ", 1)
