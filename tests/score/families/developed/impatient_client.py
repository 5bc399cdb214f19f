"""A timeout is set to a tenth and the service gives up on answers that were always that slow.

Somebody changes one service's read timeout from 2500 to 250 ms; it is loaded host by host. The
service it calls answers as ever, between 100 and 700 ms, and knows of no error. Other callers of
it keep their patience.

A person sees it by: the record of the change and the reload lines; errors that begin on each host
with its reload and name 250 ms; the callee's lines for the same requests, status 200, as slow as
before the change.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.fifth_company.deeds import WORD, requests_of, saying
from tests.score.fifth_company.harbour import Watch, settle, watch
from tests.score.fifth_company.surroundings import surroundings
from tests.score.truth import Truth
from tests.score.world import World

PATIENCE_S = 0.25


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    night = watch(world)
    rng = night.rng
    caller, callee = night.firm.backs[0], night.firm.backs[1]
    loaded = {
        host: night.onset_s + rng.uniform(3, 12) + place * rng.uniform(8, 20)
        for place, host in enumerate(caller.hosts)
    }
    who = rng.choice(("config-sync", "platform team", "gitops"))
    words = f"{caller.name}: client.{callee.name}.read-timeout-ms 2500 -> 250"
    night.change(night.onset_s, words, caller.name, who=who, status="success")
    for host, at in loaded.items():
        night.note(
            at, caller, "configuration reloaded", {"revision": rng.randint(300, 900)}, host=host
        )
    given_up: list[str] = []
    at, pace = 2.0, rng.uniform(1.5, 4)
    while at < night.end_s - 6:
        took = min(max(rng.lognormvariate(-1.6, 0.5), 0.1), 0.7)
        host = rng.choice(caller.hosts)
        short = took > PATIENCE_S and at >= loaded[host]
        rid = _asked(night, at, host, took, short)
        if short:
            given_up.append(rid)
        _other_caller(night, at + rng.uniform(0.3, 1.2), took)
        at += rng.expovariate(1 / pace)
    surroundings(night)
    night.close_the_books()
    before = saying(night, "within 250 ms", until=night.onset_s)
    answered = {
        word
        for event, _ in night.told
        if event.actor == callee.name and "200" in event.body
        for word in WORD.findall(event.body)
    }
    return fault(
        night,
        "change-before",
        night.end_s,
        requests_of(given_up),
        effect=len(given_up) >= 5
        and answered.issuperset(given_up)
        and not before
        and len(saying(night, "configuration reloaded")) >= len(caller.hosts),
    )


def _asked(night: Watch, at: float, host: str, took: float, short: bool) -> str:
    """One request through front, caller and callee; `short`: the caller does not wait."""
    firm = night.firm
    caller, callee = firm.backs[0], firm.backs[1]
    rid, path = night.request_id(), f"/{firm.table}/offers"
    told = {"method": "GET", "path": path, "rid": rid}
    front = night.say(at, firm.front, "begin", told)
    night.say(at + 0.003, caller, "begin", told, host=host)
    there = night.say(at + 0.006, callee, "begin", told)
    ended = {**told, "status": 200, "ms": int(took * 1000)}
    night.say(at + 0.006 + took, callee, "end", ended, host=there)
    waited, status = (PATIENCE_S, 504) if short else (took, 200)
    back = at + 0.008 + waited
    if short:
        error = f"no answer from http://{callee.name}{path} within 250 ms"
        values = {**told, "error": error}
        night.say(back, caller, "request_failed", values, host=host, severity=17)
    ms = int(waited * 1000) + 3
    shown = {**told, "status": status, "ms": ms}
    night.say(back + 0.001, caller, "end", shown, host=host)
    night.say(back + 0.003, firm.front, "end", {**shown, "ms": ms + 4}, host=front)
    return rid


def _other_caller(night: Watch, at: float, took: float) -> None:
    """The workers ask the same service and wait for it."""
    if night.rng.random() < 0.5:
        return
    firm = night.firm
    rid = night.request_id()
    told = {"method": "GET", "path": f"/{firm.table}/rates", "rid": rid}
    there = night.say(at, firm.backs[1], "begin", told)
    ended = {**told, "status": 200, "ms": int(took * 1000)}
    night.say(at + took, firm.backs[1], "end", ended, host=there)
    night.note(
        at + took + 0.002, firm.worker, "rates fetched", {"ms": int(took * 1000), "request_id": rid}
    )
