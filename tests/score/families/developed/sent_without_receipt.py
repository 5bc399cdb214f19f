"""A sender takes any answer of its provider for a success; the job ends well, nothing is sent.

The client library returns a map; the code reads the message's id out of it and writes "sent". From
some instant on the provider answers a part of the calls with a map that holds no id. No exception
is raised: the job finishes, and no delivery is ever noted for it.

A person sees it by: the jobs that finished like all others; their "sent" lines, whose message id is
empty where it is filled everywhere else; the delivery rows, which those things and only those lack.
"""

from __future__ import annotations

from dataclasses import replace

from tests.score.company import new_uuid
from tests.score.families.acts import fault, lines
from tests.score.healthy import PROMISED_S
from tests.score.queues import REMEMBERING, Job
from tests.score.truth import Truth
from tests.score.world import World
from timeline.event import Kind
from timeline.knowledge import Contract, Work
from timeline.window import SECOND_NS

BRANDS = (*REMEMBERING, "rq")
STATUS = ("queued", "accepted")


def prepare(world: World) -> None:
    """Half of the teams have written down what is owed to every thing."""
    if world.rng.random() < 0.5:
        firm = world.company
        words = f"every {firm.thing} gets a row in {firm.effects}"
        promise = Contract(words, firm.table, Work(table=firm.effects), PROMISED_S * SECOND_NS)
        known = world.knowledge
        world.knowledge = replace(known, contracts=(*known.contracts, promise))


def inject(world: World) -> Truth:
    rng = world.rng
    until = world.onset_s + rng.uniform(180, 320)
    share = rng.choice((0.25, 0.5, 0.8))
    unsent: set[str] = set()
    first, last = 0.0, world.onset_s
    for job in sorted(world.jobs, key=lambda job: job.pushed[0]):
        if job.job_class != world.company.job_class or job.state() != "finished":
            continue
        attempt = job.attempts[-1]
        at = ((attempt.ended or attempt.started) - world.start) / SECOND_NS
        thing = job.args.partition("=")[2]
        lost = world.onset_s <= at < until and rng.random() < share
        if lost:
            unsent.add(thing)
            first, last = first or at, at
        _sent(world, at - 0.01, job, thing, attempt.host, "" if lost else new_uuid(rng))
    _forget_effects(world, unsent)
    hit = [thing for thing in world.things if thing.id in unsent]
    empty = lines(world, "message_sid= ")
    return fault(
        world,
        "swallowed-error",
        last,
        hit,
        alternates=("orphaned-record",),
        effect=len(hit) == len(unsent) == empty >= 3,
        onset_s=first or world.onset_s,
    )


def _sent(world: World, at: float, job: Job, thing: str, host: str, sid: str) -> None:
    """What the sender says of every call."""
    firm, rng = world.company, world.rng
    told = f"sent to {firm.third[0]} job_id={job.id} {firm.thing}_id={thing}"
    segments = rng.randint(1, 3)
    status = rng.choice(STATUS) if sid else ""
    words = f"{told} message_sid={sid} status={status} segments={segments}"
    world.log(at, firm.worker.name, host, words)


def _forget_effects(world: World, things: set[str]) -> None:
    """No delivery was noted for `things`."""
    firm = world.company
    names = {f"{firm.thing}:{thing}" for thing in things}
    world.told = [
        (event, host)
        for event, host in world.told
        if not (
            event.kind is Kind.ROW_INSERTED
            and event.actor == firm.effects
            and not names.isdisjoint(event.keys)
        )
    ]
