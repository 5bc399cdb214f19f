"""A link between two racks goes down and comes back; everything that crossed it breaks at once.

For some seconds services lose whatever they were talking to: the broker, the cache, the database,
each other. Some sends are cut off in the middle. The switch tells of it only on some nights.
"""

from __future__ import annotations

from tests.score.families.acts import failed_push, fault
from tests.score.third_company.acts import close, order, run_on, withdraw
from tests.score.third_company.house import Watch, move_in, watch
from tests.score.truth import Entity, Truth
from tests.score.world import Thing, World
from timeline.event import SEVERITY_ERROR, SEVERITY_WARN

PEERS = (("cache-b.svc.halle", 6379), ("session.svc.halle", 11211), ("gateway.svc.halle", 8443))


def prepare(world: World) -> None:
    move_in(world, backs=(4, 7), workers=(2, 5))


def inject(world: World) -> Truth:
    here = watch(world)
    rng, firm = here.rng, here.house
    begin, lasts = here.onset_s, rng.uniform(2.5, 18)
    end = begin + lasts
    withdraw(here, begin - 0.2, end + 0.2)
    _switch(here, begin, end)
    across = rng.sample(list(firm.backs), rng.randint(3, len(firm.backs)))
    hit: list[Entity | Thing] = []
    for service in (firm.front, *across):
        for _ in range(rng.randint(2, 6)):
            peer, port = rng.choice((*PEERS, (firm.broker, firm.broker_port)))
            phrase = rng.choice(("timeout", "timeout", "closed", "closed", "refused", "db_closed"))
            error = here.error(service, phrase, host=peer, port=port)
            hit.append(here.refused_request(begin + rng.uniform(0.1, lasts), service, error, 502))
    lost = rng.randint(0, 3)
    for place in range(lost):
        waited = rng.uniform(0.5, 2.0)
        at = begin + rng.uniform(0, max(lasts - waited, 0.5))
        hit.append(failed_push(here, at, "closed", waited, executed=place % 2))
    for _ in range(rng.randint(1, 4)):
        hit.append(_cut_off(here, begin, lasts))
    close(here)
    return fault(
        here,
        "network-hiccup",
        end + 3,
        hit,
        also=("ambiguous-enqueue", "orphaned-record") if lost else (),
        effect=len(hit) >= 9,
    )


def _switch(here: Watch, begin: float, end: float) -> None:
    if here.rng.random() < 0.5:
        return
    port = f"Ethernet1/{here.rng.randint(1, 48)}"
    words = f"%ETHPORT-5-IF_DOWN_LINK_FAILURE: Interface {port} is down (Link failure)"
    here.aside(begin - 0.1, "spine-2", words, SEVERITY_ERROR)
    here.aside(end - 0.1, "spine-2", f"%ETHPORT-5-IF_UP: Interface {port} is up", SEVERITY_WARN)


def _cut_off(here: Watch, begin: float, lasts: float) -> Thing:
    """A job whose connection broke and which passed when it was tried again."""
    rng = here.rng
    thing, job = order(here, begin - rng.uniform(0.3, 0.9))
    error = here.error(here.house.worker, "closed", host="gateway.svc.halle", port=8443)
    fails = begin + rng.uniform(0.1, min(lasts, 3))
    early = rng.uniform(0.02, 0.2)
    run_on(here, job, begin - early, fails - begin + early, outcome="retried", error=error)
    again = begin + lasts + rng.uniform(10, 30)
    attempt = run_on(here, job, again, 0.5)
    here.effect_row(again + 0.4, thing.id, attempt.host)
    return thing
