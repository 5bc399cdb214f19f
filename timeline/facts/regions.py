"""Which configured regions log lines come from, and which nobody speaks from.

A line comes from a region when its source, actor or file is named after it, when a field says where
it was written, or when nearly every line of its writer states it. A region that is merely spoken
of, in an address or a caller's message, is not thereby heard.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

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
KEPT = rf'"(?:{"|".join(map(re.escape, FIELDS))})"\s*:\s*"(?:[^"]*[^"0-9A-Za-z])?{{}}'
STATED = r"(?:^|[^0-9A-Za-z])(?i:region|availability_zone|zone)\"?\s*[=:]\s*\"?{}"
"""How an attribute (JSON) and how a line of text state a region, which stands at the end."""
WRITER = ("source", "actor", "file")
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
    window = incident.window
    logs = incident.snapshot.events.lazy().filter(
        (pl.col("lane") == Lane.LOG.value)
        & pl.col("timestamp").is_between(window.start, window.end, closed="left")
    )
    logs = logs.select(*WRITER, "attributes", "body")
    writers = logs.group_by(*WRITER).agg(lines=pl.len()).collect()
    kept = _told(logs, "attributes", KEPT.format(_any(regions)), regions)
    stated = _told(logs, "body", STATED.format(_any(regions)), regions)
    seen: set[str] = set()
    silent_on_it: set[str] = set()
    for source, actor, file, lines in writers.iter_rows():
        writer = (source, actor, file)
        by_name = _named(" ".join(str(name or "") for name in writer), regions)
        kept_lines, kept_in = kept.get(writer, (0, set()))
        stated_lines, stated_in = stated.get(writer, (0, set()))
        says = stated_lines >= NEARLY_ALL * lines
        seen |= by_name | kept_in | (stated_in if says else set())
        if not (by_name or says or kept_lines >= NEARLY_ALL * lines):
            silent_on_it.add(str(source))
    return seen, tuple(sorted(silent_on_it))


_Writer: TypeAlias = tuple[str | None, ...]


def _told(
    logs: pl.LazyFrame, column: str, pattern: str, regions: Sequence[str]
) -> dict[_Writer, tuple[int, set[str]]]:
    """By writer, how many lines say a region in `column` as `pattern` has it, and which regions.

    What is extracted ends with the region, so that few different texts are left to be told apart.
    """
    text = pl.col(column)
    said = (
        logs.filter(text.str.contains_any(list(regions), ascii_case_insensitive=True))
        .select(*WRITER, said=text.str.extract_all(pattern))
        .filter(pl.col("said").list.len() > 0)
        .with_columns(pl.col("said").list.eval(pl.element().str.extract(f"{_any(regions)}$", 1)))
        .group_by(*WRITER)
        .agg(lines=pl.len(), said=pl.col("said").explode().unique())
        .collect()
    )
    return {
        tuple(writer): (lines, _named(" ".join(name or "" for name in names), regions))
        for *writer, lines, names in said.iter_rows()
    }


def _named(text: str, regions: Sequence[str]) -> set[str]:
    """Those of `regions` that `text` names as words, or by a zone of theirs."""
    return {one for one in regions if re.search(rf"(?:^|[^0-9A-Za-z]){_any([one])}", text)}


def _any(regions: Sequence[str]) -> str:
    """Any of the regions, or a zone of one (`eu-west-1a`), up to the end of the name."""
    longest_first = sorted(regions, key=lambda name: (-len(name), name))
    return rf"((?i:{'|'.join(map(re.escape, longest_first))}))[a-z]?(?:[^0-9A-Za-z]|$)"
