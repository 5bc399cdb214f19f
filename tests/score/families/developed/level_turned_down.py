"""A service is told to log warnings only: what it does from then on is in nobody's log.

Its requests go on and the sidecar in front of it notes every one of them with its status. The
service itself keeps writing a warning now and then, so that it is never silent altogether.

A person sees it by: the ordinary lines of one service that stop on all its hosts within a second
while its warnings go on; the sidecar's access log, which shows that it is asked and answers as
before; the change of its log level at that instant.
"""

from __future__ import annotations

from tests.score.company import Service
from tests.score.families.acts import fault
from tests.score.families.watched import drop_lines, in_files
from tests.score.truth import Truth
from tests.score.world import World
from timeline.event import SEVERITY_WARN, Event, Kind

PROXY = "envoy"


def prepare(world: World) -> None:
    in_files(world)


def inject(world: World) -> Truth:
    rng, since = world.rng, world.onset_s
    quiet = rng.choice(world.company.backs)
    at = rng.uniform(1, 15)
    while at < world.end_s - 1:
        _called(world, quiet, at)
        at += rng.expovariate(1 / 7)
    at = rng.uniform(5, 60)
    while at < world.end_s - 2:
        _warned(world, quiet, at)
        at += rng.uniform(45, 160)
    words = rng.choice(
        (
            f"logging.level.root=WARN applied to {quiet.name}",
            f"{quiet.name}: LOG_LEVEL info -> warn (log volume)",
            f"config map {quiet.name}-logging updated",
        )
    )
    world.change(since - 1, words, quiet.name, who="platform")
    low = world.at(since)

    def ordinary(event: Event, _host: str) -> bool:
        own = event.actor == quiet.name and event.timestamp >= low
        return own and event.severity_number < SEVERITY_WARN

    gone = drop_lines(world, ordinary)
    return fault(
        world,
        "blind-spot",
        world.end_s,
        also=("change-before",),
        effect=gone >= 40 and _told(world, quiet.name) >= 2 and _told(world, PROXY) >= 30,
    )


def _called(world: World, service: Service, at: float) -> None:
    """A call from inside the company: the service's two lines and the sidecar's one."""
    rng = world.rng
    took, rid, host = rng.randint(6, 90), world.request_id(), rng.choice(service.hosts)
    path = f"/internal/{service.name}"
    told = {"method": "GET", "path": path, "rid": rid}
    world.say(at, service, "begin", told, host=host)
    world.say(at + took / 1000, service, "end", {**told, "status": 200, "ms": took}, host=host)
    words = (
        f'"GET {path} HTTP/2" 200 - via_upstream - 0 {rng.randint(200, 9000)} {took} {took - 1}'
        f' "-" "{world.company.front.name}" "{rid}" "{service.name}" "{host}:8080"'
        f" inbound|8080|| 127.0.0.6:{rng.randint(30000, 60000)}"
    )
    world.log(
        at + took / 1000 + 0.001, PROXY, f"{PROXY}-{service.name}", words, source=f"{PROXY}-access"
    )


def _warned(world: World, service: Service, at: float) -> None:
    words = world.rng.choice(
        (
            f"slow statement: {world.rng.randint(310, 900)} ms",
            "deprecated header X-Old-Client received",
            f"retrying lookup, attempt 2, {world.rng.randint(20, 90)} ms",
        )
    )
    world.log(at, service.name, world.rng.choice(service.hosts), words, SEVERITY_WARN)


def _told(world: World, who: str) -> int:
    """Lines of `who` since the onset."""
    low = world.at(world.onset_s)
    return sum(
        event.actor == who and event.kind is Kind.LOG and event.timestamp >= low
        for event, _ in world.told
    )
