"""Two relays empty one outbox: for two minutes every message is sent by both.

The lease of the leading relay ran out during a pause, its standby took over, and the first one woke
up and went on. The queue has two jobs with two ids about one outbox entry.
A person sees it by: pairs of jobs of one class with the same arguments down to the outbox entry,
seconds apart and from two hosts, none before and none after; the effect's table has two rows each.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.shopfloor import rows_about
from tests.score.fourth_company.acts import effect_row, recorded
from tests.score.fourth_company.brands import KEEPING
from tests.score.fourth_company.company import Shift, job_names, relocate, shift
from tests.score.fourth_company.neighbours import surround
from tests.score.queues import Attempt, Job
from tests.score.truth import Truth
from tests.score.world import PIN_S, Thing, World

RELAYS = ("outbox-relay-0", "outbox-relay-1")


def prepare(world: World) -> None:
    relocate(world, KEEPING)


def inject(world: World) -> Truth:
    night = shift(world)
    surround(night)
    rng = night.rng
    end = min(PIN_S - 20, night.onset_s + rng.uniform(60, 200))
    hit: list[Thing] = []
    at, entry = rng.uniform(20, 60), rng.randint(80_000, 90_000)
    while at < night.end_s - 8:
        entry += 1
        both = night.onset_s <= at < end
        thing, rid, _ = recorded(night, at)
        sent = at + rng.uniform(0.1, 1.0)
        first = _sent(night, sent, thing, entry, RELAYS[0])
        _worked(night, first, sent + rng.uniform(0.05, 0.8), thing)
        if both:
            again = sent + rng.uniform(0.02, 2.5)
            second = _sent(night, again, thing, entry, RELAYS[1])
            _worked(night, second, again + rng.uniform(0.05, 0.8), thing)
            found = night.entity(thing, rid, first)
            found.keys |= job_names(second.id)
            hit.append(found)
        at += rng.expovariate(1 / 6) + 0.2
    night.aside(night.onset_s - 0.4, "outbox-relay", "became leader, lease 15s", 9, RELAYS[1])
    night.samples()
    twice = all(rows_about(night, night.house.effects, thing.id) == 2 for thing in hit)
    return fault(
        night,
        "duplicate-enqueue",
        end,
        hit,
        also=("overlapping-runs", "extra-runs", "rate-change", "duplicate-create"),
        effect=len(hit) > 2 and twice,
    )


def _sent(night: Shift, seconds: float, thing: str, entry: int, relay: str) -> Job:
    firm = night.house
    args = f'{{"{firm.thing}_id": "{thing}", "outbox_id": {entry}}}'
    keys = (f"{firm.thing}:{thing}", f"outbox:{entry}")
    job = Job(
        night.new_job_id(), firm.job_class, args, keys, firm.queue, relay, [night.at(seconds)]
    )
    night.jobs.append(job)
    return job


def _worked(night: Shift, job: Job, seconds: float, thing: str) -> None:
    host, took = night.rng.choice(night.house.worker.hosts), night.rng.uniform(0.05, 0.5)
    end = night.at(seconds + took)
    job.attempts.append(Attempt(night.at(seconds), end, "finished", night.worker_on(host), host))
    effect_row(night, seconds + took * 0.8, thing, host)
