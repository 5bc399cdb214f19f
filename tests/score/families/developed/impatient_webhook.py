"""The same thing is asked for twice: by a partner whose webhook gives up after three seconds, by a
button that lets itself be pressed again, by a client library that sends anew what had arrived."""

from __future__ import annotations

from collections.abc import Callable

from tests.score.families.acts import fault
from tests.score.fourth_company.acts import SEVERITY_WARN, deployed, done, named, pushed, recorded
from tests.score.fourth_company.brands import QUEUES
from tests.score.fourth_company.company import Shift, relocate, shift
from tests.score.fourth_company.neighbours import surround
from tests.score.truth import Entity, Truth
from tests.score.world import World


def prepare(world: World) -> None:
    relocate(world, QUEUES)


def inject(world: World) -> Truth:
    night, rng = shift(world), world.rng
    surround(night)
    way = rng.choice(tuple(_WAYS))
    also: tuple[str, ...] = ("duplicate-create", "overlapping-runs")
    if way == "button" and rng.random() < 0.6:
        deployed(night, night.onset_s - rng.uniform(15, 120), night.house.front)
        also += ("change-before",)
    if way == "library":
        also += ("ambiguous-enqueue", "network-hiccup")
    if way == "webhook":
        also += ("delivered-again",)
    count = rng.randint(6, 24)
    later = sorted(rng.uniform(night.onset_s, night.end_s - 25) for _ in range(count))
    hit = [_WAYS[way](night, at) for at in (night.onset_s, *later)]
    night.samples()
    return fault(night, "duplicate-enqueue", night.end_s, hit, also=also)


def _webhook(night: Shift, seconds: float) -> Entity:
    """The partner hangs up before the slow answer and delivers again under the same event."""
    rng, firm = night.rng, night.house
    thing, first, _ = recorded(night, max(1.0, seconds - rng.uniform(60, 200)))
    requests, jobs, at = [first], [], seconds
    for attempt in range(rng.choice((2, 2, 3))):
        rid, host = night.request_id(), rng.choice(firm.front.hosts)
        told = {"method": "POST", "path": f"/hooks/{firm.thing}-paid", "rid": rid}
        night.say(at, firm.front, "begin", told, host=host)
        words = f"webhook delivery attempt={attempt + 1} {firm.thing}_id={thing} request_id={rid}"
        night.line(at + 0.004, firm.front, words, 9, host)
        sent = at + rng.uniform(0.05, 0.4)
        jobs.append(pushed(night, sent, thing, rid, host))
        done(night, jobs[-1], thing, sent + rng.uniform(0.1, 0.9), rng.uniform(0.2, 2.5))
        answered = rng.uniform(3.2, 6.0)
        told_end = {**told, "status": 200, "ms": int(answered * 1000)}
        night.say(at + answered, firm.front, "end", told_end, host=host)
        requests.append(rid)
        at += rng.uniform(3.0, 3.2)
    return named(night, thing, *requests, jobs=tuple(jobs))


def _button(night: Shift, seconds: float) -> Entity:
    """Two requests of one person within a second, about one record."""
    rng, firm = night.rng, night.house
    thing, first, _ = recorded(night, max(1.0, seconds - rng.uniform(20, 90)))
    requests, jobs, at = [first], [], seconds
    for _ in range(2):
        rid, host = night.request_id(), rng.choice(firm.front.hosts)
        told = {"method": "POST", "path": f"/{firm.table}/{thing}/submit", "rid": rid}
        night.say(at, firm.front, "begin", told, host=host)
        jobs.append(pushed(night, at + 0.02, thing, rid, host))
        night.say(at + 0.05, firm.front, "end", {**told, "status": 202, "ms": 50}, host=host)
        done(night, jobs[-1], thing, at + rng.uniform(0.1, 0.7), rng.uniform(0.2, 1.2))
        requests.append(rid)
        at += rng.uniform(0.18, 0.9)
    return named(night, thing, *requests, jobs=tuple(jobs))


def _library(night: Shift, seconds: float) -> Entity:
    """The acknowledgement is lost; the client sends again, and both are there."""
    rng, firm = night.rng, night.house
    thing, rid, host = recorded(night, seconds, answered=False)
    first = night.push(seconds + 0.03, thing, host)
    waited = seconds + rng.uniform(2, 5)
    error = night.error(firm.front, "closed")
    words = f"sending {firm.job_class} again: {error} {firm.thing}_id={thing} request_id={rid}"
    night.line(waited, firm.front, words, SEVERITY_WARN, host)
    second = pushed(night, waited + 0.1, thing, rid, host)
    path = f"/{firm.table}"
    told = {"method": "POST", "path": path, "rid": rid, "status": 201}
    took = int((waited - seconds) * 1000) + 140
    night.say(waited + 0.14, firm.front, "end", {**told, "ms": took}, host=host)
    done(night, first, thing, seconds + rng.uniform(0.1, 0.8), rng.uniform(0.2, 1))
    done(night, second, thing, waited + rng.uniform(0.2, 0.9), rng.uniform(0.2, 1))
    return named(night, thing, rid, jobs=(first, second))


_WAYS: dict[str, Callable[[Shift, float], Entity]] = {
    "webhook": _webhook,
    "button": _button,
    "library": _library,
}
