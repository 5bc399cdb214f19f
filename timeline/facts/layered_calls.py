"""How often each service on a path received one and the same request, before and in a bad time.

A request keeps its id through all services on its way. On a quiet day each of them receives it
once; callers that try again make it arrive several times, and where callers of callers do so as
well, the number multiplies from layer to layer. A line whose form every quiet request shows once
at a service, the first of those, stands for one arrival there, whatever it says. Numbers come from
ids and forms alone; only that one repetition lies within another is read from stamps, so clocks
that differ by more than a call takes hide it and never make it up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import SEVERITY_WARN
from timeline.facts.handled import FORM
from timeline.facts.lines import lines_at
from timeline.window import SECOND_NS

if TYPE_CHECKING:
    from timeline.incident import Incident

BIN_NS = 30 * SECOND_NS
LEAST_LAYERS = 3
"""Two services are one caller and its retries, which `retried_calls` tells."""
ONCE = 1.25
"""Mean arrivals of a request at a service that is asked as often as on a quiet day."""
STEP = 1.5
"""Each hop multiplies the arrivals of the one before by at least this much."""
PRODUCT = 3.0
"""The innermost service receives a request at least so often: more than one layer's doing."""
COMMON = 0.95
"""Share of the quiet requests at a service that show the form of an arrival exactly once."""
LEAST_CALM = 20
LEAST_HOT = 20
"""Requests seen at every layer, in the quiet time and in the other."""
LEAST_BINS = 2
MOST_REQUESTS = 1_000
"""Requests of either time whose lines are read, spread over it."""
MOST_SHARE = 0.5
"""So many of the requests come repeatedly and fail somewhere: it is no single caller's doing, and
not merely a page that asks for more."""
NESTED = 0.6
"""Share of a service's arrivals after which the next one inside it comes before its own next: the
inner repetition begins anew in each outer one. Two callees of one caller come after each other."""
REFUSED = (
    r"(?i)(?:HTTP/[0-9.]+\"? |status(?:_code)?[\"']?[=:] ?\"?|[-=]> ?"
    r"|\b(?:GET|HEAD|POST|PUT|PATCH|DELETE) \S+ )(?:429|50[0-4])\b"
)
"""Refusals in access lines that are written at a level of no concern."""


@dataclass(frozen=True, slots=True)
class Layers:
    """One stretch in which a request's arrivals multiplied from layer to layer. Times in ns UTC.

    `services` stand from the outermost in, `arrivals` are each one's mean arrivals of one request;
    `usual` and `busiest` are arrivals a minute at the innermost before and in its busiest half
    minute. `requests` were read, `failing` of them failed somewhere; `rows` are the arrivals at the
    innermost that were read, in time order.
    """

    services: tuple[str, ...]
    arrivals: tuple[float, ...]
    began: int
    ended: int
    usual: float
    busiest: float
    requests: int
    failing: int
    rows: tuple[int, ...]


def layered_calls(incident: Incident) -> Layers | None:
    """The stretch of the window that multiplies most clearly, or None."""
    spans = _spans(incident)
    if spans.is_empty():
        return None
    bins = _bins(spans)
    hot = _hot(bins)
    if hot is None:
        return None
    began, ended = hot
    calm = spans.filter(pl.col("start") < began - BIN_NS)  # it may have begun within the last one
    bad = spans.filter(pl.col("start").is_between(began, ended))
    quiet, loud = _lines(incident, calm), _lines(incident, bad)
    marks = _arrival_forms(quiet)
    if marks.height < LEAST_LAYERS:
        return None
    return _judged(loud, marks, bins, began)


def _spans(incident: Incident) -> pl.DataFrame:
    """(execution, id, actor, start, lines) of requests that enough services wrote of."""
    frame, lines = incident.executions.frame, incident.executions.lines
    window = incident.window
    asked = frame.filter(
        (pl.col("kind") == "request")
        & pl.col("start").is_between(window.start, window.end, "left")
        & (pl.col("actor") != "")
    )
    if asked.get_column("actor").n_unique() < LEAST_LAYERS:
        return asked.head(0)
    asked = asked.select("execution", "actor", "start", "group", id=pl.col("id").hash())
    several = asked.group_by("id").len().filter(pl.col("len") >= LEAST_LAYERS)  # one an actor
    asked = asked.join(several.select("id"), on="id", how="semi")
    counts = (
        lines.join(asked.select("group"), on="group", how="semi").group_by("group").len("lines")
    )
    return asked.join(counts, on="group").drop("group")


def _bins(spans: pl.DataFrame) -> pl.DataFrame:
    """(actor, bin, requests, lines, middle): how much each service writes, by half minutes;
    `middle` is the median of lines a request."""
    return (
        spans.group_by("actor", bin=pl.col("start") // BIN_NS)
        .agg(requests=pl.len(), lines=pl.col("lines").sum(), middle=pl.col("lines").median())
        .sort("actor", "bin")
    )


def _hot(bins: pl.DataFrame) -> tuple[int, int] | None:
    """From when to when (ns) some service wrote `PRODUCT` times as much of most requests as in
    the quiet time before."""
    found: tuple[int, int, int] | None = None
    for part in bins.partition_by("actor", maintain_order=True):
        usual = part.get_column("middle").head(LEAST_BINS).min()
        if part.height <= LEAST_BINS or not isinstance(usual, float) or usual < 1:
            continue
        hot = part.filter(pl.col("middle") >= PRODUCT * usual)
        if hot.height < LEAST_BINS:
            continue
        first, last = int(hot["bin"][0]), int(hot["bin"][-1])
        one = (int(hot.get_column("lines").sum()), first * BIN_NS, (last + 1) * BIN_NS)
        found = one if found is None else max(found, one)
    return None if found is None else found[1:]


def _lines(incident: Incident, spans: pl.DataFrame) -> pl.DataFrame:
    """(row, timestamp, actor, id, form, failing) of the lines of requests spread over `spans`."""
    ids = spans.sort("start", "execution").get_column("id").unique(maintain_order=True)
    ids = ids.gather_every(max(1, -(-ids.len() // MOST_REQUESTS)))
    chosen = spans.filter(pl.col("id").is_in(ids.implode()))
    members = incident.executions.rows_of(chosen.get_column("execution"))
    lines = lines_at(incident, members.get_column("row"))
    lines = lines.join(members.unique("row"), on="row").join(
        chosen.select("execution", "id"), on="execution"
    )
    body = pl.col("body")
    return lines.select(
        "row",
        "timestamp",
        "actor",
        "id",
        form=body.str.replace_all(FORM, "#"),
        failing=(pl.col("severity_number") >= SEVERITY_WARN) | body.str.contains(REFUSED),
    ).sort("timestamp", "row")


def _arrival_forms(quiet: pl.DataFrame) -> pl.DataFrame:
    """(actor, form): for each service the first form that its quiet requests show just once."""
    if quiet.is_empty():
        return quiet.select("actor", "form")
    asked = quiet.group_by("actor").agg(asked=pl.col("id").n_unique())
    counts = quiet.group_by("actor", "form", "id", maintain_order=True).agg(
        n=pl.len(), at=pl.col("timestamp").first()
    )
    counts = counts.with_columns(after=pl.col("at") - pl.col("at").min().over("actor", "id"))
    forms = counts.group_by("actor", "form").agg(
        once=(pl.col("n") == 1).sum(), after=pl.col("after").median()
    )
    forms = forms.join(asked, on="actor").filter(
        (pl.col("asked") >= LEAST_CALM) & (pl.col("once") >= COMMON * pl.col("asked"))
    )
    first = forms.sort("actor", "after", "form").unique("actor", keep="first", maintain_order=True)
    return first.select("actor", "form")


def _judged(
    loud: pl.DataFrame, marks: pl.DataFrame, bins: pl.DataFrame, began: int
) -> Layers | None:
    """What the requests of the bad time show at the services whose arrivals are known by `marks`;
    None unless the numbers multiply and most requests are hurt."""
    arrived = loud.join(marks, on=["actor", "form"], how="semi")
    counts = arrived.group_by("actor", "id").len("n")
    layers = (
        counts.group_by("actor")
        .agg(requests=pl.len(), mean=pl.col("n").mean(), again=(pl.col("n") > 1).mean())
        .filter(pl.col("requests") >= LEAST_HOT)
        .sort("mean", "actor")
    )
    steps: list[tuple[str, float]] = []
    for actor, mean, again in layers.select("actor", "mean", "again").iter_rows():
        outermost = not steps and mean <= ONCE
        further = bool(steps) and mean >= STEP * steps[-1][1] and again >= MOST_SHARE
        if outermost or (further and _nested(arrived, steps[-1][0], actor)):
            steps.append((actor, mean))
    if len(steps) < LEAST_LAYERS or steps[-1][1] < PRODUCT * steps[0][1]:
        return None
    inner = steps[-1][0]
    hurt = loud.group_by("id").agg(pl.col("failing").any()).get_column("failing")
    if hurt.sum() < MOST_SHARE * hurt.len():
        return None
    rows = arrived.filter(pl.col("actor") == inner)
    again = counts.filter((pl.col("actor") == inner) & (pl.col("n") > 1)).get_column("id")
    kept = rows.filter(pl.col("id").is_in(again.implode()))
    per_bin = bins.filter(pl.col("actor") == inner)
    calm = per_bin.filter(pl.col("bin") < began // BIN_NS).get_column("requests")
    here: list[int] = per_bin.filter(pl.col("bin") >= began // BIN_NS)["requests"].to_list()
    minutes = 60 * SECOND_NS / BIN_NS
    usual = float(calm.sum()) / calm.len() * minutes if calm.len() else 0.0
    busiest = max(here, default=0) * minutes * steps[-1][1]
    return Layers(
        services=tuple(name for name, _ in steps),
        arrivals=tuple(mean for _, mean in steps),
        began=int(kept["timestamp"][0]),
        ended=int(kept["timestamp"][-1]),
        usual=usual,
        busiest=busiest,
        requests=hurt.len(),
        failing=int(hurt.sum()),
        rows=tuple(kept.get_column("row").to_list()),
    )


def _nested(arrived: pl.DataFrame, outer: str, inner: str) -> bool:
    """Whether arrivals at `inner` follow within most of the arrivals at `outer`."""
    both = arrived.filter(pl.col("actor").is_in([outer, inner])).sort("id", "timestamp", "row")
    follows = (pl.col("actor").shift(-1) == inner) & (pl.col("id").shift(-1) == pl.col("id"))
    share = both.select(follows.filter(pl.col("actor") == outer).mean()).item()
    return share is not None and float(share) >= NESTED
