"""When given workers came up, whatever their logs call it.

A start is told by its words (`timeline.facts.boots`), by a line that names the version of a deploy,
or by the deploy itself where it was of the workers' own service.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.facts.boots import Boot, boots_of, host_of
from timeline.templates import service_of

if TYPE_CHECKING:
    from timeline.facts.changes_seen import Change
    from timeline.incident import Incident

VERSION_LETTERS = 7
"""Of a version that a line must repeat: what git shortens a commit to."""
MOST_LINES = 5_000


def worker_starts(
    incident: Incident, workers: Iterable[str], changes: Sequence[Change], start: int
) -> tuple[Boot, ...]:
    """Starts from `start` (ns) on, by instant; `actor` is the name that the worker was given by.

    Workers may be given by host, while their logs speak under the name of the service.
    """
    names = set(workers)
    if not names:
        return ()
    hosts = incident.handled.filter(pl.col("host").is_in(sorted(names)))
    actors = dict(hosts.select("host", "actor").unique().iter_rows())
    spoken = sorted({actors.get(name, name) for name in names})
    services = pl.DataFrame({"actor": spoken}, schema={"actor": pl.String})
    of = services.select(service_of(pl.col("actor"))).to_series().to_list()
    first, last = max(start, incident.window.start), incident.window.end
    # A worker that was only recycled came up with the version it had.
    own = _own(_by_version(incident, spoken, changes, first), names)
    own = own or _own(boots_of(incident, of, first, last), names)
    told = {boot.actor for boot in own}
    for change in changes:
        if change.service and change.service in {*spoken, *of}:
            own += [
                Boot(name, change.service, name, change.timestamp, change.row, True, change.version)
                for name in sorted(names - told)
                if actors.get(name, name) == change.service
            ]
    return tuple(sorted(own, key=lambda boot: (boot.timestamp, boot.actor, boot.row)))


def _own(found: Sequence[Boot], names: set[str]) -> list[Boot]:
    """Those of `found` that are about any of `names`, under that name."""
    told = [boot for boot in found if boot.actor in names]
    return told + [
        boot._replace(actor=boot.host)
        for boot in found
        if boot.host in names and boot.actor not in names
    ]


def _by_version(
    incident: Incident, actors: Sequence[str], changes: Sequence[Change], start: int
) -> list[Boot]:
    """The first line of every worker that names the version of a change."""
    marks = {one.version[:VERSION_LETTERS] for one in changes}
    marks = {mark for mark in marks if len(mark) == VERSION_LETTERS}
    if not marks or not actors:
        return []
    own = (pl.col("lane") == Lane.LOG.value) & pl.col("actor").is_in(list(actors))
    own &= pl.col("timestamp") >= start
    lines = incident.snapshot.told(own, "actor", "source", "clock", "body")
    lines = lines.filter(pl.col("body").str.contains_any(sorted(marks))).head(MOST_LINES)
    told = lines.select("timestamp", "row", pl.col("actor").cast(pl.String), host_of(), "body")
    once = told.unique(["actor", "host", "body"], keep="first", maintain_order=True)
    found = []
    for timestamp, row, actor, host, body in once.iter_rows():
        version = next(mark for mark in sorted(marks) if mark in body)
        found.append(Boot(actor, actor, host, timestamp, row, True, version))
    return found
