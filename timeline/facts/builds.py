"""Which build each instance of a service ran, and which of them were renewed.

Exporters tell a build in a label (`build_info`), programs and pipelines in words: they name the
host that they stop, unpack and start again. Owns these signs; whether a build is at fault is for
others to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Kind, Lane
from timeline.facts.boots import boots_of

if TYPE_CHECKING:
    from timeline.incident import Incident

LABELS = ("version", "revision", "build", "release", "git_sha", "commit", "image", "tag")
"""How Prometheus' client libraries and services call a build among their labels."""
RENEWED = (
    r"(?i)\b(?:re-?start(?:ed|ing)?|started|rolled|rollout|deploy\w*|releas\w+|unpack\w*|upgrad\w+"
    r"|replac\w+|recreat\w+|booted)\b"
)
"""What pipelines say they did to a host."""
NOT_DONE = r"(?i)\b(?:fatal|failed|unreachable|skipp(?:ed|ing)|would|error)\b"
FEW_LINES = 2_000
"""Whoever writes more serves requests, and is no pipeline."""


@dataclass(frozen=True, slots=True)
class Build:
    """A build by its label, since when (ns UTC) the instance told of it; `row` is that sample."""

    version: str
    since: int
    row: int


def builds_of(incident: Incident, hosts: Iterable[str], at: int) -> dict[str, Build]:
    """The build that each of `hosts` told of last up to `at` (ns), where any curve has one."""
    points = incident.points
    if points.is_empty():
        return {}
    labels = points.get_column("labels").unique()
    pairs = pl.DataFrame({"labels": labels}).with_columns(
        version=pl.coalesce(
            *(pl.col("labels").str.json_path_match(f"$.{name}") for name in LABELS)
        ),
        instance=pl.coalesce(
            *(
                pl.col("labels").str.json_path_match(f"$.{name}")
                for name in ("pod", "instance", "host", "hostname")
            )
        ).str.replace(r":\d+$", ""),
    )
    told = pairs.drop_nulls().filter(pl.col("instance").is_in(list(hosts)))
    if told.is_empty():
        return {}
    held = points.join(told, on="labels").filter(pl.col("timestamp") <= at)
    spans = held.group_by("instance", "version").agg(
        since=pl.col("timestamp").min(),
        last=pl.col("timestamp").max(),
        row=pl.col("row").sort_by("timestamp").first(),
    )
    newest = spans.sort("last", "since").unique("instance", keep="last", maintain_order=True)
    return {
        host: Build(version, since, row)
        for host, version, since, row in newest.select(
            "instance", "version", "since", "row"
        ).iter_rows()
    }


def renewed_in(
    incident: Incident, service: str, hosts: Mapping[str, str], start: int, end: int
) -> dict[str, int]:
    """The instances of `service` that were started anew in `[start, end)` (ns), by host, with the
    event that shows it: their own words, the cluster's, or a pipeline's that names the host.

    `hosts` maps each host to the actor that speaks from it.
    """
    shown: dict[str, int] = {}
    for boot in boots_of(incident, [service], start, end):
        for host, actor in hosts.items():
            if boot.host == host or (boot.actor == actor and boot.actor != service):
                shown.setdefault(host, boot.row)
    for row, body in _by_pipelines(incident, frozenset(hosts.values()), hosts, start, end):
        for host in hosts:
            if host in body:
                shown.setdefault(host, row)
    return shown


def _by_pipelines(
    incident: Incident,
    own: frozenset[str],
    hosts: Iterable[str],
    start: int,
    end: int,
) -> list[tuple[int, str]]:
    """(row, body) of what others say they did to any of `hosts`, in time order."""
    events = incident.snapshot.events
    log = pl.col("lane") == Lane.LOG.value
    few = events.group_by("actor").len().filter(pl.col("len") <= FEW_LINES).get_column("actor")
    others = [name for name in few.cast(pl.String).drop_nulls().to_list() if name not in own]
    inside = pl.col("timestamp").is_between(start, end, "left")
    speaks = (log & pl.col("actor").is_in(others)) | (pl.col("kind") == Kind.CHANGE.value)
    told = incident.snapshot.told(inside & speaks, "body")
    body = pl.col("body").fill_null("")
    told = told.filter(
        body.str.contains_any(sorted(hosts))
        & body.str.contains(RENEWED)
        & ~body.str.contains(NOT_DONE)
    )
    return told.select("row", "body").rows()
