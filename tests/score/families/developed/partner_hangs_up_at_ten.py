"""A partner waits ten seconds for an answer to his hook, hangs up, and delivers the event again.

The handler pushes its job as the last thing it does. Since a service behind it became slow it needs
longer than the partner waits; so each event comes in twice or thrice, under a request of its own
each time, and every one of them is worked to its end.

A person sees it by: the proxy's log, where the hook's calls end with 499 after ten seconds each;
the front's lines, which name one event under several requests; several jobs of one class about one
record, half a minute apart, each run once and well; as many rows. Earlier calls of the same hook
were answered within a second or two and left one job.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.watched import accessed
from tests.score.healthy import work, write
from tests.score.queues import REMEMBERING, Job
from tests.score.truth import Truth
from tests.score.world import Thing, World

BRANDS = (*REMEMBERING, "rq")
PATIENCE_S = 10.0
MOST_DELIVERIES = 3


def inject(world: World) -> Truth:
    rng, firm = world.rng, world.company
    title = f"Apply{firm.thing.title()}Event"
    hook = f"/hooks/{rng.choice(('carrier', 'bank', 'crm'))}/{firm.thing}"
    pause = rng.choice((5.0, 15.0, 30.0))
    at = rng.uniform(20, 60)
    while at < world.onset_s - 20:
        _delivered(
            world, _known(world, at - rng.uniform(5, 15)), (hook, title, pause), at, slow=False
        )
        at += rng.uniform(15, 60)
    at, hit = world.onset_s, list[Thing]()
    end = min(world.onset_s + rng.uniform(240, 600), world.end_s - 120)
    while at < end:
        thing = _known(world, at - rng.uniform(20, 90))
        _delivered(world, thing, (hook, title, pause), at, slow=True)
        hit.append(thing)
        at += rng.uniform(20, 70)
    jobs = {t.id: sum(title in j.job_class and t.id in j.args for j in world.jobs) for t in hit}
    return fault(
        world,
        "duplicate-enqueue",
        end + 120,
        hit,
        also=("duplicate-create", "third-party", "re-press", "retry-storm"),
        effect=bool(hit) and all(number > 1 for number in jobs.values()),
    )


def _known(world: World, at: float) -> Thing:
    """A record that exists when the partner speaks of it."""
    return write(world, max(1.0, at))


def _delivered(
    world: World, thing: Thing, way: tuple[str, str, float], at: float, *, slow: bool
) -> None:
    """One event of the partner: once where it is answered in time, again where it is not."""
    rng, (hook, title, pause) = world.rng, way
    event = f"evt_{rng.getrandbits(64):016x}"
    for number in range(MOST_DELIVERIES):
        took = rng.uniform(10.6, 24) if slow else rng.uniform(0.3, 2.2)
        if slow and number and rng.random() < 0.4:
            took = rng.uniform(1, 8)
        _handled(world, thing, (hook, event, title), at, took)
        if took < PATIENCE_S:
            return
        at += PATIENCE_S + pause * (number + 1) + rng.uniform(0, 1)


def _handled(
    world: World, thing: Thing, call: tuple[str, str, str], at: float, took: float
) -> None:
    """One request of the hook: its lines, its job at the end, and the proxy's line."""
    rng, firm, (hook, event, title) = world.rng, world.company, call
    rid = world.request_id()
    told = {"method": "POST", "path": hook, "rid": rid}
    host = world.say(at, firm.front, "begin", told)
    taken = f"event {event} accepted {firm.thing}_id={thing.id} request_id={rid}"
    world.log(at + 0.01, firm.front.name, host, taken)
    sent = at + took - rng.uniform(0.02, 0.2)
    job = _pushed(world, sent, thing, title, host)
    values = {"job": title, "jid": job.id, "id": thing.id, "rid": rid}
    world.say(sent + 0.004, firm.front, "pushed", values, host=host)
    work(world, job, thing.id, sent + rng.uniform(0.1, 0.9))
    world.say(
        at + took, firm.front, "end", {**told, "status": 200, "ms": int(took * 1e3)}, host=host
    )
    given_up = took >= PATIENCE_S
    status, waited = (499, PATIENCE_S) if given_up else (200, took)
    accessed(world, at, "nginx", f"POST {hook}", status, waited)
    thing.keys |= frozenset((f"job:{job.id}", f"request:{rid}"))


def _pushed(world: World, at: float, thing: Thing, title: str, host: str) -> Job:
    return world.push(at, thing.id, host, title)
