"""A map in one Java service is only ever added to. What is left after each collection of garbage
grows, until the collector does nothing but stop the world.

No exporter is asked for memory; the one trace of the climb is the collector's own log. Requests to
that machine take seconds, and callers give up on some of them.

A person sees it by: in the collector's log, the number after the arrow, which rises through the
whole window while the one in brackets stands; short pauses that turn into full ones of seconds, one
after the other, which give hardly anything back; slow answers from that one machine.
"""

from __future__ import annotations

from dataclasses import replace

from tests.score.company import Service
from tests.score.families.acts import fault
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.event import SEVERITY_ERROR

SOURCE = "gc-log"


def prepare(world: World) -> None:
    """One back service is written in Java, whatever the house speaks."""
    first, *others = world.company.backs
    world.company = replace(world.company, backs=(replace(first, style_name="spring"), *others))


def inject(world: World) -> Truth:
    rng, service = world.rng, world.company.backs[0]
    host, size = rng.choice(service.hosts), rng.choice((2048, 4096, 6144))
    begin, full = rng.uniform(20, 200), world.onset_s
    for other in service.hosts:
        if other != host:
            _collects(world, other, service, size, size * 0.22, size * 0.24, 4.0, world.end_s)
    last = _collects(world, host, service, size, size * 0.2, size * 0.93, begin, full)
    stops = _stops(world, host, service, size, full, last)
    hit = [_suffers(world, service, host, at) for at in stops for _ in range(rng.randint(0, 2))]
    if rng.random() < 0.4:
        error = "java.lang.OutOfMemoryError: GC overhead limit exceeded"
        words = f"o.a.c.c.C.[Tomcat].[localhost] : Servlet.service() threw exception {error}"
        world.log(stops[-1] + 0.5, service.name, host, words, SEVERITY_ERROR)
    return fault(
        world,
        "memory-leak",
        world.end_s,
        hit,
        onset_s=begin,
        also=("third-party", "full"),
        effect=len(stops) >= 20 and len(hit) >= 8,
    )


def _collects(
    world: World,
    host: str,
    service: Service,
    size: int,
    low: float,
    high: float,
    begin: float,
    end: float,
) -> int:
    """Young collections whose remainder goes from `low` to `high`; the number of the last."""
    rng, at, number = world.rng, begin, rng_number(world)
    while at < end:
        part = (at - begin) / (end - begin)
        left = low + (high - low) * part + size * rng.uniform(-0.01, 0.01)
        was = min(size * 0.99, left + size * rng.uniform(0.05, 0.5))
        ms = rng.uniform(4, 30) * (1 + 2 * part)
        words = (
            f"GC({number}) Pause Young (Normal) (G1 Evacuation Pause)"
            f" {was:.0f}M->{left:.0f}M({size}M) {ms:.3f}ms"
        )
        world.log(at, service.name, host, words, source=SOURCE)
        at += rng.uniform(6, 16)
        number += 1
    return number


def rng_number(world: World) -> int:
    """How many collections there had been before the window."""
    return world.rng.randint(40, 9_000)


def _stops(
    world: World, host: str, service: Service, size: int, begin: float, number: int
) -> list[float]:
    """Full collections one after the other; when each one began."""
    rng, at, stops = world.rng, begin, list[float]()
    while at < world.end_s - 14:
        ms = rng.uniform(1_800, 5_200)
        was, left = size - rng.randint(1, 40), size - rng.randint(41, 110)
        words = f"GC({number}) Pause Full (G1 Compaction Pause) {was}M->{left}M({size}M) {ms:.3f}ms"
        world.log(at + ms / 1000, service.name, host, words, source=SOURCE)
        stops.append(at)
        at += ms / 1000 + rng.uniform(0.5, 9)
        number += 1
    return stops


def _suffers(world: World, service: Service, host: str, at: float) -> Entity:
    """A request that falls into a stop; its caller waits or gives up after two seconds."""
    rng, front = world.rng, world.company.front
    told = {"method": "GET", "path": f"/{service.name}/view", "rid": world.request_id()}
    asked, took = at + rng.uniform(0, 0.6), rng.uniform(2.2, 6)
    place = world.say(asked, front, "begin", told)
    world.say(asked + 0.004, service, "begin", told, host=host)
    ended = {**told, "status": 200, "ms": int(took * 1000)}
    world.say(asked + took, service, "end", ended, host=host)
    given_up = rng.random() < 0.4
    if given_up:
        error = world.error(front, "http_timeout", host=service.name, path=told["path"])
        failed = {**told, "error": error}
        world.say(asked + 2, front, "request_failed", failed, host=place, severity=SEVERITY_ERROR)
    waited, status = (2.0, 504) if given_up else (took + 0.01, 200)
    answered = {**told, "status": status, "ms": int(waited * 1000)}
    world.say(asked + waited, front, "end", answered, host=place)
    return frozenset((f"request:{told['rid']}",))
