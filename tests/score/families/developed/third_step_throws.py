"""A job of three steps fails at the third, and every retry does the first two once more.

Each step leaves its line, the second leaves a row as well: a charge, a booking, a letter. What the
job is there for at last is never written.
"""

from __future__ import annotations

from tests.score.families.acts import fault, left_alone
from tests.score.second_company.acts import ordered
from tests.score.second_company.elsewhere import KEEPING, Night, night, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Truth
from tests.score.world import Thing, World
from timeline.event import SEVERITY_ERROR, Lane

SIDE_TABLE = "charges"


def prepare(world: World) -> None:
    settle(world, (*KEEPING, "sqs"))


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    at, things, ended = here.onset_s, list[Thing](), here.onset_s
    for _ in range(here.rng.randint(2, 6)):
        thing, last = _replayed(here, at)
        things.append(thing)
        ended = max(ended, last)
        at += here.rng.uniform(3.0, 25.0)
    here.close_the_books()
    charged = [
        body
        for body in here.told_text(here.onset_s - 1, here.end_s, Lane.DATABASE)
        if body.startswith(f"{SIDE_TABLE}/")
    ]
    twice = all(sum(thing.id in body for body in charged) >= 2 for thing in things)
    alone = left_alone(here, here.onset_s - 1, at)
    return fault(
        here,
        "unsafe-replay",
        min(ended + 5, here.end_s),
        things,
        also=(
            *("poison-job", "third-party", "delivered-again"),
            *(("orphaned-record",) if alone else ()),
        ),
        effect=twice,
    )


def _replayed(here: Night, at: float) -> tuple[Thing, float]:
    """One job that is tried two to five times; its keys, and when its last attempt ended."""
    firm, rng = here.firm, here.rng
    receipt, job = ordered(here, at - 0.3)
    tries, recovers = rng.randint(2, 5), rng.random() < 0.5
    phrase = rng.choice(("http_5xx", "http_timeout", "null"))
    told = {"host": firm.third[1], "path": firm.third[2], "status": 500, "field": "address"}
    error = here.error(firm.worker, phrase, **told)
    wait, begun = rng.choice((5.0, 12.0, 20.0)), at
    for number in range(tries):
        last = number == tries - 1
        good = last and recovers
        took = rng.uniform(0.4, 1.5)
        if begun + took > here.end_s - 2:
            break
        outcome = "finished" if good else "dead" if last else "retried"
        host = here.run(job, begun, took, outcome, "" if good else error).host
        keys = f"{firm.thing}_id={receipt.thing} job_id={job.id}"
        here.line(begun + took * 0.2, firm.worker, f"step 1/3 stock reserved {keys}", host=host)
        here.line(begun + took * 0.5, firm.worker, f"step 2/3 card charged {keys}", host=host)
        columns = {f"{firm.thing}_id": receipt.thing, "amount_cents": 4_990}
        here.row(begun + took * 0.5, SIDE_TABLE, here.new_id(), columns=columns, host=host)
        if not good:
            words = f"step 3/3 label not printed {keys}"
            here.line(begun + took * 0.9, firm.worker, words, SEVERITY_ERROR, host=host)
        begun += took + wait + rng.uniform(0, 2)
    return here.entity(receipt.thing, receipt.rid, job), begun
