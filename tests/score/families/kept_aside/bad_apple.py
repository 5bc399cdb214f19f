"""One message holds something that its reader cannot take. It is refused, goes back to the queue
and comes out again, on every host in turn, many times a minute; nothing else is wrong with it.

A person sees it by:
- one id of a message in all the failures, with one and the same error;
- its beginnings: many, on all hosts, and no end among them;
- other messages of the same kind, which are done at the first attempt all the while.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.held import narrowed, of_these
from tests.score.sixth_company.acts import close, pushed, told
from tests.score.sixth_company.company import settle, shift
from tests.score.truth import Truth
from tests.score.world import World

_ERRORS = {
    "quarkus": (
        "java.lang.NumberFormatException: Character , is neither a decimal digit number, decimal"
        ' point, nor "e" notation exponential mark.',
        "java.time.DateTimeException: Invalid value for MonthOfYear (valid values 1 - 12): 13",
    ),
    "express": (
        "SyntaxError: Expected ',' or '}' after property value in JSON at position 4093",
        "RangeError: Invalid time value",
    ),
}
"""Of consumers that put back what they cannot take, without end."""


def prepare(world: World) -> None:
    settle(world, ("rabbitmq", "pg-boss"), tongues=tuple(_ERRORS))


def inject(world: World) -> Truth:
    here = shift(world)
    rng, firm, start = here.rng, here.company, here.onset_s
    error, every = rng.choice(_ERRORS[firm.worker.style_name]), rng.uniform(3, 12)
    thing, sender = here.new_id(), rng.choice(firm.front.hosts)
    rid = here.request_id()
    here.row(start - 0.03, firm.table, thing, columns={"state": "new"}, commit=start - 0.02)
    job = pushed(here, start - 0.01, thing, rid, sender)
    at, tries = start + rng.uniform(0.05, 0.5), 0
    while at < here.end_s - 3:
        here.run(job, at, rng.uniform(0.03, 0.3), "retried", error)
        at += every * rng.uniform(0.7, 1.4)
        tries += 1
    apple = here.entity(thing, rid, job)
    close(here)
    failed = [e for e in told(here, job.id) if e.severity_number >= 17 and error in e.body]
    hosts = {event.clock for event in failed}
    others = [
        event
        for event in told(here, since=start)
        if event.actor == firm.effects and thing not in event.body
    ]
    effect = len(failed) == tries > 20 and len(hosts) > 1 and len(others) > 10
    also = {"bad-data"} | ({"delivered-again"} if here.brand.name == "rabbitmq" else set())
    truth = fault(here, "poison-job", here.end_s, [apple], also=also, effect=effect)
    # the refused message's own record waits to the end for what its job never leaves
    return narrowed(truth, of_these(truth, "orphaned-record"))
