"""full: something was used up, by the word of whoever ran out: disk, memory, handles, a store.

Story: the disk of the Redis host fills at night. Redis cannot save, refuses writes, and from then
on every push of a job fails while every page still loads.

Predicate: an error that is the owner's own word for "used up" (`timeline.facts.used_up`): the
kernel's ENOSPC or EMFILE through any program, Redis' maxmemory and MISCONF, a broker's alarm, a
search cluster's flood stage, a run-time's out-of-memory error. Connections are not read here:
`connections-exhausted` owns them. Where nobody says it, curves of space may (`full_measured`).

False positives: lines that talk about such errors, counters of zero, warnings about a share that
is still free (no wording of an end): silent. One single line is likely, not certain.

Reference: errno(3); Redis documentation (eviction, persistence), RabbitMQ "Memory and Disk Alarms",
PostgreSQL appendix A (53100), Elasticsearch disk watermarks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.detectors.full_measured import full_by_figures
from timeline.event import Lane
from timeline.facts.failures import victims_of
from timeline.facts.sight import heard
from timeline.facts.used_up import resource_named, used_up
from timeline.facts.words import capital, counted, instant, listed
from timeline.finding import Finding, NotEvaluated, Stage, Step
from timeline.order import Verdict, before

if TYPE_CHECKING:
    from timeline.incident import Incident

MIN_REPORTS = 2
"""One line may quote somebody else's; a second makes it a state."""
PLACE = (
    r"(?:file|path|directory|write|writing|open|to)[:=]? [\"']?((?:/|base/|pg_wal/)[^\s\"',:;)]+)"
)
MAX_STEPS = 6
MAX_FINDINGS = 4


@dataclass(frozen=True, slots=True)
class Place:
    """Who said so, how often, first and last (ns UTC)."""

    who: str
    reports: int
    first: int
    last: int


@dataclass(frozen=True, kw_only=True)
class Full(Finding):
    """One resource that was used up. Times are ns UTC; `path` is where, when a line names it."""

    term: ClassVar[str] = "full"
    stage: ClassVar[Stage] = Stage.TRIGGER
    remedy: ClassVar[str] = (
        "Alert on what is left and how fast it goes, keep logs and queues off the disk of the "
        "database, and bound every store that grows with the load."
    )

    resource: str
    subject: str
    means: str
    places: tuple[Place, ...]
    reports: int
    path: str

    def sentence(self) -> str:
        names = listed([place.who for place in self.places])
        told = f"{capital(self.clause())}: {names} said so {counted(self.reports, 'time')}"
        told += f" from {instant(self.began)} to {instant(self.ended)}"
        if len(self.places) > 1:
            told += f", {self.places[0].who} first"
        told += f" (at {self.path})" if self.path else ""
        return f"{told}; {self.means}."

    def clause(self) -> str:
        if self.resource in ("disk", "index disk", "broker disk"):
            whose = "a disk" if self.resource == "disk" else f"the disk of {self.subject}"
            return f"{whose} was full"
        if self.resource == "redis persistence":
            return "Redis could not save and stopped taking writes"
        if self.resource in ("redis memory", "broker memory", "node memory"):
            return f"{self.subject} had no memory left"
        return f"{self.subject} ran out"


class FullDetector:
    """Finds resources that were used up; see the module."""

    term: ClassVar[str] = Full.term
    speaks_early: ClassVar[bool] = True

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        if not any(heard(incident, lane) for lane in (Lane.LOG, Lane.QUEUE, Lane.METRIC)):
            return NotEvaluated(self.term, "logs of services and servers")
        window = incident.window
        reports = used_up(incident).filter(
            pl.col("timestamp") >= window.start  # what was looked up from before is another story
        )
        found = [
            _finding(incident, str(resource), part)
            for (resource,), part in reports.group_by(["resource"], maintain_order=True)
        ]
        told = sorted(found, key=lambda one: (one.began, one.resource))[:MAX_FINDINGS]
        return told or full_by_figures(incident)


def _finding(incident: Incident, name: str, part: pl.DataFrame) -> Full:
    resource = resource_named(name)
    victims = victims_of(incident, part.select("row", "timestamp", "source", "actor"))
    enough = part.height >= MIN_REPORTS
    paths = part.get_column("body").str.extract(PLACE, 1).drop_nulls()
    places = _places(part)
    return Full(
        verdict=Verdict.CERTAIN if enough else Verdict.LIKELY,
        weakest_link=(
            f"{counted(part.height, 'record')} of those who ran out say so themselves"
            if enough
            else "one record alone says so"
        ),
        began=part["timestamp"][0],
        ended=part["timestamp"][-1],
        steps=_steps(incident, part),
        keys=tuple(sorted(set(victims.get_column("key").to_list()))),
        would_decide=(f"Look at how much of it is left now at {places[0].who}.",),
        alternatives=("a limit of the process or the container, not of the machine",),
        next_action=resource.first,
        resource=name,
        subject=resource.subject,
        means=resource.means,
        places=places,
        reports=part.height,
        path=str(paths[0]) if paths.len() else "",
    )


def _places(part: pl.DataFrame) -> tuple[Place, ...]:
    """Who said so, the first to say so first."""
    who = pl.when(pl.col("actor").fill_null("") == "").then("source").otherwise("actor")
    grouped = part.group_by(who.alias("who"), maintain_order=True).agg(
        n=pl.len(), first=pl.col("timestamp").min(), last=pl.col("timestamp").max()
    )
    return tuple(Place(*row) for row in grouped.sort("first", "who").iter_rows())


def _steps(incident: Incident, part: pl.DataFrame) -> tuple[Step, ...]:
    """The first report of everybody, then the last of all."""
    firsts = part.unique("actor", keep="first", maintain_order=True).head(MAX_STEPS - 1)
    rows = list(dict.fromkeys([*firsts["row"].to_list(), part["row"][-1]]))
    steps: list[Step] = []
    for number, event in enumerate(incident.snapshot.events_at(rows)):
        last = number == len(rows) - 1 and number > 0
        role = "last report" if last else "ran out" if not steps else "ran out too"
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        who = event.actor or event.source
        steps.append(Step(role, event, f"{who} says that {part['resource'][0]} is used up", order))
    return tuple(steps)
