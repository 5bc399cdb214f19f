"""A setting was renamed in one place and is read by its old name in another. From the moment it is
applied one path fails for everybody, or on the hosts that have been restarted since."""

from __future__ import annotations

from tests.score.company import Service
from tests.score.families.acts import fault
from tests.score.fourth_company.acts import failed_request
from tests.score.fourth_company.brands import QUEUES
from tests.score.fourth_company.company import Shift, relocate, request_names, shift
from tests.score.fourth_company.neighbours import surround
from tests.score.truth import Entity, Truth
from tests.score.world import World


def prepare(world: World) -> None:
    relocate(world, QUEUES)


def inject(world: World) -> Truth:
    night, rng = shift(world), world.rng
    surround(night)
    firm, onset = night.house, night.onset_s
    by = rng.choice((firm.front, firm.backs[0]))
    version = f"{rng.getrandbits(160):040x}" if rng.random() < 0.55 else ""
    words = rng.choice(
        (
            f"config of {by.name} applied ({version[:10] or 'r4471'})",
            f"helm upgrade {by.name} --set limits.perMinute=600",
            f"migration 0118_rename_{firm.thing}_policy applied",
            f"secret {by.name}-settings updated in vault",
        )
    )
    night.change(onset, words, by.name, version=version, who="s.moretti", status="success")
    lag = rng.uniform(3, 45)
    restarted = {}
    for place, host in enumerate(by.hosts):
        restarted[host] = onset + lag + place * rng.uniform(2, 20)
        night.say(restarted[host] - 3, by, "stop", host=host)
        told = {"service": by.name, "version": version[:8] or "r4471"}
        night.say(restarted[host], by, "boot", told, host=host)
    reverted = rng.random() < 0.35
    until = rng.uniform(onset + 200, night.end_s - 30) if reverted else night.end_s - 5
    if reverted:
        night.change(until - 4, f"rollback of {by.name} to the previous settings", by.name)
    path = rng.choice((f"/{firm.table}/export", f"/{firm.thing}/policy", "/account/limits"))
    field = rng.choice(("policy", "limits", "perMinute"))
    for _ in range(rng.randint(15, 45)):
        _fine(night, rng.uniform(10, onset - 1), by, path)
    hit: list[Entity] = [frozenset((f"commit:{version[:12]}",))] if version else []
    for _ in range(rng.randint(18, 80)):
        host = rng.choice(by.hosts)
        at = rng.uniform(restarted[host], until)
        error = night.error(by, "null", field=field)
        rid = failed_request(night, at, by, error, path=path, host=host)
        hit.append(request_names(rid))
    night.samples()
    also = ("deploy-skew",) if len(by.hosts) > 1 else ()
    return fault(night, "change-before", until, hit, also=also, effect=len(hit) >= 15)


def _fine(night: Shift, seconds: float, by: Service, path: str) -> None:
    """The same path before the change."""
    told = {"method": "GET", "path": path, "rid": night.request_id()}
    host = night.say(seconds, by, "begin", told)
    night.say(seconds + 0.03, by, "end", {**told, "status": 200, "ms": 30}, host=host)
