"""The fifth part of stale-read: a path that was there answered 404, and was there again.

Story: the client makes a loan with PUT and reads it at once; the reading pool answers 404, and
finds it five seconds later.

Predicate: by one access log, a success on a path, a 404 on the same path within a minute, and a
success again, with nothing in between that would have made it anew. Likely for two paths and more
where the success before was a write, or whose row is on record from before the 404; else possible.

False positives: paths that stay missing, paths that were deleted, scanners (silent); one host of
several without a route answers 404 for paths of all ages (named as the alternative).

Reference: read-your-writes violation (Terry et al., "Session Guarantees", 1994).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.detectors.stale_values import REMEDY
from timeline.facts.missed_targets import MissedTarget, missed_targets
from timeline.facts.words import abridged, counted, instant, length, listed, often
from timeline.finding import Finding, Step
from timeline.order import Verdict, before

if TYPE_CHECKING:
    from timeline.incident import Incident

SURE = 2
APART_NS = 1_000_000_000
"""A line is written as its request ends: one that ended a moment later may have begun before."""
MAX_FINDINGS = 3
MAX_STEPS = 2


@dataclass(frozen=True, kw_only=True)
class MissedPath(Finding):
    """Paths of one route that were missing for a moment, in time order. `rows` counts those whose
    row is on record from before."""

    term: ClassVar[str] = "stale-read"
    remedy: ClassVar[str] = REMEDY

    route: str
    paths: tuple[MissedTarget, ...]
    rows: int

    def sentence(self) -> str:
        first = self.paths[0]
        names = listed([path.target for path in self.paths], 2)
        how = "made" if first.made else "found"
        return abridged(
            f"{counted(len(self.paths), 'path')} of {self.route} answered 404 after "
            f"{'it was' if len(self.paths) == 1 else 'they were'} there: {names} (the first was "
            f"{how} at {instant(first.there)}, missing {often(first.times)} from "
            f"{instant(first.missed)} on, and found {length(first.back - first.there)} later)."
        )

    def clause(self) -> str:
        return f"{counted(len(self.paths), 'path')} of {self.route} went missing for a moment"


def missed_paths(incident: Incident) -> list[MissedPath]:
    """Findings by route, strongest first."""
    groups: dict[str, list[MissedTarget]] = {}
    for one in missed_targets(incident):
        groups.setdefault(one.route, []).append(one)
    found = [_finding(incident, route, paths) for route, paths in groups.items()]
    found.sort(key=lambda one: (list(Verdict).index(one.verdict), one.began))
    return found[:MAX_FINDINGS]


def _finding(incident: Incident, route: str, paths: Sequence[MissedTarget]) -> MissedPath:
    keys, rows = _keys(incident, paths)
    proved = sum(path.made for path in paths)
    apart = any(path.last - path.there >= APART_NS for path in paths)
    sure = len(paths) >= SURE and max(proved, rows) >= SURE and apart
    return MissedPath(
        verdict=Verdict.LIKELY if sure else Verdict.POSSIBLE,
        weakest_link="which copy answered is not on record",
        began=paths[0].there,
        ended=max(path.back for path in paths),
        steps=tuple(step for path in paths[:MAX_STEPS] for step in _steps(incident, path)),
        keys=keys,
        would_decide=(f"Look which servers and which database answered GET {route}.",),
        alternatives=("one server of several did not know the route",),
        next_action=f"Read {listed([path.target for path in paths], 3)} on the primary.",
        route=route,
        paths=tuple(paths),
        rows=rows,
    )


def _keys(incident: Incident, paths: Sequence[MissedTarget]) -> tuple[tuple[str, ...], int]:
    """Keys of the rows that these paths name, and how many were on record before the 404."""
    records, owners = incident.records.summary, incident.records.owners
    wanted = pl.DataFrame(
        {"pk": [path.pk for path in paths], "missed": [path.missed for path in paths]}
    )
    held = records.select("record", "pk", "created").join(wanted, on="pk").join(owners, on="record")
    there = held.filter(pl.col("created") < pl.col("missed"))
    named = pl.concat([held.get_column("key"), held.get_column("record")]).unique().sort()
    return tuple(named), there.get_column("record").n_unique()


def _steps(incident: Incident, path: MissedTarget) -> list[Step]:
    there, missed, back = incident.snapshot.events_at(
        [path.there_row, path.missed_row, path.back_row]
    )
    return [
        Step("there", there, f"{path.target} was {'made' if path.made else 'found'}"),
        Step("missing", missed, "it is not found", before(there, missed, incident.clocks)),
        Step("there again", back, "it is found", before(missed, back, incident.clocks)),
    ]
