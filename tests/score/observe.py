"""One look: a scenario, a seed and a view give one flat observation, fit for another process.

The truth is applied here, beside the world; nothing but plain values leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.score.baselines import nearest_errors, novel_lines
from tests.score.catalogue import detectors, scenario
from tests.score.collection import CLEAR, Archive, View
from tests.score.fifth_company.quiet import quiet_night as fifth_night
from tests.score.fourth_company.quiet import quiet_night as fourth_night
from tests.score.healthy import healthy
from tests.score.recorded import quiet_incident
from tests.score.second_company.quiet import quiet_night as second_night
from tests.score.seventh_company.quiet import quiet_night as seventh_night
from tests.score.sixth_company.quiet import quiet_night as sixth_night
from tests.score.third_company.quiet import quiet_night as third_night
from tests.score.truth import Truth, alarms, claims, precision, recall
from tests.score.world import World
from timeline.analysis import Analysis, analyse
from timeline.finding import Finding
from timeline.order import Verdict
from timeline.window import SECOND_NS

NIGHTS: tuple[Callable[[str], World], ...] = (
    healthy,
    second_night,
    third_night,
    fourth_night,
    fifth_night,
    sixth_night,
    seventh_night,
)
"""Where nothing is wrong, in turn: the generator's company and the six others."""
FIRST_SCREEN = 7
"""Findings that fit on the first screen."""
HEALTHY = "healthy"
RECORDED = "recorded-quiet-hour"
"""Healthy windows, too, but of real servers."""


@dataclass(frozen=True, slots=True)
class Task:
    """What to look at: a scenario (or `healthy`), a seed, how much of it is seen."""

    name: str
    seed: int
    view: View = CLEAR
    label: str = "all sources"
    group: str = ""
    unregistered: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """One claim, judged. `true` is None in a world without a fault."""

    term: str
    verdict: Verdict
    true: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Observation:
    """What one task gave."""

    task: Task
    term: str = ""
    accepted: frozenset[str] = frozenset()
    """Terms under which the fault may be found."""
    effect: bool = True
    said: tuple[Said, ...] = ()
    first_screen: bool = False
    top: bool = False
    found_by: str = ""
    verdict: str = ""
    onset_error_s: float | None = None
    entity_precision: float | None = None
    entity_recall: float | None = None
    nearest_precision: float | None = None
    novel_precision: float | None = None
    broken: tuple[str, ...] = ()
    """Detectors that raised."""
    events: int = 0
    front: str = ""
    worker: str = ""
    queue: str = ""
    """How the front and the workers word things, and the queue's brand."""
    disturbed: tuple[str, ...] = field(default=())
    """For a confuser: the terms that should have been silent and were not."""


def world_of(task: Task) -> tuple[World, Truth | None]:
    if task.name == HEALTHY:
        return NIGHTS[task.seed % len(NIGHTS)](f"{HEALTHY}/{task.seed}"), None
    return scenario(task.name).world(task.seed)


def observe(task: Task) -> Observation:
    """Build the world, look, compare."""
    if task.name == RECORDED:
        return _observed_recording(task)
    world, truth = world_of(task)
    return observed(task, Archive.of(world), truth)


def _observed_recording(task: Task) -> Observation:
    incident = quiet_incident(task.seed)
    analysis = analyse(incident, detectors(unregistered=task.unregistered))
    said = tuple(Said(f.term, f.verdict, False, f.sentence()) for f in claims(analysis.findings))
    return Observation(
        task, said=said, broken=_broken(analysis), events=len(incident.snapshot), queue="rq"
    )


def observed_all(name: str, seed: int, group: str, *, unregistered: bool) -> list[Observation]:
    """The same world seen in full, without each of its sources, by bad clocks and by a sample."""
    world, truth = world_of(Task(name, seed))
    archive = Archive.of(world)
    return [
        observed(Task(name, seed, view, label, group, unregistered), archive, truth)
        for label, view in views_of(world)
    ]


def views_of(world: World) -> Iterator[tuple[str, View]]:
    """Every degradation, with the name it has in the table."""
    for source in world.sources():
        yield f"without {kind_of(source, world)}", View(without=frozenset((source,)))
    for words, milliseconds in (("50 ms", 50), ("250 ms", 250), ("2 s", 2_000)):
        yield f"clocks off by {words}", View(clock_error=milliseconds * 1_000_000)
    yield "10 % of the log lines", View(log_share=0.1)


def kind_of(source: str, world: World) -> str:
    """What a source is, whatever this company calls it."""
    if source == world.brand.name:
        return "the queue"
    if source == "central-logs":
        return "all service logs"
    front, worker = world.company.front.name, world.company.worker.name
    own = {f"{front}-log": "the front's log", f"{worker}-log": "the workers' log"}
    others = {
        "database": "the database",
        "db-log": "the database's log",
        "prometheus": "the metrics",
        "deploys": "the changes",
    }
    return own.get(source) or others.get(source) or "another service's log"


def observed(task: Task, archive: Archive, truth: Truth | None) -> Observation:
    world, incident = archive.world, archive.collected(task.view)
    analysis = analyse(incident, detectors(unregistered=task.unregistered))
    said = claims(analysis.findings)
    judged = tuple(
        Said(f.term, f.verdict, truth is not None and truth.holds(f), f.sentence()) for f in said
    )
    common = {
        "task": task,
        "said": judged,
        "broken": _broken(analysis),
        "events": len(incident.snapshot),
        "front": world.company.front.style_name,
        "worker": world.company.worker.style_name,
        "queue": world.brand.name,
    }
    if truth is None:
        silent = () if task.name == HEALTHY else scenario(task.name).terms
        woken = tuple(f.term for f in alarms(said) if f.term in silent)
        return Observation(**common, disturbed=woken)  # type: ignore[arg-type]  # fields by name
    true = [f for f in said[:FIRST_SCREEN] if truth.found_by(f)]
    best = true[0] if true else None
    keys: list[str] = [] if best is None else _keys(true)
    return Observation(
        **common,  # type: ignore[arg-type]  # fields by name
        term=truth.term,
        accepted=truth.accepted,
        effect=truth.effect,
        first_screen=bool(true),
        top=bool(said) and truth.found_by(said[0]),
        found_by="" if best is None else best.term,
        verdict="" if best is None else best.verdict.value,
        onset_error_s=None if best is None else abs(best.began - truth.onset) / SECOND_NS,
        entity_precision=precision(keys, truth.entities) if truth.entities else None,
        entity_recall=recall(keys, truth.entities) if best is not None else None,
        nearest_precision=precision(nearest_errors(incident), truth.entities)
        if truth.entities
        else None,
        novel_precision=precision(novel_lines(incident), truth.entities)
        if truth.entities
        else None,
    )


def _keys(found: list[Finding]) -> list[str]:
    return [key for finding in found for key in finding.keys]


def _broken(analysis: Analysis) -> tuple[str, ...]:
    return tuple(n.sentence() for n in analysis.not_evaluated if n.needs.startswith("a repair"))
