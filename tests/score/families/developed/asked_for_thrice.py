"""The statement run behind an admin page takes longer than the proxy waits. The clerk sees a
gateway timeout and asks again, and again; each run goes on where the one before was cut off.

No line speaks of a button. A person sees it by: the table of admin actions has the same action for
the same period three times, by the same clerk, minutes apart; the proxy answered 504 to the first
two of three equal requests; the statements written between two of these rows continue the list.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.quayside import names_of, told_of
from tests.score.families.watched import accessed
from tests.score.third_company.house import Watch, move_in, watch
from tests.score.third_company.neighbours import neighbours
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.event import Kind

CLERKS = ("m.keller", "r.osei", "t.lindqvist", "a.duarte")
ACTIONS = (
    ("admin_actions", "run_statements"),
    ("staff_requests", "close_month"),
    ("operations", "settle_period"),
)
"""Where the shop keeps what its clerks asked for, and what this one is called there."""
LIMIT_S = 60.0
"""The proxy's patience."""


def prepare(world: World) -> None:
    move_in(world)


def inject(world: World) -> Truth:
    here = watch(world)
    neighbours(here)
    rng = here.rng
    clerk, period = rng.choice(CLERKS), f"2026-0{rng.randint(1, 4)}"
    table, verb = rng.choice(ACTIONS)
    _others(here, table, clerk)
    presses, customer = rng.randint(3, 4), rng.randint(2_000, 9_000)
    at, actions, written = here.onset_s, list[Entity](), 0
    per_run = rng.randint(30, 60)
    for press in range(presses):
        last = press == presses - 1
        actions.append(_action(here, at, table, verb, clerk, period))
        took = rng.uniform(20, 35) if last else LIMIT_S
        path = f"POST /backoffice/periods/{period}/{verb}"
        accessed(here, at - 0.05, "nginx", path, 201 if last else 504, took)
        for _ in range(per_run // 2 if last else per_run):
            customer += rng.randint(1, 3)
            written += 1
            _statement(here, at + 0.5 + (took - 2) * rng.random(), customer, period)
        at += took + rng.uniform(8, 40)
    here.settle_accounts()
    return fault(
        here,
        "re-press",
        min(at, here.end_s),
        actions,
        also=("partial-batch", "extra-runs", "rejected-by-limit", "duplicate-enqueue"),
        effect=told_of(here, f"{table}/", kind=Kind.ROW_INSERTED) > presses and written > 60,
    )


def _action(here: Watch, at: float, table: str, verb: str, clerk: str, period: str) -> Entity:
    pk = here.new_id()
    columns = {"action": verb, "actor": clerk, "period": period, "state": "requested"}
    here.row(at, table, pk, columns=columns, host=here.house.front.hosts[0])
    return names_of(table, pk)


def _others(here: Watch, table: str, clerk: str) -> None:
    """What clerks do all day, each thing once."""
    for verb in ("export_ledger", "lock_account", "print_labels", "assign_role"):
        at = here.rng.uniform(30, here.onset_s)
        who = here.rng.choice((*CLERKS, clerk))
        columns = {"action": verb, "actor": who, "period": "", "state": "requested"}
        here.row(at, table, here.new_id(), columns=columns, host=here.house.front.hosts[0])


def _statement(here: Watch, at: float, customer: int, period: str) -> None:
    columns = {"customer_id": customer, "period": period, "state": "issued"}
    here.row(at, "statements", here.new_id(), columns=columns, host=here.house.front.hosts[0])
