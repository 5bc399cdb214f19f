"""Somebody's console holds changed rows in an open transaction; jobs wait for that transaction."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.second_company.acts import asked_again, dispatched, fulfilled, served
from tests.score.second_company.elsewhere import Night, night, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Truth
from tests.score.world import Thing, World

HOLDER = 31_337


def prepare(world: World) -> None:
    settle(world, ("oban", "river", "bullmq", "rabbitmq"))


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    took = here.rng.uniform(90.0, 280.0)
    ended, xid = here.onset_s + took, here.rng.randint(700_000, 990_000)
    here.change(here.onset_s - 40, "repairing rows by hand in the console", who="on-call")
    things, at = list[Thing](), here.onset_s + here.rng.uniform(0.5, 4.0)
    while at < ended - 12:
        things.append(_blocked(here, at, ended, xid))
        at += here.rng.uniform(4.0, 25.0)
    here.database_line(ended, HOLDER, "idle", 21)
    here.close_the_books()
    what = here.database_says("transaction", oid=xid)
    named = sum(f" {what}" in body for body in here.told_text(here.onset_s, ended + 1))
    return fault(
        here,
        "lock-queue",
        ended + 30,
        things,
        also=("change-before",),
        effect=named >= len(things) > 2,
    )


def _blocked(here: Night, at: float, ended: float, xid: int) -> Thing:
    """A job whose statement waits for the forgotten transaction until its own timeout."""
    firm, pid = here.firm, here.rng.randint(10_000, 29_999)
    record = served(here, here.onset_s - here.rng.uniform(60, 400))
    receipt = asked_again(here, at - 0.25, record)
    job = dispatched(here, receipt, at - 0.22, job_class=f"Confirm{firm.thing.title()}")
    statement = f"UPDATE {firm.table} SET state = $1 WHERE id = $2"
    told = {"mode": "ShareLock", "statement": statement, "holder": HOLDER, "queue": pid}
    what = here.database_says("transaction", oid=xid)
    here.database_line(at + 1, pid, "waiting", 9, **told, pid=pid, what=what, ms=1_000)
    words = here.database_says("lock_timeout")
    here.database_log(at + 5, pid, f"{words}␊STATEMENT:  {statement}", 17)
    here.run(job, at, 5.01, "retried", here.error(firm.worker, "sql", message=words))
    fulfilled(here, job, receipt.thing, ended + here.rng.uniform(1, 20), 0.4)
    return here.entity(receipt.thing, receipt.rid, job)
