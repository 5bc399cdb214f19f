"""When processes came up: what they say as they start, and actors that were never heard before.

Read for named services and in a bounded stretch only: a start is one line among a million. It does
not say why something started; a crash loop starts too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from timeline.event import Kind, Lane
from timeline.templates import service_of

if TYPE_CHECKING:
    from timeline.incident import Incident

BOOT_MARKS = (
    "listening on",
    "starting up",
    "started server",
    "server started",
    "booting worker",
    "booted",
    "booting",
    "starting gunicorn",
    "starting processing, hit ctrl-c",
    "worker ready",
    " ready.",
    "worker starting",
    "started application in",
    "starting application",
    "application startup complete",
    "ready to accept connections",
    "service started",
    "worker started",
    "rq worker",
    "started worker",
    "build id",
    "release version",
)
"""gunicorn, puma, Sidekiq (launcher), Celery (`celery@host ready.`), Spring Boot, uvicorn, Redis
and PostgreSQL, RQ; the last two are how services print their version. Case is ignored."""
MOST_LINES = 300_000
"""Lines that are searched at most, the latest first; it costs about 50 ns each."""
HEARD_NS = 60_000_000_000
"""An actor first heard less than this after the beginning of what was read may be old."""


_VERSION = re.compile(
    r"(?i)\b(?:version|release|build(?: id)?|rev(?:ision)?|sha|commit)[ =:#]+\"?([\w.+-]{2,40})"
)


class Boot(NamedTuple):
    """One start (ns); `row` is the event that shows it, `said` False where it is only the first
    line of somebody new. `host` is the clock it stamps by, or its source. `version` as printed."""

    actor: str
    service: str
    host: str
    timestamp: int
    row: int
    said: bool
    version: str


def boots_of(
    incident: Incident, services: Iterable[str], start: int, end: int
) -> tuple[Boot, ...]:
    """Starts of actors of `services` in `[start, end)` (ns), oldest first, one each minute."""
    names = _actors_of(incident, frozenset(services))
    if not names:
        return ()
    own = pl.col("actor").cast(pl.String).is_in(list(names)) & (pl.col("lane") == Lane.LOG.value)
    inside = pl.col("timestamp").is_between(start, end, "left")
    told = incident.snapshot.told(own & inside, "actor", "source", "clock", "kind", "body")
    said = pl.col("body").str.contains_any(list(BOOT_MARKS), ascii_case_insensitive=True)
    started = (pl.col("kind") == Kind.CHANGE.value) & pl.col("body").str.starts_with("Started")
    spoken = told.tail(MOST_LINES).filter(
        pl.when(pl.col("kind") == Kind.CHANGE.value).then(started).otherwise(said)
    )
    first = _first_lines(incident, own).filter(
        inside & (pl.col("timestamp") >= incident.window.start + HEARD_NS)
    )
    found = pl.concat(
        [
            spoken.select(pl.col("actor").cast(pl.String), _host(), "timestamp", "row", "body",
                          said=pl.lit(value=True)),
            first.select(pl.col("actor").cast(pl.String), _host(), "timestamp", "row",
                         pl.lit("").alias("body"), said=pl.lit(value=False)),
        ]
    ).sort("timestamp", "said", "row", descending=[False, True, False])  # fmt: skip
    boots: dict[tuple[str, str, int], Boot] = {}
    for actor, host, timestamp, row, body, was_said in found.iter_rows():
        boot = Boot(actor, names[actor], host, timestamp, row, was_said, _version(body))
        boots.setdefault((actor, host, timestamp // HEARD_NS), boot)
    return tuple(sorted(boots.values(), key=lambda boot: (boot.timestamp, boot.actor, boot.host)))


def _version(body: str) -> str:
    match = _VERSION.search(body)
    return match.group(1) if match else ""


def _host() -> pl.Expr:
    clock = pl.col("clock").cast(pl.String).fill_null("")
    source = pl.col("source").cast(pl.String)
    return pl.when(clock == "").then(source).otherwise(clock).alias("host")


def _actors_of(incident: Incident, services: frozenset[str]) -> dict[str, str]:
    """Every actor whose service is one of `services`, with its service."""
    actors = incident.snapshot.events.get_column("actor").unique().cast(pl.String).drop_nulls()
    named = pl.DataFrame({"actor": actors.sort()}).with_columns(
        service=service_of(pl.col("actor"))
    )
    return {actor: service for actor, service in named.iter_rows() if service in services}


def _first_lines(incident: Incident, own: pl.Expr) -> pl.DataFrame:
    """(actor, source, clock, timestamp, row) of the first line of each actor on each host."""
    return (
        incident.snapshot.events.lazy()
        .with_row_index("row")
        .filter(own)
        .group_by("actor", "source", "clock")
        .agg(
            pl.col("timestamp").min(),
            row=pl.col("row").get(pl.col("timestamp").arg_min()),
        )
        .with_columns(pl.col("row").cast(pl.UInt32))
        .collect()
    )
