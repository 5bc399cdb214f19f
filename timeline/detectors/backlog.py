"""backlog: more work came than was done; how deep it is, how long it takes, how fast to resume.

Story: workers were paused while bad rows were put right. The queue went on to fill. Whoever wants
to let the workers go again needs three figures first: how much waits, how long it takes to drain,
and how many workers the database stood before all this.

Predicate: the depth of a queue rose (`timeline.facts.rises`): to several times what it was in its
calmest quarter and to `MIN_DEPTH` jobs, over minutes, by a rank test (Mann-Kendall); or at once,
and what came after the push waited behind it (`timeline.facts.held_up`). Or, without a history: it
is paused and jobs wait now; or jobs that wait now had come before T.
Depths are samples of the system, or counted from transitions where their queue keeps all of them.

Numbers: arrivals and completions over the last 60 to 300 s with 95 % intervals, drain time as the
range that both intervals allow, retries coming due, and the workers that would reach the highest
start rate of the time before the rise, each at its usual pace.

False positives: jobs put off until later (they wait from when they are due), jobs tried again whose
first start was overwritten (not counted), a depth during which fresh jobs begin as promptly as ever
and one large push that drains from then on and holds up nothing (silent), a rise that was worked
off before T, or at any time where it was held back on purpose, a queue that became as deep more
than once (a qualifier).

Reference: Little (1961); camunda/zeebe-chaos#902 (throughput recovers long before the backlog);
openaustralia/morph#1099.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.detectors.backlog_finding import (
    ARRIVALS,
    BOTH,
    COMPLETIONS,
    DESERTED,
    PAUSED,
    UNKNOWN,
    Backlog,
    with_figures,
)
from timeline.event import Lane
from timeline.facts.backlogs import ALL_QUEUES, How, QueueHistory, histories
from timeline.facts.held_up import (
    LONG_WAIT_NS,
    begun_at_once,
    kept_others_waiting,
    still_waiting,
    tried_again,
    untimed,
)
from timeline.facts.pauses import Act, Mark, concerns, marks_in
from timeline.facts.rates import MINUTE_NS, SECOND_NS, Rate, drain_of, plain
from timeline.facts.resume_plan import ResumePlan, resume_plan
from timeline.facts.rises import MIN_DEPTH, Rise, jump_of, rise_of
from timeline.facts.sight import absence, heard, read_until
from timeline.facts.words import counted
from timeline.finding import Finding, NotEvaluated, Step
from timeline.order import Verdict, before

if TYPE_CHECKING:
    from timeline.incident import Incident

LONG_RATE_NS, SHORT_RATE_NS = 300 * SECOND_NS, 60 * SECOND_NS
"""Rates are counted over the longer stretch, or since the last pause or resume down to the other:
a minute is the least in which a few dozen jobs say anything."""
RATE_FOLD = 1.5
"""Of two rates whose intervals do not touch, one that moved by half is named as what changed."""
OLD_NS = 10 * MINUTE_NS
"""A present backlog whose oldest job waited this long before T was there at T."""
RECENT_NS = 5 * MINUTE_NS
"""Worked off later than so long before T, it was there when the alarm went off: alarms on queues
wait for some minutes before they ring."""
MAX_FINDINGS = 5


class BacklogDetector:
    """Finds queues that filled faster than they were worked off; see the module."""

    term: ClassVar[str] = Backlog.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        known = histories(incident)
        if not known and not heard(incident, Lane.QUEUE):
            return NotEvaluated(self.term, "a job queue, or a metric of its depth")
        marks = marks_in(incident, Act.PAUSE, Act.RESUME)
        names = [history.queue for history in known]
        found: list[Backlog] = []
        for history in known:
            own = [mark for mark in marks if concerns(mark, history.queue, names)]
            finding = _grown(incident, history, own) or _present_only(incident, history, own)
            if finding is not None and not _summed_up(finding, found):
                found.append(with_figures(finding))
        found.sort(key=lambda one: (one.qualifier, -(one.depth or one.depth_now or 0), one.queue))
        return found[:MAX_FINDINGS]


def _summed_up(finding: Backlog, found: Sequence[Backlog]) -> bool:
    """Whether it is the sum of queues of which one was told already."""
    return finding.queue == ALL_QUEUES and any(one.source == finding.source for one in found)


def _grown(incident: Incident, history: QueueHistory, marks: Sequence[Mark]) -> Backlog | None:
    rise = rise_of(history.depths) or _flooded(history)
    if rise is None or begun_at_once(history, rise):
        return None
    pause, resume = _held_back(marks, rise.began, rise.peaked)
    start, end = _rate_stretch(incident, history, rise.last_at, marks)
    arrivals, completions = history.arrivals(start, end), history.completions(start, end)
    drain = None
    if arrivals is not None and completions is not None and not rise.over:
        drain = drain_of(rise.last, arrivals, completions)
    verdict, weakest_link = _verdict(incident, history, rise)
    plan = resume_plan(incident, history, rise.began)
    changed = PAUSED if pause is not None else _changed(history, rise)
    due = [count for _, count in history.present.due_by_minute] if history.present else []
    put_off, put_off_until = tried_again(history, rise.last_at)
    return Backlog(
        verdict=verdict,
        weakest_link=weakest_link,
        began=rise.began,
        ended=rise.last_at,
        steps=_steps(incident, history, rise, (pause, resume)),
        keys=(),
        would_decide=_would_decide(history, arrivals),
        alternatives=_alternatives(changed),
        next_action="" if rise.over else _next(history.queue, plan, resume is None and pause),
        qualifier=_aside(incident, rise, pause),
        source=history.source,
        queue=history.queue,
        how=history.how,
        depth_from=rise.calm,
        peak=rise.peak,
        depth=rise.last,
        depth_at=rise.last_at,
        depth_now=history.present.depth if history.present else None,
        now_at=history.present.seen if history.present else None,
        oldest=history.present.oldest if history.present else None,
        worked_off=rise.over,
        changed=changed,
        arrivals=arrivals,
        completions=completions,
        drain=drain,
        due_soon=sum(due),
        due_most=max(due, default=0),
        put_off=put_off,
        put_off_until=put_off_until,
        paused_at=pause.timestamp if pause else None,
        resumed_at=resume.timestamp if resume else None,
        plan=plan,
    )


def _flooded(history: QueueHistory) -> Rise | None:
    """A push of many at once, where later work was held up behind it."""
    jump = jump_of(history.depths)
    return jump if jump is not None and kept_others_waiting(history, jump) else None


def _aside(incident: Incident, rise: Rise, pause: Mark | None) -> bool:
    """Whether it only colours other findings: a habit, or over before anybody was woken by it."""
    if rise.over_at is None:
        return rise.usual and pause is None
    asked_for = pause is not None
    return asked_for or rise.usual or rise.over_at < incident.window.pin - RECENT_NS


def _held_back(marks: Sequence[Mark], began: int, peaked: int) -> tuple[Mark | None, Mark | None]:
    """The last pause before the depth peaked that may explain the rise, and the resume after it."""
    pauses = [mark for mark in marks if mark.act is Act.PAUSE and mark.timestamp <= peaked]
    if not pauses:
        return None, None
    pause = pauses[-1]
    later = [m for m in marks if m.act is Act.RESUME and m.timestamp >= pause.timestamp]
    if later and later[0].timestamp <= began:
        return None, None  # work went on again before the depth rose
    return pause, later[0] if later else None


def _rate_stretch(
    incident: Incident, history: QueueHistory, until: int, marks: Sequence[Mark]
) -> tuple[int, int]:
    """The last minutes before `until` in which nobody paused or resumed anything."""
    end = min(until, read_until(incident))
    turned = max((mark.timestamp for mark in marks if mark.timestamp < end), default=0)
    start = min(max(end - LONG_RATE_NS, turned), end - SHORT_RATE_NS)
    return max(start, incident.window.start), end


def _changed(history: QueueHistory, rise: Rise) -> str:
    """Which of the two flows changed when the depth rose, against as long a stretch before."""
    width = rise.peaked - rise.began
    spans = ((rise.began - width, rise.began), (rise.began, rise.peaked))
    came, came_then = (history.arrivals(*span) for span in spans)
    done, done_then = (history.completions(*span) for span in spans)
    if came is None or came_then is None or done is None or done_then is None:
        return UNKNOWN
    more = _higher(came_then, came)
    fewer = _higher(done, done_then)
    if more and fewer:
        return BOTH
    return ARRIVALS if more else COMPLETIONS if fewer else UNKNOWN


def _higher(one: Rate, other: Rate) -> bool:
    return one.low > other.high and one.per_minute >= RATE_FOLD * other.per_minute


def _verdict(incident: Incident, history: QueueHistory, rise: Rise) -> tuple[Verdict, str]:
    """That it grew. A depth counted from transitions stands or falls with seeing all of them."""
    if history.how is How.SAMPLED:
        return Verdict.CERTAIN, "the system that holds the jobs counted them itself meanwhile"
    seen = absence(incident, (history.source,), history.kept_from, rise.peaked)
    if seen.verdict is Verdict.CERTAIN:
        words = "counted from the jobs' own stamps; nobody counted the queue then"
        if more := untimed(history, rise):
            words += (
                f", and later tries overwrote the first start of {counted(more, 'further job')}"
            )
        return Verdict.LIKELY, words
    return Verdict.POSSIBLE, f"starts may be missing: {seen.reasons[0]}"


def _steps(
    incident: Incident,
    history: QueueHistory,
    rise: Rise,
    marks: tuple[Mark | None, Mark | None],
) -> tuple[Step, ...]:
    """The pause, the first and deepest look, the resume, and the look at the present."""
    told: list[tuple[int, str, str]] = []
    names = ("held back", "let go")
    told += [(mark.row, name, mark.body) for mark, name in zip(marks, names, strict=True) if mark]
    if rise.rows:
        depths = (f"{rise.calm} usual", f"{rise.peak} at its deepest", f"{rise.last} left")
        told += [(row, "depth", depths[n]) for n, row in enumerate(rise.rows)]
    else:
        told += _waiting(history, rise)
    if history.present is not None:
        told.append((history.present.row, "depth now", "counted when it was looked at, not then"))
    return _in_order(incident, told)


def _waiting(history: QueueHistory, rise: Rise) -> list[tuple[int, str, str]]:
    """The first job that came after the rise began, and the last start before it."""
    moves = history.moves
    came = moves.filter(
        (pl.col("kind") == "job.enqueued") & (pl.col("timestamp") >= rise.began)
    ).head(1)
    begun = moves.filter(
        (pl.col("kind") == "job.started") & (pl.col("timestamp") < rise.began)
    ).tail(1)
    told = [(row, "last start before", "work was still taken up") for row in begun["row"]]
    return told + [(row, "first to pile up", "the depth rises from here") for row in came["row"]]


def _in_order(incident: Incident, told: Sequence[tuple[int, str, str]]) -> tuple[Step, ...]:
    events = incident.snapshot.events_at([row for row, _, _ in told])
    rows = sorted(zip(told, events, strict=True), key=lambda pair: pair[1].timestamp)
    steps: list[Step] = []
    for (_, role, why), event in rows:
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        steps.append(Step(role, event, why, order))
    return tuple(steps)


def _would_decide(history: QueueHistory, arrivals: Rate | None) -> tuple[str, ...]:
    wanted = []
    if arrivals is None:
        wanted.append(f"Count what enters and leaves {history.queue} for five minutes.")
    if history.present is None or history.present.oldest is None:
        wanted.append(f"Look at the age of the oldest job in {history.queue}.")
    return tuple(wanted)


def _alternatives(changed: str) -> tuple[str, ...]:
    if changed == PAUSED:
        return ("slow work below that would have filled the queue without the pause as well",)
    if changed == ARRIVALS:
        return ("a batch that is larger than usual and within what may wait",)
    if changed == DESERTED:
        return ("workers that take it under another name of the queue",)
    return ("fewer workers than before", "slower work below", "a job that holds up its queue")


def _start_workers(queue: str) -> str:
    return f"Start workers for {queue}, one first: nobody takes from it."


def _next(queue: str, plan: ResumePlan | None, paused: Mark | bool | None) -> str:
    verb = "Resume" if paused else "Work off"
    if plan is None:
        return f"{verb} {queue} with one worker first and watch what is below it for a minute."
    pace = f"{plan.highest} starts a minute were the most before"
    if plan.workers < 1:
        return (
            f"{verb} {queue} under a rate limit: {pace}, and one worker alone begins "
            f"{plain(plan.per_worker)}."
        )
    few = counted(plan.workers, "worker")
    each = f"{pace}, and one worker begins {plain(plan.per_worker)}"
    return f"{verb} {queue} with at most {few}, a few at a time: {each}."


def _present_only(
    incident: Incident, history: QueueHistory, marks: Sequence[Mark]
) -> Backlog | None:
    """What waits now, where no history tells how it came: paused, there since before T, or with
    nobody to take from it."""
    present = history.present
    if present is None or present.depth < MIN_DEPTH:
        return None
    deserted = present.takers == 0
    if history.how is not How.NOT_KNOWN and not deserted:
        return None
    pause, resume = _held_back(marks, present.seen, present.seen)
    paused = (
        (pause is not None and resume is None)
        or "paused" in present.words
        or _said_paused(incident, history.source)
    )
    waiting = still_waiting(history)
    pin = incident.window.pin
    oldest = present.oldest or (int(waiting[0]) if waiting.len() else None)
    then = min(int((waiting <= pin - LONG_WAIT_NS).sum()), present.depth)
    crowded = then >= MIN_DEPTH
    old = oldest is not None and oldest <= pin - OLD_NS
    if not paused and not old and not crowded and not deserted:
        return None
    link = "only the present depth is known; how it was at T, nobody kept"
    if crowded and not paused:
        link = f"the stamps of {counted(then, 'job')} that wait now; what else was there is unknown"
    changed = PAUSED if paused else DESERTED if deserted else UNKNOWN
    plan = resume_plan(incident, history, pause.timestamp if pause else incident.window.pin)
    due = [count for _, count in present.due_by_minute]
    began = oldest or (pause.timestamp if pause else present.seen)
    told = [(present.row, "depth now", "counted when it was looked at, not then")]
    told += [(pause.row, "held back", pause.body)] if pause else []
    return Backlog(
        verdict=Verdict.LIKELY if paused or crowded or deserted else Verdict.POSSIBLE,
        weakest_link=link,
        began=began,
        ended=present.seen,
        steps=_in_order(incident, told),
        would_decide=_would_decide(history, None),
        alternatives=_alternatives(changed),
        next_action=_start_workers(history.queue)
        if changed == DESERTED
        else _next(history.queue, plan, paused),
        source=history.source,
        queue=history.queue,
        how=How.NOT_KNOWN,
        depth_from=None,
        peak=None,
        depth=None,
        depth_at=present.seen,
        depth_now=present.depth,
        now_at=present.seen,
        oldest=oldest,
        waited_then=then,
        worked_off=False,
        changed=changed,
        arrivals=None,
        completions=None,
        drain=None,
        due_soon=sum(due),
        due_most=max(due, default=0),
        paused_at=pause.timestamp if pause else None,
        resumed_at=None,
        plan=plan,
    )


def _said_paused(incident: Incident, source: str) -> bool:
    """Whether the queue's connector saw, when it looked, that its workers are held back."""
    return any(
        remark.source == source and remark.topic == "quiet" and "paused" in remark.sentence
        for remark in incident.snapshot.remarks
    )
