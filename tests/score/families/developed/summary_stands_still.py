"""Dunning letters are written from a materialised view that is no longer refreshed.

Every three minutes a timer refreshes the view; from some minute on the refresh is cancelled by its
lock timeout, which the timer takes for "next time". Meanwhile customers pay. The letters go out
with the sums of the last good refresh.

A person sees it by: the refresh's own lines, which come every three minutes and then not, and in
the database's log the cancelled statement in their place; an account whose recorded versions go to
a lower sum, and a letter minutes later with the sum before; the letters' own "as of".
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.watched import audited, clock_words, row_names
from tests.score.fifth_company.deeds import saying
from tests.score.fifth_company.harbour import Watch, settle, watch
from tests.score.fifth_company.surroundings import surroundings
from tests.score.truth import Entity, Truth
from tests.score.world import World

VIEW, TABLE = "dunning_balances", "accounts"
EVERY_S = 180.0
CANCELLED = "canceling statement due to lock timeout"


def prepare(world: World) -> None:
    settle(world, ("solid-queue", "procrastinate", "pg-boss"))


def inject(world: World) -> Truth:
    night = watch(world)
    rng = night.rng
    accounts = {str(rng.randint(200_000, 899_999)): rng.randint(8, 90) * 10 for _ in range(40)}
    good = _refreshes(night)
    paid = _payments(night, accounts)
    hit: list[Entity] = []
    first, last = 0.0, night.onset_s
    at = good[0] + 5
    while at < night.end_s - 5:
        account = rng.choice(list(accounts))
        as_of = max(moment for moment in good if moment <= at)
        told = _worth(paid[account], as_of)
        stale = _worth(paid[account], max(0.0, at - 60)) != told and at - as_of > EVERY_S + 30
        rid = _letter(night, at, account, told, as_of)
        if stale:
            first, last = first or at, at
            hit.append(row_names(TABLE, account) | {f"account:{account}", f"request:{rid}"})
        at += rng.uniform(4, 16)
    surroundings(night)
    night.close_the_books()
    return fault(
        night,
        "stale-read",
        last,
        hit,
        also=("missed-run", "lock-queue", "bad-data"),
        effect=len(hit) >= 3 and len(saying(night, CANCELLED, since=night.onset_s - 200)) >= 2,
        onset_s=first or night.onset_s,
    )


def _refreshes(night: Watch) -> list[float]:
    """The timer, all night; returns when a refresh came to its end."""
    good, at, host = [], night.rng.uniform(2, 20), night.firm.worker.hosts[0]
    while at < night.end_s - 4:
        pid = night.rng.randint(3000, 9000)
        if at < night.onset_s - EVERY_S:
            ms = night.rng.randint(900, 3100)
            words = f"materialized view {VIEW} refreshed"
            night.note(at + ms / 1000, night.firm.worker, words, {"took_ms": ms}, host=host)
            good.append(at + ms / 1000)
        else:
            statement = f"REFRESH MATERIALIZED VIEW CONCURRENTLY {VIEW}"
            night.database_log(at + 5, pid, f"{CANCELLED}␊STATEMENT:  {statement}", 17)
            words = f"{VIEW} busy, next time"
            night.note(at + 5.01, night.firm.worker, words, {"waited_ms": 5000}, host=host)
        at += EVERY_S + night.rng.uniform(-0.3, 0.3)
    return good


def _payments(night: Watch, accounts: dict[str, int]) -> dict[str, list[tuple[float, int]]]:
    """Sums of every account by the time they hold from; each payment is a recorded version."""
    paid = {account: [(0.0, due)] for account, due in accounts.items()}
    number = dict.fromkeys(accounts, 1)
    at = 20.0
    while at < night.end_s - 20:
        account = night.rng.choice(list(accounts))
        due = paid[account][-1][1]
        left = max(0, due - night.rng.randint(1, 6) * 10)
        if left != due:
            number[account] += 1
            changed = {"amount_due": (due, left)}
            host = night.rng.choice(night.firm.front.hosts)
            audited(night, at, TABLE, account, changed, "", host=host, version=number[account])
            paid[account].append((at, left))
        at += night.rng.uniform(10, 40)
    return paid


def _worth(sums: list[tuple[float, int]], at: float) -> int:
    return [due for since, due in sums if since <= at][-1]


def _letter(night: Watch, at: float, account: str, due: int, as_of: float) -> str:
    rid = night.request_id()
    stamp = clock_words(night.at(as_of)).replace(" ", "T")
    fields = {"account_id": account, "amount_due": due, "as_of": stamp, "request_id": rid}
    night.note(at, night.firm.worker, "letter composed", fields)
    return rid
