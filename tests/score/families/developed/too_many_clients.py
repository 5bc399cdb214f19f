"""There are more who want a database connection than there are connections.

Either the autoscaler doubles the front and every new machine fills its own pool, until the server
turns everybody away who has none yet; or a code path keeps what it borrowed, and the pool of one
service runs dry while the server has plenty.
"""

from __future__ import annotations

from tests.score.company import Service
from tests.score.families.acts import fault
from tests.score.third_company.acts import close, version
from tests.score.third_company.house import Watch, move_in, watch
from tests.score.truth import Entity, Truth
from tests.score.world import PIN_S, World
from timeline.event import SEVERITY_WARN

FATAL = 21


def prepare(world: World) -> None:
    move_in(world, backs=(3, 7))


def inject(world: World) -> Truth:
    here = watch(world)
    crowded = here.rng.random() < 0.5
    hit, told_of_change = _crowd(here) if crowded else _leak(here)
    close(here)
    return fault(
        here,
        "connections-exhausted",
        min(PIN_S + 60, here.end_s),
        hit,
        also=("change-before",) if told_of_change else (),
        effect=len(hit) > 5,
    )


def _crowd(here: Watch) -> tuple[list[Entity], bool]:
    """The server is full; whoever holds a connection goes on working."""
    rng, firm = here.rng, here.house
    begin, more = here.onset_s, rng.randint(4, 9)
    was = len(firm.front.hosts)
    words = f"autoscaler: {firm.front.name} scaled from {was} to {was + more} replicas"
    here.change(begin - rng.uniform(25, 50), words, firm.front.name, who="autoscaler")
    boot = {"service": firm.front.name, "version": version(here)[:8], "n": 7}
    fresh = [f"{firm.front.name}-surge-{rng.getrandbits(20):05x}" for _ in range(more)]
    for host in fresh:
        here.say(begin - rng.uniform(2, 20), firm.front, "boot", boot, host=host)
    _filled(here, begin, rng.choice((100, 150, 200)))
    hit: list[Entity] = []
    at = begin
    while at < PIN_S + 30 and len(hit) < 250:
        service = rng.choice((firm.front, firm.front, firm.worker, *firm.backs))
        host = rng.choice(fresh) if service is firm.front else ""
        severity = SEVERITY_WARN if firm.server == "mariadb" else FATAL
        here.server_line(at, "too_many", severity)
        error = here.sql_error(service, "too_many")
        hit.append(here.refused_request(at + 0.003, service, error, host=host))
        at += rng.expovariate(0.35)
    return hit, True


def _filled(here: Watch, begin: float, most: int) -> None:
    """The exporter's count of sessions, on the nights on which anybody asks it."""
    if here.rng.random() < 0.5:
        return
    labels = {"job": "sql-exporter", "instance": here.house.database}
    usual = most * here.rng.uniform(0.45, 0.6)
    samples = [
        (s, usual if s < begin - 20 else most if s >= begin else usual + (most - usual) * 0.6)
        for s in (15.0 * n for n in range(int(here.end_s // 15)))
    ]
    here.curve("database_sessions", labels, samples)


def _leak(here: Watch) -> tuple[list[Entity], bool]:
    """The pool of one service: it fills for minutes, then nobody gets anything out of it."""
    rng, firm = here.rng, here.house
    leaking = rng.choice(firm.backs)
    begin, size = here.onset_s, 20
    released = rng.random() < 0.5
    if released:
        words = f"{leaking.name}: export streams straight from the database"
        here.change(begin - rng.uniform(250, 500), words, leaking.name, version=version(here))
    _fills(here, leaking, begin, size)
    hit: list[Entity] = []
    at = begin
    while at < PIN_S + 30 and len(hit) < 200:
        error = here.error(leaking, "pool")
        hit.append(here.refused_request(at, leaking, error, 503, took=rng.uniform(5, 5.1)))
        at += rng.expovariate(0.25)
    return hit, released


def _fills(here: Watch, service: Service, begin: float, size: int) -> None:
    rng = here.rng
    host = rng.choice(service.hosts)
    at = 20.0
    while at < here.end_s - 5:
        grown = int((at - begin + 240) / 240 * size)
        busy = min(size, max(rng.randint(1, 4), grown))
        words = f"pool stats total={size} in_use={busy} idle={size - busy}"
        here.line(at, service, words, SEVERITY_WARN if busy == size else 9, host=host)
        at += 30
