"""The job leaves before its row is there to be read.

Group orders render their papers inside the transaction, which takes seconds. The release of the
evening sends their job from within it: the queue got a connection of its own, or a listener lost
its "after commit". Ordinary orders are sent afterwards, as ever.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.third_company.acts import close, run_on, version
from tests.score.third_company.house import Watch, move_in, watch
from tests.score.truth import Truth
from tests.score.world import PIN_S, Thing, World

RELEASES = {
    "lograge": "config/database.yml: jobs moved to a database of their own",
    "log4j2": "GroupOrderListener: @EventListener in place of @TransactionalEventListener",
    "zerolog": "outbox removed, group orders are published directly",
    "logger": "group orders: publish from the transaction fun",
    "spdlog": "group orders: send from the unit of work",
}


def prepare(world: World) -> None:
    move_in(world, ("solid-queue", "rabbitmq"))


def inject(world: World) -> Truth:
    here = watch(world)
    rng, firm = here.rng, here.house
    released = here.onset_s - rng.uniform(40, 500)
    commit = version(here)
    words = RELEASES[firm.front.style_name]
    here.change(released, words, firm.front.name, version=commit, who="argo", status="success")
    gives_up = rng.random() < 0.4
    things: list[Thing] = []
    at = here.onset_s
    while at < PIN_S - 10:
        things.append(_group_order(here, at, gives_up=gives_up))
        at += rng.uniform(12, 75)
    raised = sum(any(a.error for a in t.job.attempts) for t in things if t.job is not None)
    close(here)
    return fault(
        here,
        "job-before-commit",
        at,
        things,
        also=("change-before", *(("orphaned-record",) if gives_up else ())),
        effect=raised == len(things) >= 3,
    )


def _group_order(here: Watch, at: float, *, gives_up: bool) -> Thing:
    """A row that is committed `held` seconds after its job was sent."""
    rng, firm = here.rng, here.house
    held, thing = rng.uniform(0.7, 4.5), here.new_id()
    path = f"/{firm.table}/group"
    rid, host = here.begun(at, path=path)
    columns = {"state": "draft", "size": rng.randint(8, 60)}
    here.row(at + 0.01, firm.table, thing, columns=columns, commit=at + held, host=host)
    here.say(at + 0.016, firm.front, "wrote", {"id": thing, "rid": rid, "ms": 6}, host=host)
    job = here.push(at + 0.03, thing, host)
    told = {"job": firm.job_class, "jid": job.id, "id": thing, "rid": rid}
    here.say(at + 0.034, firm.front, "pushed", told, host=host)
    here.answered(at + held + 0.01, rid, host, 201, held * 1000, path=path)
    first = at + 0.04 + rng.uniform(0.02, 0.35)
    missing = here.error(firm.worker, "not_found", id=thing)
    outcome = "dead" if gives_up else "retried"
    run_on(here, job, first, rng.uniform(0.004, 0.03), outcome=outcome, error=missing)
    again = at + held + rng.uniform(6, 25)
    if not gives_up and again < here.end_s - 2:
        took = rng.uniform(0.2, 0.6)
        attempt = run_on(here, job, again, took)
        here.effect_row(again + took * 0.9, thing, attempt.host)
    return here.entity(thing, rid, job)
