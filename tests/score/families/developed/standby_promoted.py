"""The primary is taken away and a standby becomes it; for some seconds nobody can write.

Sessions end, the application reconnects to a server that still recovers or only reads, and is told
so in the server's own language. Sometimes somebody had planned it, sometimes the machine was gone.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.third_company.acts import close, withdraw
from tests.score.third_company.house import Watch, move_in, watch
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.event import SEVERITY_WARN

FATAL = 21


def prepare(world: World) -> None:
    move_in(world, ("rabbitmq", "dramatiq"), backs=(3, 7))


def inject(world: World) -> Truth:
    here = watch(world)
    rng, firm = here.rng, here.house
    begin, lasts = here.onset_s, rng.uniform(9, 75)
    end = begin + lasts
    withdraw(here, begin - 1.2, end)
    planned = rng.random() < 0.35
    if planned:
        here.change(
            begin - rng.uniform(2, 20), "planned switchover of the core database", who="dba"
        )
    _servers(here, begin, end, planned=planned)
    hit: list[Entity] = []
    for service in (firm.front, *firm.backs):
        for _ in range(rng.randint(1, 3)):
            at = begin + rng.uniform(0.05, 1.2)
            words = here.error(service, "db_closed")
            hit.append(here.refused_request(at, service, words))
    at = begin + 1.5
    while at < end:
        service = rng.choice((firm.front, firm.front, *firm.backs))
        if at < begin + 0.35 * lasts:
            error = here.sql_error(service, "not_ready")
        else:
            verb = rng.choice(("INSERT", "UPDATE"))
            error = here.sql_error(service, "read_only", verb=verb)
        hit.append(here.refused_request(at, service, error, method=rng.choice(("POST", "PUT"))))
        at += rng.expovariate(0.9)
    close(here)
    return fault(
        here,
        "failover",
        end,
        hit,
        also=("network-hiccup", *(("change-before",) if planned else ())),
        effect=here.counted(here.says("read_only", verb="INSERT"), begin, end) > 0
        or here.counted(here.says("read_only", verb="UPDATE"), begin, end) > 0,
    )


def _servers(here: Watch, begin: float, end: float, *, planned: bool) -> None:
    """What the servers and whoever watches over them write."""
    rng, maria = here.rng, here.house.server == "mariadb"
    if planned:
        here.server_line(begin - 0.2, "stopping")
    for _ in range(rng.randint(3, 9)):
        severity = SEVERITY_WARN if maria else FATAL
        here.server_line(begin + rng.uniform(0, 0.3), "ended", severity)
    here.server_line(end - 1.4, "promoted")
    here.server_line(end - 0.9, "timeline", n=rng.randint(4, 30))
    here.server_line(end - 0.1, "ready")
    if maria:
        what = "Switchover" if planned else "Failover"
        words = f"[mariadbmon] {what} 'db-a' -> 'db-b' performed."
        if not planned:
            failed = "[mariadbmon] Performing automatic failover to replace failed primary 'db-a'."
            here.aside(begin + min(4.0, 0.4 * (end - begin)), "maxscale", failed, SEVERITY_WARN)
        here.aside(end, "maxscale", words)
    elif rng.random() < 0.6:
        words = (
            "patroni.ha: received switchover request with leader=core-0 candidate=core-1"
            if planned
            else "patroni.ha: leader key of core-0 expired, taking part in the leader race"
        )
        here.aside(begin + 1, "patroni", words, SEVERITY_WARN)
        here.aside(end - 1.5, "patroni", "promoted self to leader by acquiring session lock")
