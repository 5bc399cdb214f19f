"""Runs the plan over processes and counts: nothing is tuned, nothing is left out of the sum."""

from __future__ import annotations

import gc
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from typing import TypeVar

from tests.score.catalogue import confusers, detectors, families
from tests.score.intervals import quantile
from tests.score.observe import HEALTHY, RECORDED, Observation, Said, Task, observe, observed_all
from tests.score.recorded import NIGHTS, RecordedClaim, claims_about, quiet_windows
from timeline.order import Verdict

A = TypeVar("A")
B = TypeVar("B")
ALONE = 4
"""Fewer worlds than this are not worth a second process."""
SAID_EVERY = 100
GARBAGE = 100_000
"""New objects after which circles are looked for: at Python's 700 that is a twentieth of a look."""
ALARMING = (Verdict.CERTAIN, Verdict.LIKELY)


@dataclass(frozen=True, slots=True)
class Plan:
    """How many worlds of each kind are looked at."""

    healthy: int
    seeds: int
    degraded_seeds: int
    confuser_seeds: int
    family: str = ""
    seed: int | None = None
    processes: int = 2
    unregistered: bool = False

    @classmethod
    def full(cls) -> Plan:
        """Ten seeds of everything. One of each family is looked at again with less to be seen:
        that is a dozen looks, and a second one would double the time of the whole."""
        return cls(healthy=300, seeds=10, degraded_seeds=1, confuser_seeds=10)

    @classmethod
    def quick(cls) -> Plan:
        return cls(healthy=30, seeds=2, degraded_seeds=0, confuser_seeds=2)

    def only(self, family: str | None, seed: int | None) -> Plan:
        return replace(self, family=family or "", seed=seed)

    def over(self, processes: int) -> Plan:
        return replace(self, processes=max(1, processes))

    def including(self, *, unregistered: bool) -> Plan:
        return replace(self, unregistered=unregistered)

    def tasks(self) -> list[Task]:
        """Every single look, the healthy windows first."""
        groups = [(HEALTHY, HEALTHY, self.healthy), (RECORDED, HEALTHY, len(quiet_windows()))]
        groups += [(f.name, f.group, self.seeds) for f in families()]
        groups += [(c.name, c.group, self.confuser_seeds) for c in confusers()]
        return [
            Task(name, seed, group=group, unregistered=self.unregistered)
            for name, group, count in groups
            if self.family in ("", name)
            for seed in ((self.seed,) if self.seed is not None else range(count))
        ]

    def degraded(self) -> list[Task]:
        """Worlds that are looked at again with less of them to be seen."""
        wanted = [(f.name, f.group) for f in families()] + [(HEALTHY, HEALTHY)]
        return [
            Task(name, seed, group=group, unregistered=self.unregistered)
            for name, group in wanted
            if self.family in ("", name)
            for seed in range(self.degraded_seeds * (10 if name == HEALTHY else 1))
        ]


@dataclass(frozen=True)
class Result:
    """Everything that was seen, and how long it took."""

    plan: Plan
    terms: tuple[str, ...]
    clear: tuple[Observation, ...]
    degraded: tuple[Observation, ...]
    seconds: float
    recorded: tuple[tuple[RecordedClaim, ...], ...] = ()
    """What was said of each of `NIGHTS`, in that order; empty when it was not asked."""

    @property
    def healthy(self) -> list[Observation]:
        return [o for o in self.clear if o.task.group == HEALTHY]

    @property
    def confused(self) -> list[Observation]:
        return [o for o in self.clear if o.task.group == "confuser"]

    def faults(self, group: str = "") -> list[Observation]:
        """Looks at worlds with a fault whose effect was there."""
        return [o for o in self.clear if o.term and o.effect and group in ("", o.task.group)]

    def looked_for(self, observation: Observation) -> bool:
        """Whether any detector that ran could have found this fault."""
        return observation.first_screen or not observation.accepted.isdisjoint(self.terms)

    def by_family(self) -> dict[tuple[str, str], list[Observation]]:
        found: defaultdict[tuple[str, str], list[Observation]] = defaultdict(list)
        for observation in self.faults():
            found[observation.task.group, observation.task.name].append(observation)
        return dict(found)


def measure(plan: Plan, say: Callable[[str], None] = lambda _: None) -> Result:
    """Look at every world of the plan; `say` is told how far it has come."""
    begun = time.monotonic()
    known = detectors(unregistered=plan.unregistered)
    terms = tuple(sorted(detector.term for detector in known))
    clear = _spread(observe, plan.tasks(), plan.processes, say, at_once=4)
    nested = _spread(_all_views, plan.degraded(), plan.processes, say, at_once=1)
    return Result(
        plan=plan,
        terms=terms,
        clear=tuple(clear),
        degraded=tuple(o for part in nested for o in part),
        recorded=tuple(claims_about(night) for night in NIGHTS) if not plan.family else (),
        seconds=time.monotonic() - begun,
    )


def _settle(processors: SimpleQueue[int]) -> None:
    """Make this process ready for worlds, on a processor of its own where the system knows such.

    A world is many thousand small objects without a circle among them. And Polars hands nearly
    every step of a look to its own thread: on one processor that is a switch, on two a waking of
    the other, which takes as long as the step itself.
    """
    gc.freeze()
    gc.set_threshold(GARBAGE)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {processors.get()})


def _processors(processes: int) -> list[int]:
    """One processor for each process, in turn where they are fewer."""
    known = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    return [known[number % len(known)] for number in range(processes)]


def _all_views(task: Task) -> list[Observation]:
    return observed_all(task.name, task.seed, task.group, unregistered=task.unregistered)


def _spread(
    work: Callable[[A], B],
    over: Sequence[A],
    processes: int,
    say: Callable[[str], None],
    *,
    at_once: int,
) -> list[B]:
    """`work` of every item, in order, over processes of one Polars thread each."""
    if processes == 1 or len(over) < ALONE:
        return [work(item) for item in over]
    os.environ.setdefault("POLARS_MAX_THREADS", "1")  # the processes are the threads
    found: list[B] = []
    started = get_context("spawn")
    processors = started.SimpleQueue()
    for processor in _processors(processes):
        processors.put(processor)
    with ProcessPoolExecutor(
        processes, mp_context=started, initializer=_settle, initargs=(processors,)
    ) as pool:
        for seen in pool.map(work, over, chunksize=at_once):
            found.append(seen)
            if len(found) % SAID_EVERY == 0 or len(found) == len(over):
                say(f"{len(found)} of {len(over)} worlds")
    return found


def false_alarms(observations: Iterable[Observation]) -> list[Said]:
    """Claims at likely or above that the truth refutes."""
    return [s for o in observations for s in o.said if not s.true and s.verdict in ALARMING]


def calibration(observations: Iterable[Observation]) -> dict[Verdict, tuple[int, int]]:
    """Of the claims of each verdict: how many were true, how many there were."""
    counted = {verdict: (0, 0) for verdict in Verdict}
    for said in (s for o in observations for s in o.said):
        true, of = counted[said.verdict]
        counted[said.verdict] = (true + said.true, of + 1)
    return counted


def mean(values: Iterable[float | None]) -> float | None:
    """Mean of what was measured; None of nothing."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def onset_errors(observations: Iterable[Observation]) -> tuple[float | None, float | None]:
    """Median and 90th percentile, in seconds."""
    known = [o.onset_error_s for o in observations if o.onset_error_s is not None]
    return quantile(known, 0.5), quantile(known, 0.9)
