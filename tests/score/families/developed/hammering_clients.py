"""A service is slow for a moment. Its callers ask again at once, up to eight times and without a
pause, and jobs come back every second: the load they make keeps it from getting up again."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.fourth_company.acts import SEVERITY_ERROR, SEVERITY_WARN, asked, done
from tests.score.fourth_company.brands import COUNTING, QUEUES
from tests.score.fourth_company.company import Shift, relocate, request_names, shift
from tests.score.fourth_company.neighbours import surround
from tests.score.truth import Entity, Truth
from tests.score.world import World


def prepare(world: World) -> None:
    relocate(world, QUEUES, workers=(2, 5))


def inject(world: World) -> Truth:
    night, rng = shift(world), world.rng
    surround(night)
    onset = night.onset_s
    until = min(onset + rng.uniform(90, 260), night.end_s - 30)
    partner, limited = rng.random() < 0.4, rng.random() < 0.3
    most = rng.randint(4, 8)
    hit: list[Entity] = []
    at = onset
    while at < until:
        hit.append(_request(night, at, most, partner, 429 if limited else 503))
        at += rng.expovariate(0.9)
    for _ in range(rng.randint(10, 30)):
        begin = rng.uniform(onset, until - 20)
        hit.append(_job(night, begin, until, partner, 429 if limited else 503))
    night.samples()
    also = [
        name for name, holds in (("third-party", partner), ("rejected-by-limit", limited)) if holds
    ]
    if not partner and not limited:
        also.append("connections-exhausted")
    if night.brand.name in COUNTING:
        also.append("delivered-again")
    return fault(night, "retry-storm", until + 30, hit, also=(*also, "backlog"))


def _error(night: Shift, partner: bool, status: int) -> str:
    firm = night.house
    place = firm.third[1] if partner else f"{firm.backs[0].name}.bottega.lan"
    path = firm.third[2] if partner else f"/{firm.thing}/check"
    return night.error(firm.front, "http_5xx", host=place, path=path, status=status)


def _request(night: Shift, seconds: float, most: int, partner: bool, status: int) -> Entity:
    """One request of a customer: as many calls as the client allows, then a failure."""
    rng, firm = night.rng, night.house
    rid, callee = night.request_id(), firm.backs[0]
    told = {"method": "POST", "path": f"/{firm.table}/check", "rid": rid}
    host = night.say(seconds, firm.front, "begin", told)
    at, error = seconds, _error(night, partner, status)
    for attempt in range(1, most + 1):
        at += rng.uniform(0.06, 0.7)
        if not partner:
            there = night.say(at - 0.04, callee, "begin", told)
            if status == 503:
                told_error = {**told, "error": night.error(callee, "pool")}
                severity = SEVERITY_ERROR
                night.say(
                    at - 0.01, callee, "request_failed", told_error, host=there, severity=severity
                )
            night.say(at - 0.005, callee, "end", {**told, "status": status, "ms": 35}, host=there)
        words = f"{error}, attempt {attempt}/{most}, retrying request_id={rid}"
        night.line(at, firm.front, words, SEVERITY_WARN, host)
    failed = {**told, "error": error}
    night.say(at + 0.01, firm.front, "request_failed", failed, host=host, severity=SEVERITY_ERROR)
    end = {**told, "status": 502, "ms": int((at - seconds) * 1000)}
    night.say(at + 0.02, firm.front, "end", end, host=host)
    return request_names(rid)


def _job(night: Shift, seconds: float, until: float, partner: bool, status: int) -> Entity:
    """A job that comes back a second after it failed, until the storm is over."""
    rng = night.rng
    thing, job = asked(night, seconds)
    error, at = _error(night, partner, status), seconds + 0.3
    for _ in range(rng.randint(5, 14)):
        if at > until:
            break
        night.run(job, at, rng.uniform(0.05, 0.6), "retried", error)
        at += rng.uniform(1.0, 1.8)
    again = max(at, until) + rng.uniform(1, 20)
    if again + 2 < night.end_s:
        done(night, job, thing.id, again, rng.uniform(0.2, 1))
    return thing.keys
