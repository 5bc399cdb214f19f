"""One application server loaded its signal handlers under two module paths when it was restarted;
from then on everything saved there is sent to the queue twice. The other servers send once.

A person sees it by: from the restart on every record saved on that host has two jobs of the same
class and the same argument, some milliseconds apart; each is run by a worker of its own; records
saved on any other host in the same minutes have one.
"""

from __future__ import annotations

from collections import defaultdict

from tests.score.families.acts import fault
from tests.score.families.quayside import seconds_of, taken
from tests.score.fourth_company.acts import effect_row
from tests.score.fourth_company.company import Shift, job_names, relocate, shift
from tests.score.fourth_company.neighbours import surround
from tests.score.queues import Job
from tests.score.truth import Truth
from tests.score.world import Thing, World

FEWEST = 4
"""Records sent twice."""


def prepare(world: World) -> None:
    relocate(world, ("procrastinate", "pg-boss", "rq"), workers=(2, 5))


def inject(world: World) -> Truth:
    night, rng = shift(world), world.rng
    surround(night)
    front = night.house.front
    sent = [t for t in night.things if t.job and t.job.pushed[0] >= night.at(night.onset_s)]
    homes = sorted(front.hosts, key=lambda host: -sum(_from(t, host) for t in sent))
    host, hit = homes[0], []
    night.say(night.onset_s - 9, front, "stop", host=host)
    booted = {"service": front.name, "version": f"{rng.getrandbits(28):07x}", "n": 4}
    night.say(night.onset_s - 2, front, "boot", booted, host=host)
    refused = rng.random() < 0.3
    for thing in sent:
        if thing.job is None or thing.job.host != host:
            continue
        again = _again(night, thing, thing.job, refused=refused)
        thing.keys |= job_names(again.id)
        hit.append(thing)
    alone = [t for t in sent if not _from(t, host)]
    close = all(apart < 0.05 for apart in _apart(world, hit))
    return fault(
        night,
        "duplicate-enqueue",
        night.end_s,
        hit,
        also=("duplicate-create", "change-before", "extra-runs"),
        effect=len(hit) >= FEWEST and close and (bool(alone) or len(front.hosts) == 1),
    )


def _from(thing: Thing, host: str) -> bool:
    return thing.job is not None and thing.job.host == host


def _again(night: Shift, thing: Thing, first: Job, *, refused: bool) -> Job:
    """The second push, told by the sender as the first was, and its run."""
    rng, firm = night.rng, night.house
    at = seconds_of(night, first.pushed[0]) + rng.uniform(0.001, 0.009)
    job = night.push(at, thing.id, first.host)
    told = {"job": firm.job_class, "jid": job.id, "id": thing.id, "rid": thing.request}
    night.say(at + 0.003, firm.front, "pushed", told, host=first.host)
    start, took = at + rng.uniform(0.05, 1.4), rng.uniform(0.05, 0.5)
    if start + took > night.end_s:
        return job
    if refused:
        unique = f'duplicate key value violates unique constraint "{firm.effects}_once"'
        error = night.error(firm.worker, "sql", message=unique)
        taken(night, job, start, took, "failed", error)
    else:
        host = night.run(job, start, took).host
        effect_row(night, start + took * 0.8, thing.id, host)
    return job


def _apart(world: World, things: list[Thing]) -> list[float]:
    """Seconds between the two pushes of each."""
    pushed = defaultdict[str, list[int]](list)
    for job in world.jobs:
        pushed[job.args.partition("=")[2]].append(job.pushed[0])
    return [(max(pushed[thing.id]) - min(pushed[thing.id])) / 1e9 for thing in things]
