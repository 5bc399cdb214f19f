"""A pool of connections is all in use for minutes; only its gauges and the access log tell of it.

A new report holds each connection for half a minute. The pool's gauges are scraped, the proxy
writes its access log; the service itself writes nothing about connections, its handler turns the
exception into a 503.

A person sees it by: the gauge of connections in use, which goes from a few to exactly the pool's
size and stays there; beside it the gauge of threads that wait for one, zero all night and then
growing; in the access log answers that took as long as the pool waits, with 503.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.score.families.acts import fault
from tests.score.families.shopfloor import access_line
from tests.score.truth import Entity, Truth
from tests.score.world import World

ACTIVE, PENDING, SIZE = (
    "hikaricp_connections_active",
    "hikaricp_connections_pending",
    "hikaricp_connections_max",
)
SCRAPE_S = 15.0


def inject(world: World) -> Truth:
    rng = world.rng
    back = max(world.company.backs, key=lambda service: len(service.hosts))
    size, wait = rng.choice((10, 20, 30)), rng.choice((3.0, 5.0, 30.0))
    ended = min(world.onset_s + rng.uniform(240, 700), world.end_s - 20)
    place = len(world.told)
    for host in back.hosts:
        _gauges(world, host, size, ended)
    hit = _answers(world, back.name, back.hosts, wait, ended)
    full = sum(event.body.startswith(f"{ACTIVE} = {size} (") for event, _ in world.told[place:])
    return fault(
        world,
        "connections-exhausted",
        ended,
        hit,
        also=("third-party",),
        effect=len(hit) >= 5 and full >= 10,
    )


def _gauges(world: World, host: str, size: int, ended: float) -> None:
    rng = world.rng
    every = [SCRAPE_S * n + 3 for n in range(int((world.end_s - 3) // SCRAPE_S))]
    calm = rng.randint(1, 3)

    def told(name: str, value: Callable[[float], float]) -> None:
        labels = {"pool": "HikariPool-1", "instance": f"{host}:8081"}
        world.curve(name, labels, [(at, value(at)) for at in every])

    def within(at: float) -> bool:
        return world.onset_s + 5 <= at < ended

    told(SIZE, lambda _: size)
    told(ACTIVE, lambda at: size if within(at) else calm + rng.randint(0, 2))
    told(PENDING, lambda at: 2 + int((at - world.onset_s) / 9) if within(at) else 0)


def _answers(
    world: World, service: str, hosts: tuple[str, ...], wait: float, ended: float
) -> list[Entity]:
    """The proxy's log of this service, all night; the requests that were answered with 503."""
    rng, hit = world.rng, list[Entity]()
    at = 4.0
    while at < world.end_s - wait - 3:
        at += rng.expovariate(0.5)
        rid, host = world.request_id(), rng.choice(hosts)
        starved = world.onset_s + 10 <= at < ended - wait and rng.random() < 0.7
        status, took = (
            (503, wait + rng.uniform(0, 0.02)) if starved else (200, rng.uniform(0.01, 0.3))
        )
        path = rng.choice(("/v2/quotes", "/v2/quotes/search", "/v2/rates"))
        fields = {"upstream_cluster": service, "upstream_host": host, "request_id": rid}
        access_line(world, at + took, "envoy", "envoy-0", "GET", path, status, took * 1000, fields)
        if starved:
            hit.append(frozenset((f"request:{rid}",)))
    return hit
