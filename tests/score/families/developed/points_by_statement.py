"""Two sessions credit one loyalty account, both with the balance they had selected before.

The application selects the points, adds, and updates with the sum as a parameter; the isolation
level is READ COMMITTED and nobody locks the row. The database logs every statement with its
parameters. A campaign credits two bookings of one customer in the same instant, for a handful of
customers among some hundred.

A person sees it by: PostgreSQL's own log, two sessions that select an account before either has
updated it, and the two updates with absolute sums after; the entries of the account, whose sum is
more than the account has gained; the two lines of the application that both say "credited".
"""

from __future__ import annotations

import re

from tests.score.families.acts import fault
from tests.score.families.watched import row_names
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.event import Kind

TABLE, ENTRIES = "loyalty_accounts", "loyalty_entries"
SELECT = f'SELECT "points" FROM "{TABLE}" WHERE "id" = $1'
UPDATE = f'UPDATE "{TABLE}" SET "points" = $1, "updated_at" = $2 WHERE "id" = $3'
INSERT = f'INSERT INTO "{ENTRIES}" ("loyalty_account_id", "points") VALUES ($1, $2)'
_SELECTED = re.compile(r"\[(\d+)\].*SELECT.*\$1 = '(\d+)'")
_UPDATED = re.compile(r"\[(\d+)\].*UPDATE.*\$1 = '(\d+)'.*\$3 = '(\d+)'")


class _Bank:
    """The accounts, and the sessions that write to them."""

    def __init__(self, world: World) -> None:
        self.world = world
        rng = world.rng
        self.pids = [rng.randint(2000, 30000) for _ in range(rng.randint(4, 9))]
        first = rng.randint(70_000, 90_000)
        self.points = {str(first + 7 * n): rng.randint(20, 4000) for n in range(60)}
        self.entry = rng.randint(400_000, 900_000)
        self.touched: dict[str, float] = {}

    def statement(self, at: float, pid: int, text: str, *values: object) -> None:
        shown = ", ".join(f"${n} = '{value}'" for n, value in enumerate(values, 1))
        detail = f"␊DETAIL:  parameters: {shown}" if values else ""
        self.world.database_log(at, pid, f"execute <unnamed>: {text}{detail}")

    def select(self, at: float, pid: int, account: str) -> int:
        self.statement(at, pid, "BEGIN")
        self.statement(at + 0.001, pid, SELECT, account)
        return self.points[account]

    def update(self, at: float, pid: int, account: str, gain: int, had: int) -> str:
        """The sum is written, the entry beside it; returns the request's id."""
        world, self.points[account] = self.world, had + gain
        self.touched[account] = at
        stamp = f"2026-02-03 00:00:{int(at) % 60:02d}+00"
        self.statement(at, pid, UPDATE, had + gain, stamp, account)
        self.statement(at + 0.001, pid, INSERT, account, gain)
        self.statement(at + 0.002, pid, "COMMIT")
        self.entry += 1
        columns = {"loyalty_account_id": int(account), "points": gain}
        world.row(at + 0.001, ENTRIES, str(self.entry), columns=columns, commit=at + 0.002)
        rid, back = world.request_id(), world.company.backs[0]
        words = f"credited {gain} points loyalty_account_id={account} request_id={rid}"
        world.log(at + 0.004, back.name, world.rng.choice(back.hosts), words)
        return rid


def inject(world: World) -> Truth:
    rng, bank = world.rng, _Bank(world)
    struck = rng.sample(list(bank.points), rng.randint(3, 8))
    times = sorted(world.onset_s + rng.uniform(0, 40) for _ in struck)
    times[0] = world.onset_s
    calm = [account for account in bank.points if account not in struck]
    count = rng.randint(90, 160)
    for n in range(count):
        at = 10 + n * (world.end_s - 30) / count + rng.uniform(0, 4)
        account, pid = rng.choice(calm), rng.choice(bank.pids)
        if at < world.onset_s - 20 and rng.random() < 0.3:
            account = rng.choice(struck)
        had = bank.select(at, pid, account)
        bank.update(at + rng.uniform(0.003, 0.03), pid, account, rng.randint(5, 80), had)
    hit = [_both(bank, at, account) for at, account in zip(times, struck, strict=True)]
    for account, at in bank.touched.items():
        columns = {"points": bank.points[account], "tier": "silver"}
        world.row(at, TABLE, account, kind=Kind.ROW_UPDATED, columns=columns)
    return fault(world, "lost-update", times[-1] + 2, hit, effect=_crossed(world) >= len(struck))


def _both(bank: _Bank, at: float, account: str) -> Entity:
    """Select, select, update, update."""
    rng = bank.world.rng
    one, two = rng.sample(bank.pids, 2)
    gains = rng.sample(range(5, 90), 2)
    had = bank.select(at, one, account)
    bank.select(at + rng.uniform(0.002, 0.01), two, account)
    first = bank.update(at + 0.02, one, account, gains[0], had)
    second = bank.update(at + 0.02 + rng.uniform(0.005, 0.05), two, account, gains[1], had)
    requests = frozenset((f"request:{first}", f"request:{second}"))
    return row_names(TABLE, account) | {f"loyalty_account:{account}"} | requests


def _crossed(world: World) -> int:
    """Accounts that one session updated between another's select and update."""
    said = sorted((e.timestamp, e.body) for e, _ in world.told if e.source == "db-log")
    held: dict[tuple[str, str], int] = {}
    version: dict[str, int] = {}
    lost = 0
    for _, body in said:
        if found := _UPDATED.search(body):
            pid, _, account = found.groups()
            lost += held.pop((pid, account), version.get(account, 0)) != version.get(account, 0)
            version[account] = version.get(account, 0) + 1
        elif found := _SELECTED.search(body):
            pid, account = found.groups()
            held[pid, account] = version.get(account, 0)
    return lost
