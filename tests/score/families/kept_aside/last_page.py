"""A run plans its work, then walks a list by pages. The list's owner gives out no page after the
tenth and says so only by an empty answer: the run takes that for the end and is content.

A person sees it by:
- the run's first and last line, planned against sent, with no error between them;
- the pages it asked for: all full but the last, which is empty;
- rows that were planned and are still as they were, and the set that is expected tonight.
"""

from __future__ import annotations

from dataclasses import replace

from tests.score.families.acts import fault
from tests.score.families.watched import row_names
from tests.score.held import narrowed, of_these
from tests.score.sixth_company.acts import close, told
from tests.score.sixth_company.company import settle, shift
from tests.score.truth import Truth
from tests.score.world import World
from timeline.event import Kind
from timeline.knowledge import ExpectedSet, Work

PAGES = 10
_RUNS = (
    ("dunning", "reminder mailed", "reminders"),
    ("tax", "certificate filed", "filings"),
    ("payout", "payout instructed", "payouts"),
)


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    here = shift(world)
    rng, worker = here.rng, here.company.worker
    name, line, table = rng.choice(_RUNS)
    size = rng.randint(7, 18)
    done = PAGES * size
    total = round(done * rng.uniform(1.15, 1.9))
    customers = [str(number) for number in rng.sample(range(20_000, 90_000), total)]
    rows = [str(7_100_000 + place) for place in range(total)]
    host, pace = rng.choice(worker.hosts), rng.uniform(0.8, 2.4)
    at = here.onset_s - pace * done - 4
    planned = here.at(at - 1.5)
    run = f"{name}-{rng.randint(200, 900)}"
    here.line(at, worker, f"run {run} begins: {total} planned", host=host)
    for place, (customer, row) in enumerate(zip(customers, rows, strict=True)):
        # a row is shown as it is now, also where its insertion is told
        columns = {"customer_id": int(customer), "state": "sent" if place < done else "planned"}
        here.row(at - 1.5 + place / total, table, row, columns=columns, host=host)
    for page in range(PAGES):
        words = f"GET /due-customers?page={page + 1}&size={size} 200 items={size} run={run}"
        here.line(at + 0.3, worker, words, host=host)
        for place in range(page * size, (page + 1) * size):
            at += pace
            words = f"{line} customer_id={customers[place]} run={run}"
            here.line(at, worker, words, host=host)
            columns = {"customer_id": int(customers[place]), "state": "sent"}
            kind = Kind.ROW_UPDATED
            here.row(at - 0.01, table, rows[place], kind=kind, columns=columns, host=host)
    last = f"GET /due-customers?page={PAGES + 1}&size={size} 200 items=0 run={run}"
    here.line(at + 0.3, worker, last, host=host)
    here.line(at + 0.5, worker, f"run {run} ends: {done} done, 0 failed", host=host)
    expected = ExpectedSet(
        f"customers due in {name} tonight",
        Work(log=line),
        tuple(f"customer:{customer}" for customer in customers),
        ordered=rng.random() < 0.5,
        asked_at=here.at(here.now_s),
    )
    here.knowledge = replace(here.knowledge, expected=(*here.knowledge.expected, expected))
    close(here)
    left = list(zip(customers, rows, strict=True))[done:]
    entities = [row_names(table, row) | {f"customer:{customer}"} for customer, row in left]
    told_done = {event.body.partition("customer_id=")[2].split()[0] for event in told(here, line)}
    effect = told_done == set(customers[:done]) and len(told(here, f"run={run}", "items=0")) == 1
    effect &= len(told(here, f"run {run} ends: {done} done")) == 1 and len(left) > 10
    effect &= len(told(here, f"{table}/", "state=planned")) == len(left)
    truth = fault(here, "partial-batch", at + 60, entities, effect=effect)
    # planned when the run began, and never sent: such a row is dated by its planning
    return narrowed(truth, of_these(truth, "orphaned-record", since=planned))
