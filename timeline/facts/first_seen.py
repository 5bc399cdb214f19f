"""Templates that a service had never written before, as far as was read.

New lines appear on healthy nights too, so every claim is compared with the minutes before: how
often did something as grave appear for the first time then? Owns what counts as a baseline; never
says what a new line means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from timeline.event import Lane
from timeline.templates import ERROR, OTHER, Templates, service_of

if TYPE_CHECKING:
    from timeline.incident import Incident

MINUTE_NS = 60_000_000_000
BEFORE_NS = MINUTE_NS
"""How long before the onset or T a line may be first seen and still belong to it;"""
AFTER_NS = MINUTE_NS
"""and how long after."""
BURN_IN = 1 / 4
"""Of the baseline: in the beginning of what was read every line is a first sighting."""
MIN_MINUTES = 10
"""Baseline minutes after the burn-in in which first sightings are counted."""
REPEATED = 5
"""Lines within a minute of the first that make a new template more than a few odd lines."""
LASTING_NS = 5 * MINUTE_NS
"""An error that is written as often within this time goes on, however slowly."""
LEAD_NS = 15 * MINUTE_NS
"""An alert is five to fifteen minutes late: so long before T what is new may begin."""
ROWS_KEPT = 100
"""Lines of a new template whose keys are told; an outage repeats one many thousand times."""
FULL_BASELINE_NS = 60 * MINUTE_NS
FULL_BASELINE_LINES = 10_000
"""A baseline of an hour and ten thousand lines of the service (detector catalogue, D30n)."""
MIN_BASELINE_LINES = 50
"""A service that wrote less before has not shown what it usually says."""


@dataclass(frozen=True, slots=True)
class NewTemplate:
    """One template of one service, first seen at `first` (ns). `count` lines in all.

    `minute` counts those within a minute of the first, `early` within `LASTING_NS`. `lines_before`
    is how many lines of any kind the service wrote in the `span_before` (ns) before. `rows` are the
    first few. `cut` is the instant (ns) from which on lines of the service were left out, or None:
    then counts are least.
    """

    service: str
    level: str
    template: str
    first: int
    last: int
    count: int
    minute: int
    early: int
    actors: tuple[str, ...]
    sources: tuple[str, ...]
    rows: tuple[int, ...]
    lines_before: int
    span_before: int
    cut: int | None

    @property
    def repeated(self) -> bool:
        lasting = self.level == ERROR and self.early >= REPEATED
        return self.minute >= REPEATED or len(self.actors) > 1 or lasting

    @property
    def well_known(self) -> bool:
        """Whether the baseline is long enough to call a line new."""
        return self.span_before >= FULL_BASELINE_NS and self.lines_before >= FULL_BASELINE_LINES


@dataclass(frozen=True, slots=True)
class Novelties:
    """`new` templates near an onset or T, first seen first.

    Of `minutes` baseline minutes, `usual` had a repeated first sighting and `usual_single` any.
    """

    new: tuple[NewTemplate, ...]
    minutes: int
    usual: int
    usual_single: int
    grouped: int
    left_out: int


class Span(NamedTuple):
    """A stretch `[start, end)` (ns) in which a first sighting is looked for."""

    start: int
    end: int


def around(*anchors: int) -> tuple[Span, ...]:
    """The spans around the onset and T, or around either."""
    return tuple(Span(at - BEFORE_NS, at + AFTER_NS) for at in anchors)


def before_pin(incident: Incident) -> tuple[Span, ...]:
    """All the time in which what the alert is about may have begun."""
    pin = incident.window.pin
    return (Span(pin - LEAD_NS, pin + AFTER_NS),)


def baseline_minutes(incident: Incident, spans: tuple[Span, ...]) -> int:
    """Minutes after the burn-in and before the first span."""
    span = min(spans).start - incident.window.start
    return int((1 - BURN_IN) * span // MINUTE_NS)


def novelties_in(incident: Incident, spans: tuple[Span, ...]) -> Novelties:
    """What was new within any of `spans`, against all that was read before them."""
    grouped = incident.templates
    start, edge = incident.window.start, min(spans).start
    begun = start + int(BURN_IN * (edge - start))
    sightings = _sightings(grouped)
    earlier = sightings.filter(pl.col("first").is_between(begun, edge, "left"))
    minute = (pl.col("first") - start) // MINUTE_NS
    single = earlier.select(minute.n_unique()).item()
    usual = earlier.filter(_repeated()).select(minute.n_unique()).item()
    near = pl.any_horizontal(
        *(pl.col("first").is_between(span.start, span.end, "left") for span in spans)
    )
    recent = sightings.filter(near)
    begun = max(edge, recent["first"][0]) if recent.height else edge
    known = _lines_before(incident, begun) if recent.height else pl.DataFrame()
    new = _described(grouped, recent, known) if recent.height else ()
    return Novelties(
        new,
        baseline_minutes(incident, spans),
        usual,
        single,
        grouped.lines.height,
        grouped.left_out,
    )


def _repeated() -> pl.Expr:
    lasting = (pl.col("level") == ERROR) & (pl.col("early") >= REPEATED)
    return (pl.col("minute") >= REPEATED) | (pl.col("actors").list.len() > 1) | lasting


def _sightings(grouped: Templates) -> pl.DataFrame:
    """One line per (service, template): first and last sighting (ns), counts, actors."""
    stamp = pl.col("timestamp")
    return (
        grouped.lines.filter(pl.col("template") != OTHER)
        .group_by("service", "template")
        .agg(
            first=stamp.min(),
            last=stamp.max(),
            count=pl.len(),
            minute=(stamp < stamp.min() + MINUTE_NS).sum(),
            early=(stamp < stamp.min() + LASTING_NS).sum(),
            actors=pl.col("actor").unique().sort(),
            sources=pl.col("source").unique().sort(),
            level=pl.col("level").sort().first(),
        )
        .sort("first", "service", "template")
    )


def _lines_before(incident: Incident, edge: int) -> pl.DataFrame:
    """(service, lines_before, first_line) of every service up to `edge` (ns)."""
    start = incident.window.start
    before = (
        incident.snapshot.events.lazy()
        .filter(
            (pl.col("lane") == Lane.LOG.value) & pl.col("timestamp").is_between(start, edge, "left")
        )
        .group_by("actor")
        .agg(lines_before=pl.len(), first_line=pl.col("timestamp").min())
        .collect()
    )
    named = before.with_columns(service=service_of(pl.col("actor").cast(pl.String).fill_null("")))
    return named.group_by("service").agg(
        pl.col("lines_before").sum(), pl.col("first_line").min(), edge=pl.lit(edge)
    )


def _described(
    grouped: Templates, recent: pl.DataFrame, known: pl.DataFrame
) -> tuple[NewTemplate, ...]:
    """The templates of services that had said enough before."""
    judged = recent.join(known, on="service").filter(pl.col("lines_before") >= MIN_BASELINE_LINES)
    lines = grouped.lines.join(judged.select("service", "template"), on=["service", "template"])
    held = lines.group_by("service", "template").agg(rows=pl.col("row").head(ROWS_KEPT))
    cut = grouped.cut.group_by("service").agg(cut=pl.col("since").min())
    told = judged.join(held, on=["service", "template"]).join(cut, on="service", how="left")
    told = told.sort("first", "service", "template")
    return tuple(
        NewTemplate(
            service=row["service"],
            level=row["level"],
            template=row["template"],
            first=row["first"],
            last=row["last"],
            count=row["count"],
            minute=row["minute"],
            early=row["early"],
            actors=tuple(row["actors"]),
            sources=tuple(row["sources"]),
            rows=tuple(row["rows"]),
            lines_before=row["lines_before"],
            span_before=row["edge"] - row["first_line"],
            cut=row["cut"],
        )
        for row in told.iter_rows(named=True)
    )
