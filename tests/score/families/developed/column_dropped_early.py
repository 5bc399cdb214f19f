"""A migration drops a column first and the new release follows host by host; the playbook stops at
a host that it cannot reach, and the hosts behind it go on asking for the column.

A person sees it by: the playbook's log names which hosts got the release and where it stopped;
requests that ask for the missing column fail on the other hosts only, from the migration on;
PostgreSQL's log has the migration's ALTER TABLE.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.watched import beside
from tests.score.third_company.house import Watch, move_in, watch
from tests.score.third_company.neighbours import neighbours
from tests.score.truth import Entity, Truth
from tests.score.world import World

COLUMNS = ("legacy_ref", "middle_name", "fax", "vat_rate_pct", "old_state")


def prepare(world: World) -> None:
    move_in(world, fronts=(3, 5), servers=("english", "mariadb"))


def inject(world: World) -> Truth:
    here = watch(world)
    neighbours(here)
    rng, firm, onset = here.rng, here.house, here.onset_s
    column = rng.choice(COLUMNS)
    if firm.server != "mariadb":
        words = f"statement: ALTER TABLE {firm.table} DROP COLUMN {column}"
        here.database_log(onset, rng.randint(900, 9_000), words)
    done = rng.randint(1, len(firm.front.hosts) - 1)
    fresh, old = firm.front.hosts[:done], firm.front.hosts[done:]
    replaced = _playbook(here, fresh, old)
    hit: list[Entity] = []
    at = onset + rng.uniform(0.5, 4)
    pace, until = rng.uniform(4, 18), here.end_s - 1
    while at < until:
        left = [host for host in firm.front.hosts if replaced.get(host, 1e9) > at]
        hit.append(_asks(here, at, column, rng.choice(left)))
        at += rng.expovariate(1 / pace)
    here.settle_accounts()
    return fault(
        here,
        "deploy-skew",
        here.end_s,
        hit,
        also=("change-before",),
        effect=len(hit) >= 6,
    )


def _playbook(here: Watch, fresh: tuple[str, ...], old: tuple[str, ...]) -> dict[str, float]:
    """Ansible's own log; when each host had the new release."""
    at, replaced = here.onset_s + here.rng.uniform(8, 20), dict[str, float]()
    beside(here, here.onset_s - 1, "ansible", "TASK [migrate schema] changed: [localhost]")
    for host in fresh:
        beside(here, at, "ansible", f"TASK [unpack release] changed: [{host}]")
        beside(here, at + 3, "ansible", f"TASK [restart {here.house.front.name}] changed: [{host}]")
        replaced[host] = at + 3
        at += here.rng.uniform(8, 25)
    words = f"fatal: [{old[0]}]: UNREACHABLE! => Failed to connect to the host via ssh"
    beside(here, at + 10, "ansible", words, 17)
    beside(here, at + 10.2, "ansible", "NO MORE HOSTS LEFT")
    return replaced


def _asks(here: Watch, at: float, column: str, host: str) -> Entity:
    firm = here.house
    if firm.server == "mariadb":
        words = f"Unknown column '{firm.table}.{column}' in 'field list'"
    else:
        words = f"column {firm.table}.{column} does not exist"
        here.database_log(at - 0.002, here.rng.randint(900, 30_000), f"{words} at character 31", 17)
    error = here.error(firm.front, "sql", message=words)
    return here.refused_request(at, firm.front, error, host=host)
