"""A hardening of database roles takes a privilege away that one service still uses. From the next
query on that service fails on one table; in some nights the change is taken back before the pager.

A person sees it by:
- the change in the record, seconds before the first failure;
- failures of one kind, of one service, on one table, none before and none elsewhere;
- the server's own log, which refuses the role; where it was reverted, the last failure.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.sixth_company.acts import SEVERITY_ERROR, answered, asked, both_names, close, told
from tests.score.sixth_company.company import settle, shift
from tests.score.truth import Entity, Truth
from tests.score.world import World

_PLAYS = (
    "terraform apply database-roles: 1 changed (revoke select on {table} from {role})",
    "ansible: play harden-postgres, task revoke unused grants of {role}: changed",
    "DBA-2214 applied: {role} limited to its own schema",
)


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    here = shift(world)
    rng, firm = here.rng, here.company
    back = rng.choice(firm.backs)
    table, role = (
        rng.choice(("addresses", "price_lists", "holidays", "bank_details")),
        "svc_" + (back.name.replace("-", "_")),
    )
    words = rng.choice(_PLAYS).format(table=table, role=role)
    changed = here.onset_s
    here.change(changed, words, who=rng.choice(("m.ivarsson", "platform-bot", "dba on call")))
    until = changed + rng.uniform(260, 420) if rng.random() < 0.5 else here.end_s - 2
    if until < here.end_s - 60:
        here.change(until, f"reverted: {words}", who="dba on call")
    refusal = f"permission denied for table {table}"
    for at in (changed - rng.uniform(30, 800) for _ in range(12)):
        rid, host = asked(here, at, back, f"/{table}", method="GET")
        answered(here, at + 0.03, back, f"/{table}", rid, host, 0.03, method="GET")
    hit: list[Entity] = []
    at = changed + rng.uniform(1, 25)
    every = rng.uniform(3, 14)
    while at < until:
        rid, host = asked(here, at, back, f"/{table}", method="GET")
        error = here.error(back, "sql", message=refusal)
        values = {"method": "GET", "path": f"/{table}", "rid": rid, "error": error}
        here.say(at + 0.01, back, "request_failed", values, host=host, severity=SEVERITY_ERROR)
        answered(here, at + 0.012, back, f"/{table}", rid, host, 0.012, status=500, method="GET")
        statement = f"{refusal}␊STATEMENT:  SELECT * FROM {table} WHERE id = $1"
        here.database_log(at + 0.008, rng.randint(3_000, 4_000), statement, SEVERITY_ERROR)
        hit.append(both_names(rid))
        at += rng.expovariate(1 / every)
    close(here)
    lines = told(here, refusal)
    effect = len(hit) > 4 and lines[0].timestamp > here.at(changed)
    effect &= len(told(here, words)) >= 1 and lines[-1].timestamp < here.at(until + 1)
    return fault(here, "change-before", until, hit, effect=effect)
