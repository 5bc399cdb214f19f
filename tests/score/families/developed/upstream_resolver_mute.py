"""The cluster's resolver gets no answer from the servers it forwards to.

Names inside the cluster are answered as ever, so most calls work; names outside it are not. What
is still in the resolver's cache goes on for its time to live, so services fail one after another.

A person sees it by: the resolver's own lines about queries that ran into a time limit on their way
up, for names outside only; errors of the services that call those names, from different instants
on, which say that a name could not be looked up; calls between services, which go on.
"""

from __future__ import annotations

from tests.score.families.acts import burst, fault
from tests.score.third_company.house import move_in, watch
from tests.score.third_company.neighbours import neighbours
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.event import SEVERITY_ERROR

FORMS = (
    "plugin/errors: 2 {name}. {kind}: read udp 10.42.0.{own}:{port}->10.0.0.2:53: i/o timeout",
    '[INFO] 10.42.3.{own}:{port} - {own} "{kind} IN {name}. udp 51 false 512" SERVFAIL qr,aa,rd,ra'
    " 51 2.000412s",
    "unbound: [1:0] error: SERVFAIL <{name}. {kind} IN>: all the configured stub or forward servers"
    " failed, at zone . upstream server timeout",
)


def prepare(world: World) -> None:
    move_in(world)


def inject(world: World) -> Truth:
    here = watch(world)
    rng, since = here.rng, here.onset_s
    neighbours(here)
    names = [here.house.third[1], "s3.eu-central-1.amazonaws.com", "login.idp.example"]
    ended = min(here.end_s - 20, since + rng.uniform(120, 700))
    form, failing = rng.choice(FORMS), rng.sample(names, rng.randint(1, 3))
    at = since
    while at < ended:
        told = {
            "name": rng.choice(failing),
            "kind": rng.choice(("A", "AAAA")),
            "own": rng.randint(2, 250),
            "port": rng.randint(30000, 60000),
        }
        level = 0 if "[INFO]" in form else SEVERITY_ERROR
        here.aside(at, "coredns", form.format(**told), level, f"coredns-{rng.randint(1, 2)}")
        at += rng.expovariate(1 / 4)
    services = rng.sample(list(here.house.services), min(len(here.house.services), 3))
    hit: list[Entity] = []
    for place, service in enumerate(services):
        begin = since + 2 + place * rng.uniform(5, 30)
        name = rng.choice(failing)
        took = max(20.0, ended - begin - 5)
        hit += burst(here, [service], begin, took, ("dns",), rng.randint(3, 14), host=name)
    here.settle_accounts()
    return fault(
        here,
        "dns-failure",
        ended,
        hit,
        also=("network-hiccup", "third-party"),
    )
