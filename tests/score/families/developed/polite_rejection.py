"""A service catches what goes wrong inside it, writes it into its own log and answers 200. Its
caller is content, the job succeeds, and nothing was done."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.fourth_company.acts import SEVERITY_ERROR, asked, deployed, effect_row
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
    callee = night.house.backs[0]
    partner = rng.random() < 0.4
    blamed = rng.random() < 0.4
    if blamed:
        deployed(night, night.onset_s - rng.uniform(10, 90), callee)
    reason = night.error(
        callee,
        "http_5xx",
        host=night.house.third[1],
        path=night.house.third[2],
        status=rng.choice((500, 502, 503)),
    )
    if not partner:
        reason = rng.choice(("tax class of line 3 is empty", "no template for locale rm-CH"))
    for _ in range(rng.randint(20, 60)):
        _called(night, rng.uniform(5, night.end_s - 20), "")
    hit = [_called(night, at, reason) for at in _instants(night)]
    night.samples()
    return fault(
        night,
        "swallowed-error",
        night.end_s,
        hit,
        also=(
            "orphaned-record",
            *(("third-party",) if partner else ()),
            *(("change-before",) if blamed else ()),
        ),
    )


def _instants(night: Shift) -> list[float]:
    rng = night.rng
    later = [rng.uniform(night.onset_s, night.end_s - 20) for _ in range(rng.randint(10, 42))]
    return [night.onset_s, *sorted(later)]


def _called(night: Shift, seconds: float, reason: str) -> Entity:
    """One job that calls; with a `reason` the callee fails and says so to nobody else."""
    rng, firm = night.rng, night.house
    callee = firm.backs[0]
    found, job = asked(night, seconds)
    start, took = seconds + rng.uniform(0.1, 0.9), rng.uniform(0.2, 1.4)
    rid, path = night.request_id(), f"/internal/{firm.thing}"
    attempt = night.run(job, start, took)
    told = {"method": "POST", "path": path, "rid": rid}
    host = night.say(start + 0.03, callee, "begin", told)
    at, name = start + took * 0.7, f"{firm.thing}_id={found.id}"
    if reason:
        words = f"could not process {name} request_id={rid}: {reason}"
        night.line(at, callee, words, SEVERITY_ERROR, host)
    else:
        effect_row(night, at, found.id, attempt.host)
    night.say(at + 0.01, callee, "end", {**told, "status": 200, "ms": int(took * 700)}, host=host)
    words = f"{callee.name} answered 200 to POST {path} {name} request_id={rid}"
    night.line(at + 0.02, firm.worker, words, 9, attempt.host)
    return found.keys | request_names(rid)
