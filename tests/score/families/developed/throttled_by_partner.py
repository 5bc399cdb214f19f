"""A partner's interface answers 429 to most calls for some minutes; jobs wait and try again."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.second_company.acts import fulfilled, ordered
from tests.score.second_company.elsewhere import Night, night, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Truth
from tests.score.world import Thing, World


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    rng, share = here.rng, here.rng.uniform(0.5, 0.95)
    ended = here.onset_s + rng.uniform(90, 320)
    at, things = here.onset_s - 240, list[Thing]()
    while at < here.end_s - 60:
        throttled = here.onset_s <= at < ended and (not things or rng.random() < share)
        thing = _called(here, at, throttled=throttled)
        if throttled:
            things.append(thing)
        at += rng.uniform(1.5, 12.0)
    here.close_the_books()
    words = f"{here.firm.third[1]}{here.firm.third[2]}"
    said = here.told_text(here.onset_s, ended + 5)
    refusals = sum("429" in body and words in body for body in said)
    return fault(
        here,
        "third-party",
        ended + 60,
        things,
        also=("retry-storm", "backlog", "rejected-by-limit"),
        effect=refusals >= len(things) >= 5,
    )


def _called(here: Night, at: float, *, throttled: bool) -> Thing:
    firm, rng = here.firm, here.rng
    receipt, job = ordered(here, at - 0.3)
    if throttled:
        told = {"host": firm.third[1], "path": firm.third[2], "status": "429 Too Many Requests"}
        error = here.error(firm.worker, "http_4xx", **told)
        here.run(job, at, 0.2, "retried", f"{error} Retry-After: {rng.choice((5, 30, 60))}")
        at += rng.uniform(20, 50)
    if at < here.end_s - 2:
        fulfilled(here, job, receipt.thing, at, 0.5)
    return here.entity(receipt.thing, receipt.rid, job)
