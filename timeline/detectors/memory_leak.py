"""memory-leak: memory that only rises, stands at its limit, and falls when the process restarts.

Story: the line rises, goes flat where it cannot go higher, and the process begins anew. Each press
of the button got a little further; nobody saw that it always died after about the same work.

Predicate (`timeline.facts.memory_lives`): a ramp of at least 20 points that rises by 30 % by a rank
test and in each third of its length, and one of: a restart ended it (a fall to half that a record
of a new start explains), it stands at 90 % of its limit, or, in a process whose start lies before
what was read, it rises still. Shorter teeth (`timeline.facts.memory_teeth`) where a record ended
them. Memory per item where items were worked on meanwhile.

False positives: warm-up and filling caches (they bend over before the limit), a collector's saw
teeth and batches that give memory back (no restart), page cache (not read) are silent; a mere rise
is only possible, and a qualifier unless it meets a known limit within the hour.

Reference: software aging: rank trend test (Mann-Kendall) with Sen's slope.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.event import Lane
from timeline.facts.kills import kill_lines
from timeline.facts.memory import MemoryCurve, memory_curves
from timeline.facts.memory_lives import MIN_POINTS, MIN_RISE, Life, ended_by, lives_of
from timeline.facts.memory_teeth import teeth_of
from timeline.facts.rates import MINUTE_NS, about
from timeline.facts.sight import heard
from timeline.facts.words import counted, instant, length
from timeline.finding import Finding, NotEvaluated, Stage, Step
from timeline.order import Verdict, before

if TYPE_CHECKING:
    from timeline.incident import Incident

AT_LIMIT = 0.9
"""Share of the limit from which on a process is at it: the rest is lost to fragmentation."""
ALIKE = 2.0
"""Two ramps whose slopes differ by no more than this are one saw tooth (catalogue, D20)."""
MOST = 0.8
"""A rise that nothing ended must fill this share of what was read: shorter ones come and go."""
SOON_NS = 60 * MINUTE_NS
"""A limit that is met within the hour concerns tonight; a later one only colours other findings."""
MIN_ITEMS = 20
"""Requests or jobs on which a memory per item is based."""
KILL_SLACK_NS = MINUTE_NS
MAX_CURVES = 30
"""Curves that rise enough to be looked at, the highest rise first."""
MAX_FINDINGS = 3


@dataclass(frozen=True, kw_only=True)
class MemoryLeak(Finding):
    """The memory of one process. Times are ns UTC, memory bytes, slope bytes a minute.

    `cycles` are the ramps that a restart ended. `limit` is None where nobody tells one;
    `limit_at` is when a ramp that goes on reaches it. `items` were worked on during the last ramp,
    each at `per_item` bytes; `items_per_life` is how many it lives for. `killed` says the system
    ended it for its memory.
    """

    term: ClassVar[str] = "memory-leak"
    stage: ClassVar[Stage] = Stage.TRIGGER
    remedy: ClassVar[str] = (
        "Recycle workers after a number of jobs, bound the size of one batch, and take a heap "
        "profile of the work that grows."
    )

    who: str
    measured_by: str
    low: float
    high: float
    limit: float | None
    slope: float
    plateau: int
    cycles: int
    restarts: tuple[int, ...]
    killed: bool
    limit_at: int | None
    items: int
    per_item: float | None
    items_per_life: int | None

    def sentence(self) -> str:
        told = (
            f"The memory of {self.who} grew from {size(self.low)} to {size(self.high)} from "
            f"{instant(self.began)} on" + self._pace
        )
        if self.plateau:
            limit = "" if self.limit is None else f" (its limit is {size(self.limit)})"
            told += f", and stood there for {length(self.plateau)}{limit}"
        if self.restarts:
            why = ", killed for its memory" if self.killed else ""
            told += f"; it began anew at {instant(self.restarts[-1])}{why}"
            told += f", {self.cycles} times in all" if self.cycles > 1 else ""
        elif self.limit_at is not None:
            told += f"; at this pace it meets its limit at {instant(self.limit_at)[:8]}"
        if self.per_item is not None:
            told += f"; about {size(self.per_item)} per item"
            if self.items_per_life:
                told += f", full after {self.items_per_life}"
        return f"{told}."

    @property
    def _pace(self) -> str:
        """How fast; where it is known per item, that says more."""
        return "" if self.per_item is not None else f", {size(self.slope)} a minute"

    def clause(self) -> str:
        if self.restarts:
            return f"{self.who} ran full and restarted {counted(self.cycles, 'time')}"
        return f"the memory of {self.who} grew to {size(self.high)}"


class MemoryLeakDetector:
    """Finds processes whose memory only rises; see the module."""

    term: ClassVar[str] = MemoryLeak.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        curves = memory_curves(incident)
        if not curves and not heard(incident, Lane.METRIC):
            return NotEvaluated(
                self.term, "a curve of process memory, or a log that tells its memory"
            )
        rising = sorted(filter(_may_rise, curves), key=_rise, reverse=True)[:MAX_CURVES]
        found: dict[str, MemoryLeak] = {}
        for curve in rising:
            finding = _judge(incident, curve)
            if finding is not None and _better(finding, found.get(curve.who)):
                found[curve.who] = finding
        ranked = sorted(found.values(), key=lambda one: (-one.cycles, -one.high, one.who))
        return ranked[:MAX_FINDINGS]


def _rise(curve: MemoryCurve) -> float:
    values: list[float] = curve.points.get_column("value").to_list()
    return max(values) / max(min(values), 1.0)


def _may_rise(curve: MemoryCurve) -> bool:
    return curve.points.height >= MIN_POINTS and _rise(curve) >= 1 + MIN_RISE


def _better(finding: MemoryLeak, other: MemoryLeak | None) -> bool:
    """Several curves tell of one process: the one that saw more of it speaks."""
    return other is None or (finding.cycles, finding.high) > (other.cycles, other.high)


def _judge(incident: Incident, curve: MemoryCurve) -> MemoryLeak | None:
    lives = lives_of(incident, curve)
    if not any(life.restarted is not None for life in lives):
        lives = teeth_of(incident, curve) or lives
    if not lives:
        return None
    ended = [life for life in lives if life.restarted is not None]
    life = ended[-1] if ended else lives[-1]
    at_limit = curve.limit is not None and life.high >= AT_LIMIT * curve.limit
    limit_at = None if ended else _limit_at(life, curve.limit)
    if not ended and not at_limit and not _goes_on(life):
        return None  # warm-up, a cache that is full, or a walk that went up for a while
    items = _items(incident, curve, life)
    per_item = (life.high - life.low) / items if items >= MIN_ITEMS else None
    killed = any(_killed(incident, curve, one) for one in ended)
    verdict, weakest_link = _verdict(ended, at_limit, killed)
    began = ended[0].ramp_from if ended else life.ramp_from
    return MemoryLeak(
        verdict=verdict,
        weakest_link=weakest_link,
        began=began,
        ended=lives[-1].ended,
        steps=_steps(incident, life),
        would_decide=(
            "Take a heap profile at the top and compare it with one of a fresh process.",
        ),
        alternatives=("a cache that is allowed to grow this far", "one batch larger than usual"),
        next_action=_next(curve.who, life, per_item, curve.limit, bool(ended)),
        qualifier=not (ended or at_limit or _soon(life, limit_at)),
        who=curve.who,
        measured_by=curve.told_by,
        low=life.low,
        high=life.high,
        limit=curve.limit,
        slope=life.slope,
        plateau=life.plateau,
        cycles=len(ended),
        restarts=tuple(one.restarted_at for one in ended if one.restarted_at is not None),
        killed=killed,
        limit_at=limit_at,
        items=items,
        per_item=per_item,
        items_per_life=_items_per_life(life, per_item, curve.limit, items),
    )


def _goes_on(life: Life) -> bool:
    """Whether it rose through most of an old process' life that was read, up to the end."""
    whole, ramp = life.ended - life.began, life.ramp_to - life.ramp_from
    return not life.young and not life.plateau and ramp >= MOST * whole


def _soon(life: Life, limit_at: int | None) -> bool:
    return limit_at is not None and limit_at - life.ended <= SOON_NS


def _verdict(ended: list[Life], at_limit: bool, killed: bool) -> tuple[Verdict, str]:
    """A trend is a statistic: likely at best."""
    slopes = [life.slope for life in ended]
    if len(ended) > 1 and max(slopes) <= ALIKE * min(slopes):
        return Verdict.LIKELY, f"{len(ended)} ramps of like slope, each ended by a restart"
    if killed:
        return Verdict.LIKELY, "one ramp, and the system says that it was killed for its memory"
    if ended and ended[-1].coarse:
        return Verdict.POSSIBLE, "one short ramp that a new start ended, which was perhaps planned"
    if ended or at_limit:
        return Verdict.LIKELY, "one ramp; a second like it would tell a habit from a single event"
    return Verdict.POSSIBLE, "it rises, but no limit was met and nothing restarted"


def _items(incident: Incident, curve: MemoryCurve, life: Life) -> int:
    """Requests and jobs that the process finished while its memory rose."""
    names = [name for name in {curve.who, curve.host, curve.actor} if name]
    frame = incident.executions.frame
    during = frame.filter(pl.col("end").is_between(life.ramp_from, life.ramp_to))
    actor = pl.col("actor").cast(pl.String)
    return during.filter(actor.is_in(names) | actor.str.contains(curve.host, literal=True)).height


def _items_per_life(
    life: Life, per_item: float | None, limit: float | None, items: int
) -> int | None:
    if per_item is None:
        return None
    if life.restarted is not None:
        return items
    return None if limit is None else int((limit - life.low) / per_item)


def _killed(incident: Incident, curve: MemoryCurve, life: Life) -> bool:
    at = life.restarted_at or life.ended
    kills = kill_lines(incident, [(life.ended - KILL_SLACK_NS, at + KILL_SLACK_NS)])
    return any(ended_by(kill, curve) for kill in kills)


def _limit_at(life: Life, limit: float | None) -> int | None:
    if limit is None or life.slope <= 0 or life.high >= limit or life.plateau:
        return None
    return life.ended + int((limit - life.high) / life.slope * MINUTE_NS)


def _next(
    who: str, life: Life, per_item: float | None, limit: float | None, restarted: bool
) -> str:
    if not restarted and (at := _limit_at(life, limit)) is not None:
        return (
            f"Restart {who} in a calm moment within {about(at - life.ended)}, before it is ended."
        )
    if per_item is not None:
        return f"Give {who} fewer items per run until it is mended: about {size(per_item)} each."
    return f"Restart {who} on a schedule until it is mended, and take a heap profile before."


def _steps(incident: Incident, life: Life) -> tuple[Step, ...]:
    """The foot of the ramp, its top, the end of the plateau, and the restart."""
    told = [
        (life.rows[0], "foot of the ramp", f"{size(life.low)} held"),
        (
            life.rows[1],
            "top",
            f"{size(life.high)} held, {size(life.slope)} a minute more until here",
        ),
    ]
    if life.plateau:
        told.append((life.rows[2], "still at the top", f"flat for {length(life.plateau)}"))
    if life.restarted is not None:
        told.append((life.restarted, "began anew", "the memory fell to half or less"))
    events = incident.snapshot.events_at([row for row, _, _ in told])
    steps: list[Step] = []
    for (_, role, why), event in zip(told, events, strict=True):
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        steps.append(Step(role, event, why, order))
    return tuple(steps)


def size(amount: float) -> str:
    """`812 MB`, `1.2 GB`, `96 kB`: powers of 1024, at the precision a person reads."""
    for unit, name in ((2**30, "GB"), (2**20, "MB"), (2**10, "kB")):
        if amount >= unit:
            figure = amount / unit
            return f"{figure:.1f} {name}" if figure < 10 else f"{figure:.0f} {name}"
    return f"{amount:.0f} B"
