"""deadlock: transactions that waited for each other until the server ended one of them.

Part of the lock-queue detector. Counts what server and clients tell of the same deadlock once, and
follows the work of whoever was rolled back: by its job or request, else by the thing its error
names. A few deadlocks whose work went on are a qualifier.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.event import SEVERITY_ERROR, Event, Kind
from timeline.facts.bursts import clusters
from timeline.facts.entities import entity_pairs, pairs_of_type
from timeline.facts.lines import keyed_lines
from timeline.facts.lock_lines import circle_of, relations_of
from timeline.facts.locks import APART_NS
from timeline.facts.words import counted, instant, listed
from timeline.finding import Finding, Stage, Step
from timeline.order import Verdict, before

if TYPE_CHECKING:
    from timeline.incident import Incident

MIN_DEADLOCKS = 3
"""That many in one stretch are a pattern of the code, even where each was tried again."""
SAME_DEADLOCK_NS = 2_000_000_000
"""Server and client tell one deadlock within this time; clocks and shipping set them apart."""
MAX_STEPS = 7
MAX_FOLLOWED = 50
"""Jobs and requests of one stretch whose end is looked up."""

WORDINGS = (
    r"deadlock detected|DeadlockDetected|ActiveRecord::Deadlocked"
    r"|Deadlock found when trying to get lock|\b1213\b|40P01"
)
"""Wordings and codes of `timeline.errors`."""
WORK = ("job", "request", "trace")
"""Key types by which the work of a client is followed, the surest first."""
TRIES_AGAIN = r"(?i)\bretr(?:y|ies|ied|ying)\b|\btr(?:y|ying) again\b|\battempt \d+"
"""A client that says so has not given up with this line."""
SERVER_ERROR = r"(?:^|\s)5\d\d$|(?i:status)\W{1,2}5\d\d\b|\" 5\d\d "
"""How the closing line of a request says that it failed."""


@dataclass(frozen=True, kw_only=True)
class Deadlock(Finding):
    """Deadlocks of one stretch. `circles` are the sessions of each circle that was told, `tables`
    those in which they met, as far as the server's CONTEXT says so.

    `went_on` counts jobs, requests and things that are seen to go on afterwards without an error,
    `failed` those whose last word is one.
    """

    term: ClassVar[str] = "deadlock"
    stage: ClassVar[Stage] = Stage.TRIGGER
    remedy: ClassVar[str] = (
        "Take locks in one order everywhere, keep transactions short, and retry the whole "
        "transaction that the server ended."
    )

    deadlocks: int
    circles: tuple[tuple[str, ...], ...]
    tables: tuple[str, ...]
    clients: tuple[str, ...]
    went_on: int
    failed: int

    def sentence(self) -> str:
        told = f"{counted(self.deadlocks, 'deadlock')} at {instant(self.began)}"
        if self.deadlocks > 1:
            told = f"{self.deadlocks} deadlocks from {instant(self.began)} to {instant(self.ended)}"
        if self.tables:
            told += f" over {listed(self.tables, 2)}"
        if self.circles:
            circles = [" and ".join(f"pid {pid}" for pid in circle) for circle in self.circles]
            told += f" ({listed(circles, 2)} waited for each other)"
        return f"{told}: the server rolled one transaction of each back, {self._after()}."

    def clause(self) -> str:
        return f"{counted(self.deadlocks, 'deadlock')}, {self._after()}"

    def _after(self) -> str:
        told = [f"{self.went_on} went on afterwards"] if self.went_on else []
        told += [f"{self.failed} ended in an error"] if self.failed else []
        return ", ".join(told) or "whether it was tried again was not seen"


def deadlocks_in(incident: Incident) -> list[Deadlock]:
    """Every stretch with deadlocks; a qualifier where they are few and nothing failed."""
    hits = incident.errors.filter(pl.col("fragment").str.contains(WORDINGS))
    return [_deadlock(incident, part) for part in clusters(hits, APART_NS, 1)]


def in_sequence(events: Sequence[Event], role: str, incident: Incident) -> tuple[Step, ...]:
    """Steps of one role, each with its order against the one before."""
    steps: list[Step] = []
    for event in events:
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        steps.append(Step(role, event, f"{event.actor or event.source} says so", order))
    return tuple(steps)


def _deadlock(incident: Incident, hits: pl.DataFrame) -> Deadlock:
    number = sum(_told_at_once(part) for part in clusters(hits, SAME_DEADLOCK_NS, 1))
    of_work, of_things = _aftermath(incident, hits), _things_after(incident, hits)
    went_on, failed = (a + b for a, b in zip(of_work, of_things, strict=True))
    bodies = hits.get_column("body").to_list()
    circles = {tuple(sorted(circle)) for body in bodies if (circle := circle_of(body))}
    rows = hits.get_column("row")
    keys = incident.snapshot.keys_of(rows).get_column("key").unique().to_list()
    routine = number < MIN_DEADLOCKS and not failed
    tellers = listed(sorted(hits.get_column("source").unique()))
    return Deadlock(
        verdict=Verdict.CERTAIN,
        weakest_link=f"reported by {tellers}: the server found the circle and ended one of it",
        began=hits["timestamp"][0],
        ended=hits["timestamp"][-1],
        steps=in_sequence(
            incident.snapshot.events_at(rows.to_list()[:MAX_STEPS]), "deadlock", incident
        ),
        keys=tuple(sorted(key for key in keys if not key.startswith("session:"))),
        would_decide=("Read both statements of the circle in the server's own log.",),
        next_action="" if routine else "Check what the rolled-back transactions left undone.",
        qualifier=routine,
        deadlocks=number,
        circles=tuple(sorted(circles)),
        tables=tuple(sorted({table for body in bodies for table in relations_of(body)})),
        clients=tuple(sorted(actor for actor in hits.get_column("actor").unique() if actor)),
        went_on=went_on,
        failed=failed,
    )


def _told_at_once(hits: pl.DataFrame) -> int:
    """How many deadlocks hits close together tell: of a circle that is named each counts once,
    and one source tells each at most once."""
    circles = {tuple(sorted(circle_of(body))) for body in hits.get_column("body").to_list()}
    by_source = hits.group_by("source").len().get_column("len").to_list()
    told: int = max(len(circles - {()}), *by_source)
    return told


def _aftermath(incident: Incident, hits: pl.DataFrame) -> tuple[int, int]:
    """(went on, failed): jobs and requests with a deadlock, by their last word."""
    held = incident.snapshot.keys_of(hits.get_column("row"))
    named = [pairs_of_type(held, name) for name in WORK]
    pairs = pl.concat(named).unique("row", keep="first", maintain_order=True)
    names = pairs.get_column("key").unique(maintain_order=True).head(MAX_FOLLOWED)
    snapshot = incident.snapshot
    about = snapshot.keys.filter(pl.col("key").is_in(names.implode()))
    stamps = snapshot.events.get_column("timestamp").gather(about.get_column("row"))
    ordered = about.with_columns(at=stamps).sort("at", "row")
    last = ordered.unique("key", keep="last", maintain_order=True).get_column("row")
    ends = [_ended(event) for event in snapshot.events_at(last.to_list())]
    return ends.count(True), ends.count(False)


def _things_after(incident: Incident, hits: pl.DataFrame) -> tuple[int, int]:
    """(went on, failed): things that a client's error names when it names no job and no request.

    Such a thing went on if the same client writes of it again without an error.
    """
    held = incident.snapshot.keys_of(hits.get_column("row"))
    of_work = pl.concat([pairs_of_type(held, name) for name in WORK])
    final = (pl.col("severity_number") >= SEVERITY_ERROR) & ~pl.col("body").str.contains(
        TRIES_AGAIN
    )
    gave_up = hits.filter(final & (pl.col("actor") != "")).join(of_work, on="row", how="anti")
    pairs = entity_pairs(held).filter(~pl.col("key").is_in(list(incident.snapshot.broad_keys)))
    things = pairs.join(gave_up.select("row", "actor", "timestamp"), on="row")
    things = things.sort("timestamp").unique("row", keep="first", maintain_order=True)
    things = things.unique(["key", "actor"], keep="last", maintain_order=True).head(MAX_FOLLOWED)
    if things.is_empty():
        return 0, 0
    lines = keyed_lines(incident, things.get_column("key")).join(
        things.select("key", "actor", since="timestamp"), on=["key", "actor"]
    )
    calm = lines.filter(
        (pl.col("timestamp") > pl.col("since")) & (pl.col("severity_number") < SEVERITY_ERROR)
    )
    went_on = calm.select("key", "actor").unique().height
    return went_on, things.height - went_on


def _ended(last: Event) -> bool | None:
    """Whether somebody's last event says that all went well; None where it says nothing."""
    if last.kind is Kind.JOB_FINISHED:
        return True
    if last.kind in (Kind.JOB_FAILED, Kind.JOB_DEAD) or last.severity_number >= SEVERITY_ERROR:
        return False
    if last.kind is not Kind.LOG or "deadlock" in last.body.lower():
        return None
    return not pl.Series([last.body]).str.contains(SERVER_ERROR).item()
