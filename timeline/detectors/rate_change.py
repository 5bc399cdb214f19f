"""rate-change: somebody wrote far more lines, or far fewer, than in all other minutes read.

Story: at 02:24 the checkout writes forty times as many warnings as in any minute before. Nobody
knows yet why, but whoever reads on should begin there.

Predicate: the highest count of thirty seconds in the minute around T, or around the onset of the
errors, against the same figure of every other whole minute that was read (placebos, at least 19);
and that of each minute of the quarter of an hour before T against all minutes outside its own
stretch (`timeline.facts.stretches`): nobody need have erred, and the alert comes late. It fires
when it is at least five lines, twice the placebos' median, and leads the highest placebo by a
factor that grows with the number of series compared (`timeline.facts.placebo`); a drop likewise,
downwards. Series are the lines of one actor and level, and each template of warnings and errors.
Statistics: never more than likely, and never a cause. Somebody whose lines nearly cease, for
minutes and still at T, is an effect of its own, and no mere context.

False positives: bursty streams (the factor), stretches that were not read (no comparison), services
that just started or fall silent (other findings), a schedule that runs less often than the window
is long (possible, where it began on a quarter of an hour, or where one batch wrote it all),
requests that stay away for half a minute by chance (possible, unless it lasts or is deeper than
chance allows).

Reference: detector catalogue D30 and C5; a placebo test after Fisher's exact randomisation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.event import Lane
from timeline.facts.entities import entity_pairs
from timeline.facts.line_rates import (
    Counted,
    Moved,
    blocks_of,
    counted_lines,
    enough,
    lasting,
    moved_series,
    written_since,
)
from timeline.facts.placebo import BIN_NS, MIN_CONTROLS, WIDTH, Outlier
from timeline.facts.rates import about, plain
from timeline.facts.sight import heard, read_until
from timeline.facts.stretches import MIN_LASTING
from timeline.facts.words import capital, counted, instant, short
from timeline.finding import Finding, NotEvaluated, Stage, Step
from timeline.onset import onset_of
from timeline.order import Verdict, before
from timeline.templates import ERROR, OTHER_LEVEL, WARNING

if TYPE_CHECKING:
    from timeline.incident import Incident

MAX_ROWS = 5
"""Series that are shown; the rest is counted."""
QUARTER_NS = 15 * 60 * 1_000_000_000
"""Schedules begin on quarters of an hour,"""
ON_TIME_NS = 5_000_000_000
"""and their lines stand within seconds of it."""
WIDTH_S = WIDTH * BIN_NS // 1_000_000_000
MAX_KEYS = 200
FEW_RUNS = 3
"""Pieces of work that are under way at once,"""
NEW_NS = 120_000_000_000
"""and that nobody spoke of before: a tenant or a region that is always there is no such piece."""
ONE_WORK = 0.9
"""Share of the lines beyond the usual that one key must be in for them to be one piece of work: a
batch that says what it does, item by item, is no change of anybody's habit."""
_LEVELS = (ERROR, WARNING, OTHER_LEVEL)


@dataclass(frozen=True, slots=True)
class RateRow:
    """One series. Counts are lines in thirty seconds, `at` begins them (ns UTC).

    `usual` and `extreme` are the median and the highest (of a drop the lowest) of `placebos` other
    minutes. `template` is what the lines say mostly.
    """

    actor: str
    source: str
    level: str
    template: str
    drop: bool
    at: int
    count: int
    usual: float
    extreme: int
    placebos: int

    def words(self) -> str:
        """`web: 150 lines at level error in 30 s from 02:24:00.000, at most 12 elsewhere`."""
        bound = "never below" if self.drop else "at most"
        level = "" if self.level == OTHER_LEVEL else f" at level {self.level}"
        said = f" (“{self.template}”)" if self.template else ""
        lines = counted(self.count, "line") if self.count else "no line"
        return (
            f"{self.actor or self.source} wrote {lines}{level}{said} in "
            f"{WIDTH_S} s from {instant(self.at)}, and {bound} "
            f"{self.extreme} in any of {self.placebos} other minutes"
        )


@dataclass(frozen=True, kw_only=True)
class RateChange(Finding):
    """Series whose counts stand out; `rows` shows the first, `series` how many there are."""

    term: ClassVar[str] = "rate-change"
    stage: ClassVar[Stage] = Stage.CONTEXT
    remedy: ClassVar[str] = (
        "Read the lines that became more (or ceased) first; alert on such counts against the same "
        "count at other times, not against a fixed number."
    )

    rows: tuple[RateRow, ...]
    series: int

    def sentence(self) -> str:
        more = self.series - 1
        rest = f"; {counted(more, 'other series', 'other series')} changed as well" if more else ""
        return f"{capital(self.rows[0].words())}{rest}."

    def clause(self) -> str:
        row = self.rows[0]
        often = plain(row.count / max(row.extreme, 1))
        if row.drop:
            return f"{row.actor or row.source} almost ceased to write lines at {instant(row.at)}"
        return (
            f"{row.actor or row.source} wrote {often} times as many lines at {instant(row.at)} as "
            "in any other minute"
        )


@dataclass(frozen=True, kw_only=True)
class AlmostCeased(RateChange):
    """Somebody who wrote all the time hardly writes any more, for minutes and still at T.

    That is no context of the night but its effect: nobody comes any more, or nothing is done.
    `lines` were written in the `span` (ns) from then to the end of what was read.
    """

    stage: ClassVar[Stage] = Stage.EFFECT
    remedy: ClassVar[str] = (
        "Look at what stands in front of the service first (balancer, name, certificate, queue); "
        "alert on work that is not done, since nobody logs an error for it."
    )

    lines: int
    span: int

    def sentence(self) -> str:
        row, more = self.rows[0], self.series - 1
        rest = f"; {counted(more, 'other series', 'other series')} fell as well" if more else ""
        return (
            f"{capital(row.actor or row.source)} almost ceased to write lines at "
            f"{instant(self.began)}: {counted(self.lines, 'line')} in the {about(self.span)} "
            f"since, where any of {row.placebos} other minutes had at least {row.extreme} in "
            f"{WIDTH_S} s{rest}."
        )

    def clause(self) -> str:
        row = self.rows[0]
        return f"{row.actor or row.source} almost ceased to write lines at {instant(self.began)}"


class RateChangeDetector:
    """Finds counts of lines that stand out; see the module."""

    term: ClassVar[str] = RateChange.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        if not incident.snapshot.counts.is_empty():
            return NotEvaluated(self.term, "every line: most of this window was only counted")
        if not heard(incident, Lane.LOG):
            return NotEvaluated(self.term, "logs")
        blocks = blocks_of(incident, onset_of(incident, ()))
        if not enough(blocks):  # the trouble is long: T alone, compared with it as well
            blocks = blocks_of(incident, None)
        if not enough(blocks):
            return NotEvaluated(self.term, _more_minutes(len(blocks.controls)))
        moved = moved_series(incident, blocks)
        ceased = [one for one in moved if lasting(one)]
        others = [one for one in moved if not lasting(one)]
        found: list[Finding] = [_ceased(incident, ceased)] if ceased else []
        return [*found, _finding(incident, others)] if others else found


def _more_minutes(controls: int) -> str:
    return (
        f"at least {MIN_CONTROLS} whole minutes outside the trouble to compare with, "
        f"{controls} were read: widen the window"
    )


def _finding(incident: Incident, moved: Sequence[Moved]) -> RateChange:
    ordered = sorted(moved, key=_weight)
    first = ordered[0]
    shown = ordered[:MAX_ROWS]
    lines = [counted_lines(incident, one) for one in shown]
    verdict, link = _verdict(first)
    work = "" if first.outlier.drop else _one_work(incident, first, lines[0])
    if work and verdict is Verdict.LIKELY:
        verdict, link = Verdict.POSSIBLE, f"they all are of one piece of work, {short(work)}"
    return RateChange(
        verdict=verdict,
        weakest_link=link,
        began=min(one.outlier.began for one in shown),
        ended=max(one.outlier.at for one in shown) + WIDTH * BIN_NS,
        steps=_steps(incident, shown, lines),
        keys=_keys(incident, shown, lines),
        would_decide=("Open a wider window: a count that recurs there is a habit.",),
        alternatives=("a schedule that runs less often than the window is long",),
        rows=tuple(_row(*pair) for pair in zip(shown, lines, strict=True)),
        series=len(moved),
    )


def _one_work(incident: Incident, one: Moved, lines: Counted) -> str:
    """A key of the few new ones that nearly all of the lines share where none of them warns."""
    if one.series.level != OTHER_LEVEL or not lines.rows:
        return ""
    told = incident.snapshot.keys_of(pl.Series(lines.rows, dtype=pl.UInt32)).unique(["row", "key"])
    kind = pl.col("key").str.extract("^([^:]+):")
    shared = (
        told.with_columns(kind=kind)
        .group_by("kind")
        .agg(pl.col("key").unique().sort(), rows=pl.col("row").n_unique())
    )
    more = len(lines.rows) * (1 - one.outlier.usual / max(one.outlier.count, 1))
    few = shared.filter(
        (pl.col("rows") >= ONE_WORK * more) & (pl.col("key").list.len() <= FEW_RUNS)
    )
    for keys in few.sort("kind").get_column("key"):
        if _first_told(incident, keys) >= one.outlier.began - NEW_NS:
            return str(keys[0])
    return ""


def _first_told(incident: Incident, keys: pl.Series) -> int:
    """When any event first carried one of `keys`, ns UTC."""
    snapshot = incident.snapshot
    rows = snapshot.keys.filter(pl.col("key").is_in(keys.implode())).get_column("row")
    return int(str(snapshot.events.get_column("timestamp").gather(rows).min()))


def _ceased(incident: Incident, moved: Sequence[Moved]) -> AlmostCeased:
    told = _finding(incident, moved)
    first = min(moved, key=_weight)
    common = {field.name: getattr(told, field.name) for field in fields(RateChange)}
    began = first.outlier.began
    return AlmostCeased(
        **common | {"began": began, "ended": read_until(incident)},
        lines=written_since(incident, first),
        span=read_until(incident) - began,
    )


def _weight(one: Moved) -> tuple[int, bool, float, str, str, str]:
    """Graver levels first, rises before drops, then by how far they lead."""
    level = _LEVELS.index(one.series.level)
    series = one.series
    return level, one.outlier.drop, -one.outlier.lead, series.actor, series.source, series.template


def _verdict(one: Moved) -> tuple[Verdict, str]:
    outlier = one.outlier
    past = outlier.began % QUARTER_NS
    if past <= ON_TIME_NS or QUARTER_NS - past <= BIN_NS:
        return Verdict.POSSIBLE, "it began on a quarter of an hour, where schedules begin"
    if outlier.drop and not _beyond_chance(outlier):
        return Verdict.POSSIBLE, (
            f"one quiet stretch alone: from {outlier.extreme} lines at the least down to "
            f"{outlier.count or 'none'} may be chance"
        )
    return (
        Verdict.LIKELY,
        f"first among {outlier.placebos + 1} minutes by more than chance allows for so many "
        "streams; a statistic is never certain",
    )


def _beyond_chance(outlier: Outlier) -> bool:
    """Whether a drop is more than chance allows: it lasts, or is deep enough as a single one.

    No line at all counts as one here: below that, a single count cannot tell how far it fell.
    """
    first, last = outlier.stretch or (outlier.block, outlier.block)
    deep = max(outlier.count, 1) * outlier.factor**2 <= outlier.extreme
    return deep or last - first + 1 >= MIN_LASTING


def _row(one: Moved, lines: Counted) -> RateRow:
    series, outlier = one.series, one.outlier
    return RateRow(
        series.actor,
        series.source,
        series.level,
        lines.mostly,
        outlier.drop,
        outlier.at,
        outlier.count,
        outlier.usual,
        outlier.extreme,
        outlier.placebos,
    )


def _keys(incident: Incident, shown: Sequence[Moved], lines: Sequence[Counted]) -> tuple[str, ...]:
    """Entities in the lines of grave levels: whoever was merely served is not affected."""
    grave = [
        row
        for one, counted_rows in zip(shown, lines, strict=True)
        if one.series.level != OTHER_LEVEL
        for row in counted_rows.rows
    ]
    keys = incident.snapshot.keys_of(pl.Series(grave, dtype=pl.UInt32))
    held = set(entity_pairs(keys).get_column("key").to_list())
    return tuple(sorted(held - incident.snapshot.broad_keys)[:MAX_KEYS])


def _steps(
    incident: Incident, shown: Sequence[Moved], lines: Sequence[Counted]
) -> tuple[Step, ...]:
    """The first counted line of every series that is shown."""
    first = {told.rows[0]: one for one, told in zip(shown, lines, strict=True) if told.rows}
    events = zip(first, incident.snapshot.events_at(list(first)), strict=True)
    steps: list[Step] = []
    for row, event in sorted(events, key=lambda pair: (pair[1].timestamp, pair[0])):
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        number = counted(first[row].outlier.count, "such line")
        steps.append(Step("counted", event, f"among {number} in {WIDTH_S} s", order))
    return tuple(steps)
