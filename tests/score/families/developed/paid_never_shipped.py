"""A branch for one kind of customer returns before it sends the message: paid, and nothing follows.

The request ends well, the record stands there, no job was ever made; the others get theirs.
"""

from __future__ import annotations

from dataclasses import replace

from tests.score.families.acts import fault
from tests.score.second_company.acts import accepted
from tests.score.second_company.elsewhere import KEEPING, Night, night, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Truth
from tests.score.world import Thing, World
from timeline.event import Lane
from timeline.knowledge import Contract, Work
from timeline.window import SECOND_NS


def prepare(world: World) -> None:
    settle(world, KEEPING)


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    at, things = here.onset_s, list[Thing]()
    for _ in range(here.rng.randint(3, 10)):
        columns = {"state": "paid", "channel": "reseller"}
        receipt = accepted(here, at, columns=columns)
        if here.rng.random() < 0.5:
            words = f"reseller rate, skipping notification {here.firm.thing}_id={receipt.thing}"
            here.line(at + 0.03, here.firm.front, words, 5, host=receipt.host)
        things.append(here.entity(receipt.thing, receipt.rid))
        at += here.rng.uniform(3.0, 30.0)
    if here.rng.random() < 0.6:
        _promised(here)
    effects = "\n".join(
        body
        for body in here.told_text(here.onset_s, here.end_s, Lane.DATABASE)
        if body.startswith(f"{here.firm.effects}/")
    )
    alone = not any(thing.id in effects for thing in things)
    unsent = not any(thing.id in job.args for thing in things for job in here.jobs)
    kept = sum(job.state() == "finished" for job in here.jobs)
    return fault(here, "orphaned-record", here.end_s, things, effect=alone and unsent and kept > 20)


def _promised(here: Night) -> None:
    firm = here.firm
    promise = Contract(
        f"each of {firm.table} has its row in {firm.effects} soon",
        firm.table,
        Work(table=firm.effects),
        within=120 * SECOND_NS,
    )
    here.knowledge = replace(here.knowledge, contracts=(*here.knowledge.contracts, promise))
