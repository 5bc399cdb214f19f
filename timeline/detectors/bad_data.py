"""bad-data: rows that a team's own sanity query finds, while the incident is looked at.

Story: an order was paid and has no invoice. No exception told of it, no job failed; a periodic
check for what cannot be would have.

Predicate: a configured sanity query (`Knowledge.sanity`) found rows. What they mean is the team's
word, not ours. Where events inside the window carry the key of such a row, the row is a part of
this incident; the others are told as context.

Certain for what the query says at the instant it was asked: now, not then. Since when a row is bad
no query of the present can tell: the finding begins when it was asked and has no steps, so that
nothing is dated by it.

False positives: rows that were bad before this night (told as context), a query that finds what is
allowed. A query that did not answer is not evaluated.

Reference: sanity check, data integrity check, invariant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from timeline.facts.words import LIST_LIMIT, capital, instant, listed, short
from timeline.finding import Finding, NotEvaluated, Repair, Stage
from timeline.order import Verdict
from timeline.words import count_of, grouped

if TYPE_CHECKING:
    from timeline.incident import Incident
    from timeline.knowledge import SanityAnswer

MAX_KEYS = 20
"""Bad rows named by a finding that nothing else speaks of: old ones by the hundred would crowd out
what this night hurt when keys are looked up."""


@dataclass(frozen=True, kw_only=True)
class BadData(Finding):
    """Rows that the query `query` of `source` found, when it was asked at `asked_at` (ns UTC).

    `means` is the team's word for them. `rows` is how many there were; with `complete` false there
    were more. `here` are the keys of those that events inside the window carry, `sample` the first
    rows in words.
    """

    term: ClassVar[str] = "bad-data"
    stage: ClassVar[Stage] = Stage.CONTEXT
    remedy: ClassVar[str] = (
        "Repair the rows one by one with a record of each change, and make what was broken a "
        "constraint, so that the database refuses the next one."
    )

    query: str
    means: str
    source: str
    rows: int
    complete: bool
    asked_at: int
    here: tuple[str, ...]
    sample: tuple[str, ...]

    def sentence(self) -> str:
        return (
            f"{capital(self.means)}: {self._many} in {self.source} at {instant(self.asked_at)}, "
            f"now and not then{self._named}; {self._share}."
        )

    def clause(self) -> str:
        return f"{self.means}: {self._many} now"

    def repairs(self) -> Sequence[Repair]:
        return [Repair(key, "bad now", self.means) for key in self.keys]

    @property
    def _many(self) -> str:
        return f"{'' if self.complete else 'more than '}{count_of(self.rows, 'row')}"

    @property
    def _named(self) -> str:
        names = [short(key) for key in self.here or self.keys]
        if names and len(names) == self.rows and self.complete:
            return f" ({listed(names)})"
        if names:
            return f", among them {listed(names[:LIST_LIMIT])}"
        return f" (the first is {self.sample[0]})" if self.sample else ""

    @property
    def _share(self) -> str:
        if self.here:
            return f"events of this window speak of {grouped(len(self.here))} of them"
        if self.keys:
            return "no event that was read for this window speaks of them"
        return "they have no keys by which this window could be searched"


@dataclass(frozen=True, kw_only=True)
class BadDataHere(BadData):
    """The same, where events inside the window carry keys of the rows."""

    stage: ClassVar[Stage] = Stage.EFFECT


class BadDataDetector:
    """Tells what the sanity queries found; see the module."""

    term: ClassVar[str] = BadData.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        answers = incident.knowledge.sanity
        if not answers:
            return NotEvaluated(self.term, "a sanity query of your own in the configuration")
        found = [_finding(incident, one) for one in answers if one.rows and not one.problem]
        failed = [f"“{one.name}” did not answer: {one.problem}" for one in answers if one.problem]
        if not found and failed:
            return NotEvaluated(self.term, f"its queries to answer; {'; '.join(failed)}")
        found.sort(key=lambda one: (not one.here, -one.rows, one.query))
        if found and failed:
            more = (f"{sentence}." for sentence in failed)
            found[0] = replace(found[0], would_decide=(*found[0].would_decide, *more))
        return found


def _finding(incident: Incident, answer: SanityAnswer) -> BadData:
    here = _in_window(incident, answer.keys)
    named = here or tuple(sorted(answer.keys[:MAX_KEYS]))
    kind = BadDataHere if here else BadData
    asked = instant(answer.asked_at)
    return kind(
        verdict=Verdict.CERTAIN,
        weakest_link=f"the query “{answer.name}” found them at {asked}; it cannot say since when",
        began=answer.asked_at,
        ended=answer.asked_at,
        keys=named,
        would_decide=("Look when these rows were last written, and by what.",),
        alternatives=("they were like that before this night",),
        query=answer.name,
        means=answer.means,
        source=answer.source,
        rows=answer.rows,
        complete=answer.complete,
        asked_at=answer.asked_at,
        here=here,
        sample=answer.sample,
    )


def _in_window(incident: Incident, keys: Sequence[str]) -> tuple[str, ...]:
    """Those of `keys` that an event inside the window carries, sorted."""
    snapshot, window = incident.snapshot, incident.window
    rows = snapshot.rows_with(keys)
    stamps = snapshot.events.get_column("timestamp").gather(rows)
    inside = rows.filter(stamps.is_between(window.start, window.end, closed="left"))
    carried = snapshot.keys_of(inside).get_column("key")
    return tuple(sorted(set(keys) & set(carried.to_list())))
