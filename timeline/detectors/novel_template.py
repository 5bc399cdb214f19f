"""novel-template: a service wrote warnings or errors that it had never written before.

Story: ten thousand lines scroll by; one of them, `replication slot is invalid`, has never been
written since midnight, and it comes nine times within the minute before everything fails.

Predicate: a template (`timeline.templates`) of a warning, an error or a known failure, unseen in
all that was read of that service before, first seen within a minute of the onset or of T (or else
in the quarter of an hour before T), and written at least five times within a minute (an error:
within five) or by several instances. Healthy services have first
sightings too: if a baseline minute had such a one, the finding only colours others, and if several
had, it is silent. Likely with
an hour and ten thousand lines of baseline, otherwise possible: what is new to half an hour may be
old to the day.

False positives: a few odd lines (a qualifier when they are errors), services that just started
(their words below an error are dropped), services that had hardly spoken before (silent).

Reference: detector catalogue D30n and C2 (novelty precision .94, recall 1.00 on Loghub-2k).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.event import Lane
from timeline.facts.boots import boots_of
from timeline.facts.entities import entity_pairs
from timeline.facts.first_seen import (
    MIN_MINUTES,
    NewTemplate,
    Novelties,
    around,
    baseline_minutes,
    before_pin,
    novelties_in,
)
from timeline.facts.rates import about
from timeline.facts.sight import absence, heard
from timeline.facts.words import capital, counted, instant, length, often
from timeline.finding import Finding, NotEvaluated, Stage, Step
from timeline.onset import onset_of
from timeline.order import Verdict, before
from timeline.templates import ERROR

if TYPE_CHECKING:
    from timeline.incident import Incident

MAX_TEMPLATES = 5
SPOKEN = 60
"""Characters of a template that a sentence quotes."""
"""Templates that are shown; the rest is counted."""
SELDOM = 0.1
"""Share of the baseline's minutes with a new line from which one more is not worth a word."""
BOOT_NS = 120_000_000_000
"""A service that started no longer ago says things that it only says at a start."""
MAX_KEYS = 200


@dataclass(frozen=True, slots=True)
class Novelty:
    """One new template. `first` in ns UTC; `count` lines of it, `lines_before` of any kind.

    With `at_least` there were too many lines to group all.
    """

    service: str
    level: str
    template: str
    first: int
    count: int
    lines_before: int
    span_before: int
    at_least: bool

    def words(self) -> str:
        times = f"at least {often(self.count)}" if self.at_least else often(self.count)
        return (
            f"{self.service or 'somebody'} wrote {quoted(self.template)} {times}, "
            f"first at {instant(self.first)}, and never in its {counted(self.lines_before, 'line')}"
            f" of the {about(self.span_before)} before"
        )


def quoted(template: str) -> str:
    """As much of it as is read; all of it stands in the steps."""
    return f"“{template if len(template) <= SPOKEN else template[: SPOKEN - 1] + '…'}”"


@dataclass(frozen=True, kw_only=True)
class NovelTemplate(Finding):
    """New lines near the onset or T; `novelties` shows the first, `templates` how many there are.

    `minutes` of the baseline were compared; in `usual` of them something as new appeared.
    `left_out` grave lines were not grouped.
    """

    term: ClassVar[str] = "novel-template"
    stage: ClassVar[Stage] = Stage.CONTEXT
    remedy: ClassVar[str] = (
        "Read the new lines first: what a service has never said before tells more than what it "
        "says often."
    )

    novelties: tuple[Novelty, ...]
    templates: int
    minutes: int
    usual: int
    left_out: int

    def sentence(self) -> str:
        more = self.templates - 1
        rest = f"; {counted(more, 'further new line')} appeared with it" if more else ""
        return f"{capital(self.novelties[0].words())}{rest}."

    def clause(self) -> str:
        first = self.novelties[0]
        return f"new from {first.service or 'somebody'} at {instant(first.first)}: {self._short}"

    @property
    def _short(self) -> str:
        return quoted(self.novelties[0].template)


class NovelTemplateDetector:
    """Finds lines that were never written before; see the module."""

    term: ClassVar[str] = NovelTemplate.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        if not incident.snapshot.counts.is_empty():
            return NotEvaluated(self.term, "every line: most of this window was only counted")
        if not heard(incident, Lane.LOG):
            return NotEvaluated(self.term, "logs")
        onset = onset_of(incident, ())
        pin = incident.window.pin
        spans = around(pin) if onset is None else around(onset, pin)
        if baseline_minutes(incident, spans) < MIN_MINUTES:
            spans = around(pin)  # what was new at an early onset nobody can tell
        if baseline_minutes(incident, spans) < MIN_MINUTES:
            return NotEvaluated(self.term, "a longer stretch before T: widen the window")
        near = novelties_in(incident, spans)
        told = _out_of_the_ordinary(near, _without_boots(incident, near.new))
        if any(one.repeated for one in told):
            return [_finding(incident, near, told)]
        return _earlier(incident) or ([_finding(incident, near, told)] if told else [])


def _earlier(incident: Incident) -> list[NovelTemplate]:
    """What was new in the quarter of an hour before T and went on: nothing need have failed so
    often that the errors show an onset."""
    spans = before_pin(incident)
    if baseline_minutes(incident, spans) < MIN_MINUTES:
        return []
    novelties = novelties_in(incident, spans)
    lasting = [one for one in novelties.new if one.repeated]
    told = _out_of_the_ordinary(novelties, _without_boots(incident, lasting))
    return [_finding(incident, novelties, told)] if told else []


def _without_boots(incident: Incident, new: Sequence[NewTemplate]) -> list[NewTemplate]:
    """Those that are errors, or not of a service that had just started; single ones: errors."""
    if not new:
        return []
    kept = [one for one in new if one.level == ERROR or one.repeated]
    mild = {one.service for one in kept if one.level != ERROR}
    if not mild:
        return kept
    first, last = min(one.first for one in kept), max(one.first for one in kept)
    boots = boots_of(incident, mild, first - BOOT_NS, last + 1)

    def starting(one: NewTemplate) -> bool:
        return any(
            boot.service == one.service and 0 <= one.first - boot.timestamp <= BOOT_NS
            for boot in boots
        )

    return [one for one in kept if one.level == ERROR or not starting(one)]


def _out_of_the_ordinary(novelties: Novelties, new: Sequence[NewTemplate]) -> list[NewTemplate]:
    """Those that are not what any other minute brings: repeated ones where they are rare, single
    ones where nothing at all was new before."""
    seldom = novelties.usual <= SELDOM * novelties.minutes
    return [one for one in new if (seldom if one.repeated else novelties.usual_single == 0)]


def _finding(incident: Incident, novelties: Novelties, new: Sequence[NewTemplate]) -> NovelTemplate:
    repeated = [one for one in new if one.repeated]
    usual = novelties.usual if repeated else novelties.usual_single
    routine = not repeated or usual > 0
    ordered = sorted(new, key=lambda o: (not o.repeated, o.level != ERROR, o.first, o.service))
    shown = ordered[:MAX_TEMPLATES]
    verdict, link = _verdict(incident, shown[0])
    return NovelTemplate(
        verdict=verdict,
        weakest_link=link,
        began=min(one.first for one in shown),
        ended=max(one.last for one in shown),
        steps=_steps(incident, shown),
        keys=_keys(incident, shown),
        would_decide=("Open a wider window: whether the line is older shows there.",),
        alternatives=("the line is older than what was read",),
        qualifier=routine,
        novelties=tuple(
            Novelty(
                o.service,
                o.level,
                o.template,
                o.first,
                o.count,
                o.lines_before,
                o.span_before,
                o.cut is not None,
            )
            for o in shown
        ),
        templates=len(new),
        minutes=novelties.minutes,
        usual=usual,
        left_out=novelties.left_out,
    )


def _verdict(incident: Incident, one: NewTemplate) -> tuple[Verdict, str]:
    start = one.first - one.span_before
    unseen = absence(incident, one.sources, start, one.first)
    if unseen.reasons:
        return Verdict.POSSIBLE, f"it may have been written before: {unseen.reasons[0]}"
    if one.cut is not None and one.cut < one.first:
        return Verdict.POSSIBLE, "there were too many warnings and errors before it to group all"
    if not one.well_known:
        return (
            Verdict.POSSIBLE,
            f"only {length(one.span_before)} and {counted(one.lines_before, 'line')} of "
            f"{one.service or 'this service'} were read before it",
        )
    return Verdict.LIKELY, "new to all that was read, and no minute before had a line as new"


def _keys(incident: Incident, shown: Sequence[NewTemplate]) -> tuple[str, ...]:
    rows = pl.Series([row for one in shown for row in one.rows], dtype=pl.UInt32)
    held = entity_pairs(incident.snapshot.keys_of(rows)).get_column("key").unique().to_list()
    return tuple(sorted(set(held) - incident.snapshot.broad_keys)[:MAX_KEYS])


def _steps(incident: Incident, shown: Sequence[NewTemplate]) -> tuple[Step, ...]:
    ordered = sorted(shown, key=lambda one: (one.first, one.rows[0]))
    events = incident.snapshot.events_at([one.rows[0] for one in ordered])
    steps: list[Step] = []
    for one, event in zip(ordered, events, strict=True):
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        why = f"the first of {counted(one.count, 'line')} of this kind"
        steps.append(Step("first seen", event, why, order))
    return tuple(steps)
