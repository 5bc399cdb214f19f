"""Retries that multiply from service to service: the third part of the detector `retry-storm`.

Every layer tries again what the layer below refused, so the innermost service receives the product
(`timeline.facts.layered_calls`). Nobody outside asks more than usual, and each middle layer's
retries keep pace with its own requests, so that only the arrivals of one and the same request show
it. Owns no term of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.detectors.retry_finding import (
    AMPLIFIED,
    GAP_NS,
    LEAD_NS,
    RetryStorm,
    retry_steps,
    trigger_of,
)
from timeline.facts.boots import boots_of
from timeline.facts.failures import victims_of
from timeline.facts.layered_calls import Layers, layered_calls
from timeline.facts.lines import lines_at
from timeline.facts.rates import plain
from timeline.facts.sight import read_until
from timeline.facts.words import capital, counted, instant, listed
from timeline.order import Verdict
from timeline.templates import service_of

if TYPE_CHECKING:
    from timeline.incident import Incident


@dataclass(frozen=True, kw_only=True)
class LayeredRetries(RetryStorm):
    """One stretch in which a request's arrivals multiplied. `service` is the innermost one.

    `layers` are the services from the outermost in, `arrivals` each one's mean arrivals of one
    request; before it, each received it once. `usual` and `busiest` are arrivals a minute at the
    innermost, `failed` the requests of those that were read (`jobs`) which failed somewhere.
    """

    layers: tuple[str, ...]
    arrivals: tuple[float, ...]

    def clause(self) -> str:
        return f"retries multiplied from layer to layer and made up most of {self.service}'s load"

    def _of_service(self) -> str:
        inner = [
            f"{name} {plain(often)} times"
            for name, often in zip(self.layers[1:], self.arrivals[1:], strict=True)
        ]
        return (
            f"{capital(self.layers[0])} was asked no more often than usual for one request, but "
            f"the same request reached {listed(inner, 5)} from {instant(self.began)} to "
            f"{instant(self.ended)}, where each received it once before: retries of every layer "
            f"multiply to up to {self.busiest} arrivals a minute at {self.service} where "
            f"{plain(self.usual)} are usual; {self.failed} of {counted(self.jobs, 'request')} "
            "read failed on the way"
        )


def retried_layers(incident: Incident) -> list[RetryStorm]:
    """The stretch in which retries multiplied, where there is one."""
    found = layered_calls(incident)
    if found is None or found.busiest < AMPLIFIED * found.usual or not found.rows:
        return []
    return [_finding(incident, found)]


def parts_of(layers: list[RetryStorm], one: RetryStorm) -> bool:
    """Whether `one` tells the retries of a single layer of one of `layers`, at the same time."""
    return any(
        isinstance(whole, LayeredRetries)
        and one.service in whole.layers
        and one.began <= whole.ended
        and whole.began <= one.ended
        for whole in layers
    )


def _finding(incident: Incident, found: Layers) -> LayeredRetries:
    inner, outer = found.services[-1], found.services[0]
    trigger, over = trigger_of(incident, found.began, found.ended)
    if over is None:
        trigger, over = _restart(incident, found)
    rows = lines_at(incident, pl.Series(found.rows, dtype=pl.UInt32))
    victims = victims_of(incident, rows.select("row", "timestamp", "source", "actor"))
    return LayeredRetries(
        verdict=Verdict.LIKELY,
        weakest_link="a line of each service stands for an arrival because each quiet request "
        "showed it there just once",
        began=found.began,
        ended=found.ended,
        steps=retry_steps(incident, found.rows, f"requests at {inner}"),
        keys=tuple(victims.get_column("key").unique().sort().to_list()),
        would_decide=(f"Count what {inner} receives once a layer above it no longer tries again.",),
        alternatives=(
            f"{inner} is still broken, and the retries are only a symptom",
            "requests that ask for more than before, and fail for another reason",
        ),
        next_action=(
            f"Let one layer only try again (best {outer}, with a budget): switch off the retries "
            f"of {listed(list(found.services[1:-1]))} first; do not add instances of {inner}."
        ),
        source=str(rows["source"][0]),
        queue="",
        service=inner,
        attempts=len(found.rows),
        firsts=found.requests,
        jobs=found.requests,
        ended_attempts=found.requests,
        failed=found.failing,
        usual=found.usual,
        busiest=round(found.busiest),
        error="",
        trigger=trigger,
        trigger_over=over,
        lasting=found.ended - over if over is not None else 0,
        ongoing=found.ended >= read_until(incident) - GAP_NS,
        layers=found.services,
        arrivals=found.arrivals,
    )


def _restart(incident: Incident, found: Layers) -> tuple[str, int | None]:
    """The innermost service's last start around the beginning: from then on it was back."""
    inner = found.services[-1]
    near = (found.began - LEAD_NS, found.began + LEAD_NS)
    services = pl.select(service_of(pl.lit(inner))).to_series().to_list()
    starts = boots_of(incident, services, *near)
    said = [boot.timestamp for boot in starts if boot.said]
    return (f"the restart of {inner}", max(said)) if said else ("", None)
