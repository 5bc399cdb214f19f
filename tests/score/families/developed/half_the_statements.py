"""The monthly statements reach some accounts and not the others, and nothing turns red.

A release ends the process in the middle of the run, one of two shards never begins, or the page
size of the account service cuts the list. The team asks what should have been written, or the run
itself announced every account before it began.
"""

from __future__ import annotations

from dataclasses import replace

from tests.score.families.acts import fault
from tests.score.third_company.acts import close, version
from tests.score.third_company.house import Watch, move_in, watch
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.knowledge import ExpectedSet, Work

WRITTEN = "statement written"


def prepare(world: World) -> None:
    move_in(world)


def inject(world: World) -> Truth:
    here = watch(world)
    rng = here.rng
    count = rng.randint(60, 420)
    first = rng.randint(20_000, 60_000)
    accounts = [f"{first + 7 * n}" for n in range(count)]
    way = rng.choice(("stopped", "shard", "page"))
    done = {
        "stopped": lambda: accounts[: int(count * rng.uniform(0.25, 0.75))],
        "shard": lambda: accounts[::2],
        "page": lambda: accounts[: rng.choice((25, 50))],
    }[way]()
    pace = min(1.1, (here.onset_s - 500) / len(done))
    begin = here.onset_s - len(done) * pace if way == "stopped" else here.onset_s
    pace = pace if way == "stopped" else min(0.8, 250 / len(done))
    announced = _announce(here, begin, accounts, done, way)
    for place, account in enumerate(done):
        at = begin + 2 + place * pace + rng.uniform(0, 0.4 * pace)
        words = f"{WRITTEN} account_id={account} run_id=2026-01 lines={rng.randint(3, 90)}"
        here.line(at, here.house.worker, words)
    over = begin + 2 + len(done) * pace
    _end(here, over, way, len(done))
    missing: list[Entity] = [frozenset((f"account:{a}",)) for a in accounts if a not in set(done)]
    close(here)
    also = ("change-before",) if way == "stopped" else ()
    effect = here.counted(WRITTEN) == len(done) and announced and len(missing) > 10
    ended = min(over + 60, here.end_s)
    return fault(here, "partial-batch", ended, missing, also=also, effect=effect)


def _announce(here: Watch, begin: float, accounts: list[str], done: list[str], way: str) -> bool:
    """Either the team asks a database what is due, or the run says it for each account."""
    rng, worker = here.rng, here.house.worker
    host = rng.choice(worker.hosts)
    seen = len(done) if way == "page" else len(accounts)
    here.line(begin, worker, f"statement run started run_id=2026-01 accounts={seen}", host=host)
    if way == "page" or rng.random() < 0.6:
        ordered = way != "shard"
        expected = ExpectedSet(
            "accounts that get a statement for January",
            Work(log=WRITTEN),
            tuple(f"account:{account}" for account in accounts),
            ordered=ordered,
            asked_at=here.at(here.now_s),
        )
        known = here.knowledge
        here.knowledge = replace(known, expected=(*known.expected, expected))
        return True
    for place, account in enumerate(accounts):
        words = f"statement planned account_id={account} run_id=2026-01 shard={place % 2}"
        here.line(begin - 3 + 3 * place / len(accounts), worker, words, host=host)
    return True


def _end(here: Watch, over: float, way: str, count: int) -> None:
    rng, worker = here.rng, here.house.worker
    host = rng.choice(worker.hosts)
    if way == "stopped":
        commit = version(here)
        words = f"rollout {commit[:12]} of {worker.name}"
        here.change(over - 8, words, worker.name, version=commit, who="argo", status="success")
        here.say(over - 0.1, worker, "stop", host=host)
        boot = {"service": worker.name, "version": commit[:8], "n": 7}
        here.say(over + 6, worker, "boot", boot, host=host)
        return
    here.line(
        over + 0.5, worker, f"statement run finished run_id=2026-01 written={count}", host=host
    )
