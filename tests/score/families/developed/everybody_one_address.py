"""The proxy limits how often one address may log in. Since its configuration was loaded anew it no
longer knows who is behind the balancer, so that all the world is one address.

Only the proxy notices: what it turns away never reaches a service. Pages that have no such limit
are served as before.

A person sees it by: the error log of the proxy, which says of each that it was over the limit and
names the zone and the client, always the same one; 429 or 503 in its access log within no time at
all, for one path only; the services, which simply get fewer of those requests.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.watched import beside
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.event import SEVERITY_ERROR, Precision

LIMITED = ("POST /session", "POST /login", "POST /oauth/token")
OPEN = ("GET /", "GET /assets/app.js", "GET /status", "POST /basket")


def inject(world: World) -> Truth:
    rng = world.rng
    limited, status = rng.choice(LIMITED), rng.choice((429, 503))
    zone, until = rng.choice(("login", "perip", "auth_limit")), world.end_s - 2
    on_record = rng.random() < 0.5
    if on_record:
        world.change(world.onset_s - 3, "edge: trusted proxies cleaned up", "nginx", who="platform")
    beside(world, world.onset_s - 1, "nginx", "31#31: signal 1 (SIGHUP) received, reconfiguring")
    share, every = rng.uniform(0.4, 0.85), rng.uniform(0.8, 2.5)
    hit, at = list[Entity](), 3.0
    while at < until:
        at += rng.expovariate(1 / every)
        late = at >= world.onset_s
        client = "10.20.0.7" if late else f"203.0.113.{rng.randint(1, 250)}"
        request = limited if rng.random() < 0.4 else rng.choice(OPEN)
        refused = late and request == limited and rng.random() < share
        rid = f"{rng.getrandbits(128):032x}"
        took = 0.0 if refused else rng.uniform(0.004, 0.3)
        answer = status if refused else 200
        if refused:
            hit.append(frozenset((f"request:{rid}",)))
            _over(world, at, zone, client, request)
        words = (
            f'{client} - "{request} HTTP/2.0" {answer} {rng.randint(90, 900)} rt={took:.3f}'
            f" request_id={rid}"
        )
        world.log(
            at + took,
            "nginx",
            "nginx-0",
            words,
            9,
            source="nginx-access",
            precision=Precision.SECOND,
        )
    return fault(
        world,
        "rejected-by-limit",
        world.end_s,
        hit,
        also=("change-before",),
        effect=len(hit) >= 15,
    )


def _over(world: World, at: float, zone: str, client: str, request: str) -> None:
    rng = world.rng
    words = (
        f"31#31: *{rng.randint(10_000, 900_000)} limiting requests, excess:"
        f' {rng.uniform(5, 21):.3f} by zone "{zone}", client: {client}, server: www.example,'
        f' request: "{request} HTTP/2.0", host: "www.example"'
    )
    beside(world, at, "nginx", words, SEVERITY_ERROR)
