"""Jobs come faster than they are done, and what is urgent waits behind what is not.

On a queue with few workers a customer's import pushes hundreds of jobs at once, or every job takes
five times as long as it did. The line grows, the oldest waits for minutes, nothing fails.
"""

from __future__ import annotations

from bisect import bisect_right

from tests.score.families.acts import fault
from tests.score.queues import Job
from tests.score.third_company.acts import close, order, run_on
from tests.score.third_company.house import Watch, move_in, watch
from tests.score.truth import Truth
from tests.score.world import Thing, World

LONG_S = 60.0
"""Who has waited this long has been kept waiting; on other nights it is a second."""


def prepare(world: World) -> None:
    move_in(world)


def inject(world: World) -> Truth:
    here = watch(world)
    rng = here.rng
    begin, slots = here.onset_s, rng.randint(1, 3)
    flood = rng.random() < 0.6
    queue = rng.choice(("documents", "low", "per_customer", "exports"))
    rate = rng.uniform(0.06, 0.12) if flood else rng.uniform(0.15, 0.25)
    usual = rng.uniform(1.0, 2.2) * slots if flood else rng.uniform(0.5, 1.2) * slots
    slow = usual if flood else slots / rate * rng.uniform(1.6, 3.2)
    waiting = _asked_for(here, queue, rate)
    if flood:
        waiting += _imported(here, queue, begin)
    waiting.sort(key=lambda pair: pair[1].pushed[0])
    kept = _work_off(here, waiting, begin, slots, usual, slow)
    if rng.random() < 0.5:
        _depth(here, queue, [job for _, job in waiting])
    close(here)
    return fault(here, "backlog", here.end_s, kept, effect=len(kept) > 10)


def _asked_for(here: Watch, queue: str, rate: float) -> list[tuple[Thing, Job]]:
    """What people put on this queue all night, one by one."""
    found = []
    at = here.rng.uniform(1, 8)
    while at < here.end_s - 2:
        found.append(order(here, at, queue=queue))
        at += here.rng.expovariate(rate)
    return found


def _imported(here: Watch, queue: str, begin: float) -> list[tuple[Thing, Job]]:
    """One request whose list becomes hundreds of rows and jobs within a minute or two."""
    rng, firm = here.rng, here.house
    count, rate = rng.randint(160, 330), rng.uniform(4, 12)
    path = f"/{firm.table}/import"
    rid, host = here.begun(begin, path=path)
    here.answered(begin + 0.4, rid, host, 202, 400, path=path)
    words = f"import accepted rows={count} request_id={rid}"
    here.line(begin + 0.3, firm.front, words, host=host)
    found = []
    at = begin + 0.5
    for _ in range(count):
        thing = here.new_id()
        shown = {"state": "open", "source": "import"}
        here.row(at, firm.table, thing, columns=shown, commit=at + 0.004)
        job = here.push(at + 0.006, thing, host)
        job.queue = queue
        found.append((here.entity(thing, rid, job), job))
        at += rng.expovariate(rate)
    return [(thing, job) for thing, job in found if job.pushed[0] < here.at(here.end_s - 2)]


def _work_off(
    here: Watch,
    waiting: list[tuple[Thing, Job]],
    begin: float,
    slots: int,
    usual: float,
    slow: float,
) -> list[Thing]:
    """Run the jobs in their order on `slots` workers; who waited long."""
    rng = here.rng
    free = [0.0] * slots
    kept: list[Thing] = []
    for thing, job in waiting:
        sent = (job.pushed[0] - here.start) / 1e9
        place = min(range(slots), key=free.__getitem__)
        starts = max(free[place], sent + rng.uniform(0.02, 0.2))
        took = (slow if starts > begin else usual) * rng.uniform(0.7, 1.4)
        if min(starts, here.end_s) - sent > LONG_S:
            kept.append(thing)
        if starts + took > here.end_s - 0.5:
            free[place] = here.end_s
            if starts < here.end_s - 0.5:
                run_on(here, job, starts, 0, outcome="running")
            continue
        free[place] = starts + took
        attempt = run_on(here, job, starts, took)
        here.effect_row(starts + took * 0.9, thing.id, attempt.host)
    return kept


def _depth(here: Watch, queue: str, jobs: list[Job]) -> None:
    """The exporter's count of waiting jobs."""
    sent = sorted(job.pushed[0] for job in jobs)
    begun = sorted(job.attempts[0].started for job in jobs if job.attempts)
    every = [15.0 * place for place in range(int(here.end_s // 15))]
    samples = [
        (s, float(bisect_right(sent, here.at(s)) - bisect_right(begun, here.at(s)))) for s in every
    ]
    here.curve("queue_waiting", {"queue": queue, "job": "queue-exporter"}, samples)
