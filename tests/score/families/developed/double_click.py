"""A slow page invites a second click: the same form arrives twice, and twice a job is made of it.

The second request finds the record that the first has made (an upsert), so there is one record.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.second_company.acts import accepted, dispatched, fulfilled
from tests.score.second_company.elsewhere import (
    KEEPING,
    Night,
    job_keys,
    night,
    request_keys,
    settle,
)
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Truth
from tests.score.world import Thing, World


def prepare(world: World) -> None:
    settle(world, KEEPING)


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    at, things = here.onset_s, list[Thing]()
    for _ in range(here.rng.randint(2, 9)):
        things.append(_clicked_twice(here, at))
        at += here.rng.uniform(2.0, 35.0)
    pushed = [[job for job in here.jobs if thing.id in job.args] for thing in things]
    done = all(len(jobs) == 2 and {j.state() for j in jobs} == {"finished"} for jobs in pushed)
    return fault(
        here,
        "duplicate-enqueue",
        min(at + 10, here.end_s),
        things,
        also=("run-overlap", "overlapping-runs", "duplicate-create", "extra-runs"),
        effect=done,
    )


def _clicked_twice(here: Night, at: float) -> Thing:
    firm, again = here.firm, here.rng.uniform(0.15, 1.6)
    receipt = accepted(here, at, answered=again + 0.4)
    first = dispatched(here, receipt, at + 0.05)
    rid = here.request_id()
    told = {"method": "POST", "path": f"/{firm.table}", "rid": rid, "status": 200, "ms": 55}
    host = here.say(at + again, firm.front, "begin", told)
    second = here.push(at + again + 0.04, receipt.thing, host)
    values = {"job": second.job_class, "jid": second.id, "id": receipt.thing, "rid": rid}
    here.say(at + again + 0.044, firm.front, "pushed", values, host=host)
    here.say(at + again + 0.06, firm.front, "end", told, host=host)
    for job, begun in ((first, at + 0.2), (second, at + again + 0.2)):
        fulfilled(here, job, receipt.thing, begun + here.rng.uniform(0.0, 1.0), 0.3)
    found = here.entity(receipt.thing, receipt.rid, first)
    found.keys |= job_keys(second.id) | request_keys(rid)
    return found
