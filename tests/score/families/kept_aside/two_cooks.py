"""A nightly job and one that a person started work on the same record at once. Neither takes a
lock; the record goes through the stages of both, and one of them ends on a stage it cannot know.

A person sees it by:
- the lines of two jobs of different kinds on one record: the second starts within the first;
- the record's versions, in which the two take turns at one column;
- the error of the one that found a stage which its own steps never lead to.
"""

from __future__ import annotations

from itertools import pairwise

from tests.score.families.acts import fault
from tests.score.families.watched import audited
from tests.score.held import narrowed, of_these
from tests.score.queues import Attempt
from tests.score.sixth_company.acts import SEVERITY_ERROR, close, told
from tests.score.sixth_company.company import Shift, settle, shift
from tests.score.truth import Truth
from tests.score.world import Thing, World
from timeline.event import Kind

_STAGES = (("open", "frozen", "counted", "closed"), ("open", "priced", "billed", "settled"))


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    here = shift(world)
    rng = here.rng
    stages = rng.choice(_STAGES)
    nightly, by_hand = _names(here)
    at, pairs, done = here.onset_s, list[Thing](), rng.randint(2, 5)
    apart = rng.uniform(20, 60)
    for _ in range(done):
        pairs.append(_both(here, at, stages, (nightly, by_hand)))
        at += rng.uniform(0.4, 1.5) * apart
    for _ in range(12):  # on other records each runs alone
        _alone(here, rng.uniform(60, here.end_s - 40), stages, rng.choice((nightly, by_hand)))
    close(here)
    effect = all(_interleaved(here, pair) for pair in pairs)
    truth = fault(here, "overlapping-runs", at, pairs, effect=effect)
    # the one that died had written before
    return narrowed(truth, of_these(truth, "unsafe-replay"))


def _names(here: Shift) -> tuple[str, str]:
    name = here.company.job_class
    return f"Nightly{name}" if name[0].isupper() else f"nightly-{name}", name


def _run(
    here: Shift, at: float, took: float, thing: str, name: str, error: str = ""
) -> tuple[str, Attempt]:
    """A job and its one attempt with its first and last line; its id."""
    firm = here.company
    sender = firm.front.hosts[0] if name == firm.job_class else firm.worker.hosts[0]
    job = here.push(at - here.rng.uniform(0.05, 0.6), thing, sender, name)
    outcome = "dead" if error else "finished"
    return job.id, here.run(job, at, took, outcome, error)


def _step(here: Shift, at: float, thing: str, old: str, new: str, by: tuple[str, Attempt]) -> None:
    job, attempt = by
    words = f"{here.company.thing}_id={thing} stage {old} -> {new} job_id={job}"
    here.line(at, here.company.worker, words, host=attempt.host)
    changed = {"stage": (old, new)}
    audited(here, at - 0.003, here.company.table, thing, changed, job, host=attempt.host)


def _alone(here: Shift, at: float, stages: tuple[str, ...], name: str) -> None:
    thing = here.new_id()
    run = _run(here, at, 2.0, thing, name)
    for place in range(len(stages) - 1):
        _step(here, at + 0.5 * (place + 1), thing, stages[place], stages[place + 1], run)


def _both(here: Shift, at: float, stages: tuple[str, ...], names: tuple[str, str]) -> Thing:
    """Two runs of a few seconds on one record, the second begun in the middle of the first."""
    rng, thing = here.rng, here.new_id()
    beat = rng.uniform(0.4, 1.6)
    late = rng.uniform(0.2, 0.8) * beat
    error = f"IllegalStage: cannot go from {stages[3]} to {stages[2]}"
    one = _run(here, at, 4 * beat, thing, names[0])
    two = _run(here, at + beat + late, 4.2 * beat, thing, names[1], error)
    _step(here, at + beat, thing, stages[0], stages[1], one)
    _step(here, at + 2.1 * beat + late, thing, stages[1], stages[0], two)
    _step(here, at + 2.4 * beat + late, thing, stages[0], stages[1], two)
    _step(here, at + 2.5 * beat + late, thing, stages[1], stages[2], one)
    _step(here, at + 3.8 * beat + late * 0.2, thing, stages[2], stages[3], one)
    found = here.entity(thing)
    found.keys |= frozenset((f"job:{one[0]}", f"job:{two[0]}"))
    found.request = f"{one[0]} {two[0]}"
    return found


def _interleaved(here: Shift, pair: Thing) -> bool:
    """Whether the second began before the first ended, and both wrote in turns."""
    one, two = pair.request.split()
    first = [event for event in told(here, one) if event.kind is Kind.LOG]
    second = [event for event in told(here, two) if event.kind is Kind.LOG]
    writers = [
        event.actor for event in told(here, pair.id, "stage ") if event.kind is Kind.ROW_VERSION
    ]
    turns = sum(a != b for a, b in pairwise(writers))
    failed = any(event.severity_number >= SEVERITY_ERROR for event in second)
    return second[0].timestamp < first[-1].timestamp and turns >= 2 and failed
