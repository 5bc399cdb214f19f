"""A partner's certificate runs out at a full minute: every call to it fails from then on.

Calls a minute before were well. In some nights it is replaced before the window ends.
"""

from __future__ import annotations

from tests.score.families.acts import fault, left_alone
from tests.score.second_company.acts import fulfilled, ordered
from tests.score.second_company.elsewhere import Night, night, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Truth
from tests.score.world import Thing, World
from timeline.window import MINUTE_NS, SECOND_NS


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    rng, firm = here.rng, here.firm
    over = (-(-here.at(here.onset_s) // MINUTE_NS) * MINUTE_NS - here.start) / SECOND_NS
    ended = rng.choice((here.end_s, over + rng.uniform(180, 300)))
    at, things = over - rng.uniform(120, 300), list[Thing]()
    while at < here.end_s - 30:
        thing = _called(here, at, failing=over <= at < ended)
        if over <= at < ended:
            things.append(thing)
        at += rng.uniform(3, 22)
    here.close_the_books()
    words = here.error(firm.worker, "tls", host=firm.third[1], path=firm.third[2])
    before = sum(words in body for body in here.told_text(0, over))
    after = sum(words in body for body in here.told_text(over, here.end_s))
    alone = left_alone(here, over - 1, ended)
    return fault(
        here,
        "expired",
        min(ended, here.end_s),
        things,
        alternates=("third-party",),
        also=("orphaned-record",) if alone else (),
        onset_s=over,
        effect=before == 0 and after >= len(things) >= 4,
    )


def _called(here: Night, at: float, *, failing: bool) -> Thing:
    """A job that calls the partner."""
    firm = here.firm
    receipt, job = ordered(here, at - 0.2)
    if failing:
        error = here.error(firm.worker, "tls", host=firm.third[1], path=firm.third[2])
        here.run(job, at, 0.12, "retried", error)
    else:
        fulfilled(here, job, receipt.thing, at, 0.4)
    return here.entity(receipt.thing, receipt.rid, job)
