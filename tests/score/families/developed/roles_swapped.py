"""The provider swaps the two database machines; only the exporter and the clients notice.

The database is rented: nobody reads its log. The exporter asks both machines for their role and
gets no answer of the first for a moment. Sessions that were left open to the first go on and are
told that it only reads now, until their pools throw them away.

A person sees it by: the curve of the role, which goes from nought to one on one machine and from
one to nought on the other between two samples; sessions that are cut at that instant in several
services; statements that are refused for some while because the server only reads.
"""

from __future__ import annotations

from tests.score.company import Service
from tests.score.families.acts import burst, fault
from tests.score.second_company.elsewhere import Night, night, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.event import SEVERITY_ERROR

EVERY_S = 15.0
ROLES = ("pg_replication_is_replica", "aurora_replica_role", "db_in_recovery")


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    here = night(world)
    rng, since = here.rng, here.onset_s
    neighbours(here)
    swapped = since + rng.uniform(8, 25)
    _roles(here, since, swapped)
    services = list(here.firm.services)
    hurt = rng.sample(services, rng.randint(2, len(services)))
    hit = burst(here, hurt, since, 0.6, ("db_closed",), rng.randint(2, 5))
    kept = rng.uniform(20, 90)
    for service in hurt:
        for _ in range(rng.randint(3, 10)):
            at = rng.uniform(swapped, swapped + kept)
            hit.append(_refused(here, at, service))
    here.close_the_books()
    return fault(
        here,
        "failover",
        swapped + kept,
        hit,
        also=("network-hiccup",),
    )


def _roles(here: Night, since: float, swapped: float) -> None:
    """The role of both machines, by the exporter's samples: 1 for one that only reads."""
    name, phase = here.rng.choice(ROLES), here.rng.uniform(0, EVERY_S)
    base = here.firm.database.partition(".")[0]
    samples = [phase + EVERY_S * n for n in range(int((here.end_s - phase) // EVERY_S))]
    for place in (1, 2):
        was_replica = place == 2
        points = [
            (at, float(was_replica if at < since else not was_replica))
            for at in samples
            if at < since or at >= swapped or (was_replica and at < swapped - 5)
        ]
        points = [(at, value if at < since or at >= swapped else 1.0) for at, value in points]
        labels = {"job": "postgres-exporter", "instance": f"{base}-{place}:9187"}
        here.curve(name, labels, points)


def _refused(here: Night, at: float, by: Service) -> Entity:
    """A write on a session that was left open to the old machine."""
    rid = here.request_id()
    verb = here.rng.choice(("INSERT", "UPDATE", "SELECT FOR UPDATE"))
    words = here.database_says("read_only", verb=verb)
    told = {"method": "POST", "path": f"/{here.firm.table}", "rid": rid}
    host = here.say(at - 0.02, by, "begin", told)
    error = here.error(by, "sql", message=words)
    failed = {**told, "error": error}
    here.say(at, by, "request_failed", failed, host=host, severity=SEVERITY_ERROR)
    here.say(at + 0.001, by, "end", {**told, "status": 500, "ms": 21}, host=host)
    return frozenset((f"request:{rid}", f"trace:{rid}"))
