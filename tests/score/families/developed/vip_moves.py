"""The address in front of the database moves from one balancer to the other.

A check of the active balancer fails, its partner takes the shared address over. Connections that
ran through the first one are gone, new ones are refused or hang for some seconds; then all is
well, through the other machine. The database itself never moved and has nothing to say.

A person sees it by: keepalived's lines of both balancers, the one that leaves its state and the
other that enters it and announces the address; broken connections of several services between
those two instants and shortly after; the second balancer's own log, which has traffic from then on.
"""

from __future__ import annotations

from tests.score.families.acts import burst, fault
from tests.score.fourth_company.company import Shift, relocate, shift
from tests.score.fourth_company.neighbours import surround
from tests.score.truth import Truth
from tests.score.world import World


def prepare(world: World) -> None:
    relocate(world)


def inject(world: World) -> Truth:
    here = shift(world)
    rng, since = here.rng, here.onset_s
    surround(here)
    group, address = rng.choice(("VI_DB", "VI_51", "pgsql_vip")), f"10.30.{rng.randint(0, 9)}.100"
    first, second = f"lb-{rng.randint(1, 4)}a", f"lb-{rng.randint(5, 9)}b"
    took = rng.uniform(3, 9)
    _balancers_lines(here, first, 0, since)
    _balancers_lines(here, second, since + took, here.end_s)

    def vrrp(at: float, host: str, words: str) -> None:
        here.aside(at, "Keepalived_vrrp", words, 9, host)

    vrrp(since - 2, first, "Script `chk_haproxy` now returning 1")
    vrrp(since, first, "VRRP_Script(chk_haproxy) failed (exited with status 1)")
    vrrp(since, first, f"({group}) Entering FAULT STATE")
    vrrp(since, first, f"({group}) removing VIPs.")
    vrrp(since + took - 1, second, f"({group}) Receive advertisement timeout")
    vrrp(since + took, second, f"({group}) Entering MASTER STATE")
    vrrp(since + took, second, f"({group}) setting VIPs.")
    for _ in range(5):
        words = f"Sending gratuitous ARP on eth0 for {address}"
        vrrp(since + took, second, words)
    port = 5432 if here.house.server != "mysql" else 3306
    services = rng.sample(list(here.house.services), rng.randint(2, len(here.house.services)))
    each = rng.randint(2, 7)
    values: dict[str, object] = {"host": address, "port": port}
    hit = burst(here, services, since, 0.3, ("db_closed", "closed"), each, **values)
    hit += burst(here, services, since + 0.5, took, ("refused", "timeout"), each, **values)
    here.samples()
    announced = len(here.bodies(since + took - 1, since + took + 1))
    return fault(
        here,
        "failover",
        since + took + 10,
        hit,
        also=("network-hiccup",),
        effect=announced >= 5 and len(hit) >= 8,
    )


def _balancers_lines(here: Shift, host: str, begin: float, end: float) -> None:
    """What a balancer that has the address writes: one line for each connection that is over."""
    rng, at = here.rng, begin + here.rng.uniform(0.5, 8)
    server = here.house.database
    while at < end:
        client = f"10.31.{rng.randint(0, 4)}.{rng.randint(2, 250)}:{rng.randint(30000, 60000)}"
        spent = rng.randint(200, 60000)
        words = f"{client} ft_db bk_db/{server} 1/0/{spent} {rng.randint(200, 90000)} --"
        here.aside(at, "haproxy", f"{words} {rng.randint(20, 40)}/20/20/20/0 0/0", 9, host)
        at += rng.expovariate(1 / 12)
