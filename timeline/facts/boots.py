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
from timeline.facts.sight import absence
from timeline.facts.words import listed
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
MOST_SEARCHED = 300_000
"""Lines before an instant among which starts are looked for; each costs about 60 ns."""
MOST_LINES = 5_000
"""Of those, the latest that speak of a start; nobody starts so often."""
HEARD_NS = 60_000_000_000
"""An actor first heard less than this after the beginning of what was read may be old."""


_VERSION = re.compile(
    r"(?i)\b(?:version|release|build(?: id)?|rev(?:ision)?|sha|commit)[ =:#]+\"?([\w.+-]{2,40})"
)


_COLUMNS = ("actor", "source", "clock", "kind", "body")


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


def boots_of(incident: Incident, services: Iterable[str], start: int, end: int) -> tuple[Boot, ...]:
    """Starts of actors of `services` in `[start, end)` (ns), oldest first, one each minute."""
    names = _actors_of(incident, frozenset(services))
    if not names:
        return ()
    inside = pl.col("timestamp").is_between(start, end, "left")
    log = pl.col("lane") == Lane.LOG.value
    said = pl.col("body").str.contains_any(list(BOOT_MARKS), ascii_case_insensitive=True)
    started = (pl.col("kind") == Kind.CHANGE.value) & pl.col("body").str.starts_with("Started")
    own = log & inside & pl.col("actor").is_in(sorted(names))
    # In two steps: asked for together, every text of the incident would be searched.
    spoken = incident.snapshot.told(own, *_COLUMNS).filter(
        pl.when(pl.col("kind") == Kind.CHANGE.value).then(started).otherwise(said)
    )
    new = _newcomers(incident, names)
    unheard = log & inside & pl.col("actor").is_in(new)
    first = incident.snapshot.told(unheard, *_COLUMNS) if new else spoken.clear()
    spoken, first = _shown(spoken), _shown(first.unique("actor", keep="first", maintain_order=True))
    found = pl.concat([spoken.with_columns(said=True), first.with_columns(said=False)])
    found = found.sort("timestamp", "said", "row", descending=[False, True, False])
    boots: dict[tuple[str, str, int], Boot] = {}
    for row, timestamp, actor, host, body, was_said in found.iter_rows():
        version = _version(body) if was_said else ""
        boot = Boot(actor, names[actor], host, timestamp, row, was_said, version)
        boots.setdefault((actor, host, timestamp // HEARD_NS), boot)
    return tuple(sorted(boots.values(), key=lambda boot: (boot.timestamp, boot.actor, boot.host)))


def start_unseen(incident: Incident, actors: Iterable[str], start: int, end: int) -> str:
    """Why a start of any of `actors` in `[start, end)` (ns) may have been missed; "" if it cannot.

    Whoever wrote no line, or whose log was not read in full, may have started unseen.
    """
    names = sorted(set(actors))
    told = incident.snapshot.events.lazy().filter(
        (pl.col("lane") == Lane.LOG.value) & pl.col("actor").is_in(names)
    )
    pairs = told.select(pl.col("actor", "source").cast(pl.String)).unique().collect()
    heard = set(pairs.get_column("actor").to_list())
    silent = [name for name in names if name not in heard]
    if silent:
        return f"no line of {listed(silent)} was read that would show a start"
    sources = sorted(set(pairs.get_column("source").to_list()))
    return next(iter(absence(incident, sources, start, end).reasons), "")


def searched_from(incident: Incident, start: int, end: int) -> int:
    """The earliest instant (ns) from `start` on with at most `MOST_SEARCHED` events up to `end`."""
    snapshot = incident.snapshot
    last = snapshot.position_at(end)
    if last - snapshot.position_at(start) <= MOST_SEARCHED:
        return start
    return int(snapshot.times[last - MOST_SEARCHED])


def _shown(told: pl.DataFrame) -> pl.DataFrame:
    """(row, timestamp, actor, host, body) of the latest `MOST_LINES`."""
    return told.tail(MOST_LINES).select(
        "row", "timestamp", pl.col("actor").cast(pl.String), host_of(), pl.col("body").fill_null("")
    )


def _newcomers(incident: Incident, names: Iterable[str]) -> list[str]:
    """Those of `names` that said nothing in the first minute of what was read, sorted."""
    snapshot = incident.snapshot
    first = snapshot.position_at(incident.window.start)
    last = snapshot.position_at(incident.window.start + HEARD_NS)
    rows = snapshot.order.slice(first, last - first)
    early = snapshot.events.get_column("actor").gather(rows).unique().cast(pl.String).to_list()
    return sorted(set(names) - set(early))


def _version(body: str) -> str:
    match = _VERSION.search(body)
    return match.group(1) if match else ""


def host_of() -> pl.Expr:
    """The clock a line is stamped by, which is its host's; without one its source."""
    clock, source = (pl.col(name).cast(pl.String).fill_null("") for name in ("clock", "source"))
    return pl.when(clock == "").then(source).otherwise(clock).alias("host")


def _actors_of(incident: Incident, services: frozenset[str]) -> dict[str, str]:
    """Every actor whose service is one of `services`, with its service."""
    actors = incident.snapshot.events.get_column("actor").unique().cast(pl.String).drop_nulls()
    named = pl.DataFrame({"actor": actors.sort()}).with_columns(service=service_of(pl.col("actor")))
    return {actor: service for actor, service in named.iter_rows() if service in services}
