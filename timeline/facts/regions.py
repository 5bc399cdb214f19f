"""Which configured regions log lines come from, and which nobody speaks from.

A line comes from a region when its source, actor or file is named after it, when a field says where
it was written, or when nearly every line of its writer states it. A region that is merely spoken
of, in an address or a caller's message, is not thereby heard.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.facts.counted import counted_bars
from timeline.facts.sight import heard
from timeline.facts.words import listed
from timeline.order import Verdict

if TYPE_CHECKING:
    from timeline.incident import Incident

FIELDS = (
    *("region", "cloud.region", "aws_region", "zone", "availability_zone"),
    *("cloud.availability_zone", "topology.kubernetes.io/region", "topology.kubernetes.io/zone"),
    *("index", "_index", "stream", "log_stream", "log_group"),
    *("host", "hostname", "host.name", "host.hostname"),
)
"""Attributes that say where a line was written, or in what it was kept."""
STATED = r"\b(?:cloud\.)?(?:aws_)?(?:region|availability_zone|zone)\"?\s*[=:]\s*\"?"
"""How a line of text states its region."""
NEARLY_ALL = 0.9
"""Part of a writer's lines that must say where they come from, before the rest is taken to come
from there as well; and before what its text states is taken for its own place."""


@dataclass(frozen=True, slots=True)
class MissingRegion:
    """A configured region that no line comes from; `proof` is why that is said, or the reason
    against being surer of it."""

    region: str
    verdict: Verdict
    proof: str


def missing_regions(incident: Incident) -> tuple[MissingRegion, ...]:
    """The configured regions without one line in what was read of the window, in their order."""
    regions = incident.knowledge.regions
    if not regions:
        return ()
    seen, silent_on_it = _places(incident, regions)
    doubt = _doubt(incident, seen, silent_on_it)
    verdict = Verdict.POSSIBLE if doubt else Verdict.CERTAIN
    proof = doubt or "it is configured as a region, and every line here says another one"
    return tuple(MissingRegion(name, verdict, proof) for name in regions if name not in seen)


def _doubt(incident: Incident, seen: set[str], silent_on_it: Sequence[str]) -> str:
    """Why lines of a region may be among those read, or may not have been read."""
    if not seen:
        return "no line here says what region it comes from"
    if silent_on_it:
        return f"{listed(silent_on_it)} does not say what region its lines come from"
    if counted_bars(incident).height:
        return "records were counted without being read"
    window = incident.window
    limits = incident.snapshot.coverage.limits(heard(incident, Lane.LOG), window.start, window.pin)
    return limits[0].sentence() if limits else ""


def _places(incident: Incident, regions: Sequence[str]) -> tuple[set[str], tuple[str, ...]]:
    """The regions that lines come from, and the sources some of whose writers do not say."""
    seen: set[str] = set()
    silent_on_it: set[str] = set()
    for writer in _writers(incident, regions).iter_rows(named=True):
        names = " ".join(str(writer[name] or "") for name in ("source", "actor", "file"))
        by_name = {region for region in regions if re.search(_word(region), names)}
        kept = {region for n, region in enumerate(regions) if writer[f"kept {n}"]}
        stated = {region for n, region in enumerate(regions) if writer[f"stated {n}"]}
        says = writer["stated"] >= NEARLY_ALL * writer["lines"]
        seen |= by_name | kept | (stated if says else set())
        if not (by_name or says or writer["kept"] >= NEARLY_ALL * writer["lines"]):
            silent_on_it.add(str(writer["source"]))
    return seen, tuple(sorted(silent_on_it))


def _writers(incident: Incident, regions: Sequence[str]) -> pl.DataFrame:
    """One row per (source, actor, file): its `lines`, how many are `kept` in a region or have it
    `stated` in their text, and for the nth region whether any is."""
    window = incident.window
    names = "|".join(re.escape(name) for name in FIELDS)
    kept = [rf'"(?:{names})"\s*:\s*"(?:[^"]*[^"0-9A-Za-z])?{_bare(one)}' for one in regions]
    stated = [rf"(?i){STATED}{_bare(one)}" for one in regions]
    in_fields = {f"kept {n}": _says("attributes", pattern) for n, pattern in enumerate(kept)}
    in_text = {f"stated {n}": _says("body", pattern) for n, pattern in enumerate(stated)}
    logs = incident.snapshot.events.lazy().filter(
        (pl.col("lane") == Lane.LOG.value)
        & pl.col("timestamp").is_between(window.start, window.end, closed="left")
    )
    writer = ("source", "actor", "file")
    return (
        logs.select(*writer, **in_fields, **in_text)
        .group_by(writer)
        .agg(
            pl.len().alias("lines"),
            pl.any_horizontal(*in_fields).sum().alias("kept"),
            pl.any_horizontal(*in_text).sum().alias("stated"),
            pl.col(*in_fields, *in_text).any(),
        )
        .with_columns(pl.col(*writer).cast(pl.String))
        .sort(*writer)
        .collect()
    )


def _says(column: str, pattern: str) -> pl.Expr:
    return pl.col(column).str.contains(pattern).fill_null(value=False)


def _bare(region: str) -> str:
    """A region, or a zone of it (`eu-west-1a`), up to the end of the name."""
    return rf"(?i:{re.escape(region)})[a-z]?(?:[^0-9A-Za-z]|$)"


def _word(region: str) -> str:
    return rf"(?:^|[^0-9A-Za-z]){_bare(region)}"
