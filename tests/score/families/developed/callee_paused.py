"""The virtual machine of a service was stopped for a snapshot and woke with the time of before.

Jobs call this service. The worker writes the id of the call beside its job when it sends it, and
on most nights that is its only word of the call; the service writes when the call came and when it
was answered. From the onset on one machine of it stamps all that seconds too early or too late.

A person sees it by: calls that are answered before they are sent, or that begin after the job that
made them is over, always with the one machine, and always by the same amount.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.score.families.acts import fault
from tests.score.fourth_company.acts import asked, effect_row
from tests.score.fourth_company.brands import QUEUES
from tests.score.fourth_company.company import Shift, relocate, shift
from tests.score.fourth_company.neighbours import surround
from tests.score.truth import Truth
from tests.score.world import World
from timeline.event import Lane
from timeline.window import SECOND_NS

NEEDED = 6


@dataclass(frozen=True, slots=True)
class _Call:
    """One call: where it was taken, and all instants in seconds."""

    host: str
    sent: float
    began: float
    ended: float
    over: float


def prepare(world: World) -> None:
    relocate(world, QUEUES, workers=(2, 5))


def inject(world: World) -> Truth:
    night, rng = shift(world), world.rng
    surround(night)
    answers = rng.random() < 0.35
    calls = [
        _called(night, rng.uniform(4, night.end_s - 8), answers=answers)
        for _ in range(rng.randint(60, 140))
    ]
    host = rng.choice(night.house.backs[0].hosts)
    off = rng.choice((-1, 1)) * rng.uniform(2.0, 20)
    since = night.at(night.onset_s)
    night.told = [
        (replace(event, timestamp=event.timestamp + round(off * 1000) * 1_000_000), by)
        if by == host and event.timestamp >= since and event.lane is Lane.LOG
        else (event, by)
        for event, by in night.told
    ]
    night.samples()
    odd = [
        call
        for call in calls
        if call.host == host
        and call.began >= night.onset_s
        and (call.began + off < call.sent - 0.5 or call.ended + off > call.over + 0.5)
    ]
    return fault(
        night,
        "clock-skew",
        night.end_s,
        effect=len(odd) >= NEEDED and abs(off) * SECOND_NS > SECOND_NS,
    )


def _called(night: Shift, seconds: float, *, answers: bool) -> _Call:
    """One job that makes one call and leaves its row."""
    rng, firm = night.rng, night.house
    callee = firm.backs[0]
    found, job = asked(night, seconds)
    start, took = seconds + rng.uniform(0.1, 0.9), rng.uniform(0.2, 1.6)
    rid, path = night.request_id(), f"/internal/{firm.thing}"
    attempt = night.run(job, start, took)
    named = f"job_id={job.id} {firm.thing}_id={found.id} request_id={rid}"
    sent, began, ended = start + took * 0.15, start + took * 0.2, start + took * 0.75
    night.line(sent, firm.worker, f"POST {path} {named}", 9, attempt.host)
    told = {"method": "POST", "path": path, "rid": rid}
    host = night.say(began, callee, "begin", told)
    done = {**told, "status": 201, "ms": int(took * 550)}
    night.say(ended, callee, "end", done, host=host)
    if answers:
        night.line(
            ended + took * 0.02, firm.worker, f"POST {path} gave 201 {named}", 9, attempt.host
        )
    effect_row(night, start + took * 0.9, found.id, attempt.host)
    return _Call(host, sent, began, ended, start + took)
