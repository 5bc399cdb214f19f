"""resume-herd: work was let go all at once, and what is below it failed under the load.

Story: the rows are repaired, somebody resumes the workers, and an hour's backlog starts within a
minute. The database goes down a second time.

Predicate: within `HERD_NS` of a resume, a scale-up, a deploy, a recovery, or of any recorded change
beside which the work of one queue or service began anew after minutes without a start, at least
`FOLD` times as many jobs start as in the busiest minute of the time before it was held back, and
then more errors of what is below follow than in the stretch before. Starts are what the queue
tells, what workers log, or what the queue counted. That the load caused them is likely at best:
ids do not tie them together; possible where starts of the time before may be missing.

False positives: a catch-up within capacity (no errors follow), errors that were there before the
resume at the same rate (silent), a resume into an empty queue (silent).

Reference: sourcelibrary-v2#147 (a resume started 68 workers and the database was saturated);
metastable failures, HotOS 2021.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import polars as pl

from timeline.event import Lane
from timeline.facts.errors import JOB_FAILURES, NETWORK_CLASSES
from timeline.facts.held_starts import Stillness, record_of, stillnesses
from timeline.facts.pauses import Act, Mark, marks_in
from timeline.facts.rates import MINUTE_NS, plain
from timeline.facts.sight import Absence, absence, heard
from timeline.facts.starts import StartCounts, start_counts
from timeline.facts.words import counted, instant, listed
from timeline.finding import Finding, NotEvaluated, Step
from timeline.order import Order, Verdict, before, weakest

if TYPE_CHECKING:
    from timeline.incident import Incident

HERD_NS = MINUTE_NS
"""A backlog that is let go starts within the first minute (detector catalogue, D21)."""
AFTER_NS = 3 * MINUTE_NS
"""What is overloaded fails while the herd runs, or when its time-outs of up to a minute end."""
BASELINE_NS = 30 * MINUTE_NS
FOLD = 3
MIN_STARTS = 20
MIN_ERRORS = 5
ERROR_FOLD = 3
"""Errors after the resume against as long a stretch before it, and before the pause."""
LOAD_CLASSES = (*NETWORK_CLASSES, "pool", "server_state")
"""What an overloaded database, broker or service answers, or its clients see."""
MAX_FINDINGS = 3


@dataclass(frozen=True, kw_only=True)
class ResumeHerd(Finding):
    """One release of held work and the errors after it. Times are ns UTC.

    `starts` began within a minute of `released`; `busiest` a minute is the most before it was held
    back (at `held_back` where known). `errors` followed within `AFTER_NS`, `errors_before` stood in
    as long a stretch before. `failing` names who complained, `peers` about what.
    """

    term: ClassVar[str] = "resume-herd"
    remedy: ClassVar[str] = (
        "Resume in steps: a few workers at a time, with a cap on starts, and wait for what is "
        "below to stay calm before the next step."
    )

    how: str
    released: int
    held_back: int | None
    starts: int
    busiest: int
    queues: tuple[str, ...]
    errors: int
    errors_before: int
    failing: tuple[str, ...]
    peers: tuple[str, ...]

    @property
    def times(self) -> float:
        """How many times the busiest minute of before."""
        return self.starts / max(self.busiest, 1)

    def sentence(self) -> str:
        held = "" if self.held_back is None else f" after the pause at {instant(self.held_back)}"
        below = f" of {listed(self.peers)}" if self.peers else ""
        return (
            f"Work was {self.how} at {instant(self.released)}{held}: "
            f"{counted(self.starts, 'run')} began within a minute, {plain(self.times)} times the "
            f"busiest minute before ({self.busiest}), and {counted(self.errors, 'error')}{below} "
            f"followed from {instant(self.began)} on, where {self.errors_before or 'none'} stood "
            "in as long a stretch before."
        )

    def clause(self) -> str:
        return f"{counted(self.starts, 'run')} were let go at once and errors followed"


class ResumeHerdDetector:
    """Finds releases of held work that overran what is below; see the module."""

    term: ClassVar[str] = ResumeHerd.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        told = tuple(start_counts(incident))
        if not told and not heard(incident, Lane.QUEUE):
            return NotEvaluated(self.term, "a job queue or workers' logs that tell when jobs start")
        marks = marks_in(incident)
        found: list[ResumeHerd] = []
        for mark in marks:
            if mark.act is Act.PAUSE or any(_near(one, mark.timestamp) for one in found):
                continue
            release = _Release(mark, _paused_before(mark, marks))
            found += _strongest(_judge(incident, release, starts) for starts in told)
        for starts in told:
            for still in stillnesses(starts):
                shown = _shown_by(incident, still)
                if shown and not any(_near(one, still.released) for one in found):
                    found += _strongest([_judge(incident, shown, starts)])
        return sorted(found, key=lambda one: (-one.starts, one.released))[:MAX_FINDINGS]


class _Release(NamedTuple):
    """Work that was let go, and since when it had been held back (ns), where that is known."""

    mark: Mark
    paused: int | None


def _paused_before(mark: Mark, marks: Sequence[Mark]) -> int | None:
    paused = (m.timestamp for m in marks if m.act is Act.PAUSE and m.timestamp < mark.timestamp)
    return max(paused, default=None)


def _shown_by(incident: Incident, still: Stillness) -> _Release | None:
    """The release that the starts themselves show beside a record, whatever its words."""
    beside = record_of(incident, still)
    if beside is None:
        return None
    released = min(beside.timestamp, still.released)
    return _Release(Mark(Act.RESUME, released, beside.row, beside.body), still.held)


def _strongest(judged: Iterable[ResumeHerd | None]) -> list[ResumeHerd]:
    seen = [finding for finding in judged if finding is not None]
    return sorted(seen, key=lambda one: list(Verdict).index(one.verdict))[:1]


def _near(finding: ResumeHerd, released: int) -> bool:
    """One release is often told by several records."""
    return abs(released - finding.released) < AFTER_NS


def _judge(incident: Incident, release: _Release, starts: StartCounts) -> ResumeHerd | None:
    mark, pause = release.mark, release.paused
    released = mark.timestamp
    herd = starts.between(released, released + HERD_NS)
    begun = int(herd.get_column("count").sum())
    calm_end = released if pause is None else pause
    calm_start = max(incident.window.start, calm_end - BASELINE_NS)
    if calm_end - calm_start < HERD_NS or begun < MIN_STARTS:
        return None
    busiest = starts.most_in(MINUTE_NS, calm_start, calm_end)
    if begun < FOLD * busiest:
        return None
    errors = _load_errors(incident)
    after = _between(errors, released, released + AFTER_NS)
    earlier = [
        _between(errors, start, start + AFTER_NS).height
        for start in (released - AFTER_NS, calm_end - AFTER_NS)
    ]
    if after.height < MIN_ERRORS or after.height < ERROR_FOLD * max(earlier):
        return None
    first = incident.snapshot.event(after["row"][0])
    order = before(incident.snapshot.event(mark.row), first, incident.clocks)
    if order.verdict is None:
        return None
    calm = absence(incident, starts.sources, calm_start, calm_end)
    return ResumeHerd(
        verdict=weakest((Verdict.LIKELY, order.verdict, calm.verdict)),
        weakest_link=_weakest_link(order, calm),
        began=after["timestamp"][0],
        ended=after["timestamp"][-1],
        steps=_steps(incident, mark, herd, after, order),
        keys=(),
        would_decide=("Compare what was below before and after: its sessions, its load, its log.",),
        alternatives=_alternatives(mark, incident, released),
        next_action=(
            f"Pause again, let the errors end, then resume with few workers: at most {busiest} "
            "starts a minute stood before."
            if busiest
            else "Pause again, let the errors end, then resume with one worker."
        ),
        how=mark.act.value,
        released=released,
        held_back=pause,
        starts=begun,
        busiest=busiest,
        queues=tuple(sorted({name for name in herd["queue"].to_list() if name})),
        errors=after.height,
        errors_before=earlier[0],
        failing=tuple(sorted({name for name in after["actor"].to_list() if name})),
        peers=tuple(sorted({name for name in after["system"].to_list() if name})),
    )


def _load_errors(incident: Incident) -> pl.DataFrame:
    """Known errors of what is below, and failed attempts; one line each, time order."""
    errors = incident.errors.filter(
        pl.col("error_class").is_in(LOAD_CLASSES) | pl.col("kind").is_in(JOB_FAILURES)
    )
    return errors.sort("timestamp", "row")


def _between(errors: pl.DataFrame, start: int, end: int) -> pl.DataFrame:
    return errors.filter(pl.col("timestamp").is_between(start, end, "left"))


def _weakest_link(order: Order, calm: Absence) -> str:
    if order.verdict is Verdict.POSSIBLE:
        return f"whether the errors came after it is open: {order.because}"
    if calm.reasons:
        return f"more may have begun in the busiest minute before: {calm.reasons[0]}"
    return "the load and the errors stand in this order; no id ties them together"


def _alternatives(mark: Mark, incident: Incident, released: int) -> tuple[str, ...]:
    found = ["what is below was not yet healthy when the work was let go"]
    if mark.act is Act.DEPLOY:
        found.append("what was deployed is itself at fault")
    return tuple(found)


def _steps(
    incident: Incident, mark: Mark, herd: pl.DataFrame, after: pl.DataFrame, order: Order
) -> tuple[Step, ...]:
    """The release, the first and last start of the herd, the first and last error."""
    begun = int(herd.get_column("count").sum())
    told = [
        (mark.row, "let go", mark.body),
        (herd["row"][0], "first start", "the first job to begin after it"),
        (after["row"][0], "first error", "what is below, or its client, complains"),
        (herd["row"][-1], "last of the herd", f"{begun} began within a minute"),
        (after["row"][-1], "last error", f"{after.height} in all"),
    ]
    once = {row: (role, why) for row, role, why in reversed(told)}
    events = incident.snapshot.events_at(list(once))
    steps: list[Step] = []
    for event, (row, (role, why)) in sorted(
        zip(events, once.items(), strict=True), key=lambda pair: (pair[0].timestamp, pair[1][0])
    ):
        link: Order | None = None
        if steps:
            after_mark = steps[-1].role == "let go" and row == after["row"][0]
            link = order if after_mark else before(steps[-1].event, event, incident.clocks)
        steps.append(Step(role, event, why, link))
    return tuple(steps)
