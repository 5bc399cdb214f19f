"""A batch in shards ends with one shard hardly begun.

The statements of the month are written in shards, one job each. In one of them the statement that
reads the accounts is cancelled by the server after the first few; its job fails for good and
nothing tries it again. The others end well, but for a few accounts that fail for their own reasons.

A person sees it by: the plan's lines, which name every account and its shard; the accounts with a
line of success, all but one shard's; that shard's error and its dead job; in some companies, the
written expectation that every account has a statement.
"""

from __future__ import annotations

from dataclasses import replace

from tests.score.families.acts import fault
from tests.score.fifth_company.deeds import saying, unspoken_run
from tests.score.fifth_company.harbour import Watch, job_name, settle, watch
from tests.score.fifth_company.surroundings import surroundings
from tests.score.truth import Truth
from tests.score.world import World
from timeline.knowledge import ExpectedSet, Work

WRITTEN = "statement written"
CANCELLED = "canceling statement due to statement timeout"
_OWN_REASONS = ("no postal address", "currency without a rate", "closing balance is null")


def prepare(world: World) -> None:
    settle(world, workers=(2, 6))


def inject(world: World) -> Truth:
    night = watch(world)
    rng = night.rng
    shards = rng.randint(4, 9)
    accounts = [str(rng.randint(100_000, 999_999)) for _ in range(shards * rng.randint(14, 38))]
    accounts = list(dict.fromkeys(accounts))
    bad = rng.randrange(shards)
    run = f"statements-{rng.randint(2000, 9000)}"
    begin = night.onset_s - rng.uniform(20, 70)
    _planned(night, begin, accounts, shards, run)
    failing = set(rng.sample(accounts, rng.randint(0, 3)))
    done: set[str] = set()
    for shard in range(shards):
        mine = accounts[shard::shards]
        until = night.onset_s if shard == bad else 1e9
        done |= _shard(night, begin + 3 + shard * 0.4, shard, mine, run, until, failing)
    if rng.random() < 0.5:
        _expected(night, accounts)
    surroundings(night)
    night.close_the_books()
    left = [account for account in accounts if account not in done]
    said = len(saying(night, WRITTEN, run))
    return fault(
        night,
        "partial-batch",
        night.end_s,
        [frozenset((f"account:{account}",)) for account in left],
        also=("unsafe-replay",) if done.intersection(accounts[bad::shards]) else (),
        effect=len(left) >= 5
        and said >= len(done) > len(left)
        and len(saying(night, "shard failed", CANCELLED, run)) >= 1,
    )


def _planned(night: Watch, begin: float, accounts: list[str], shards: int, run: str) -> None:
    """Who is to be worked on, account by account."""
    host = night.firm.worker.hosts[0]
    words = f"batch begins, {len(accounts)} accounts in {shards} shards"
    night.note(begin, night.firm.worker, words, {"run_id": run}, host=host)
    for place, account in enumerate(accounts):
        told = {"account_id": account, "shard": place % shards, "run_id": run}
        night.note(begin + 0.1 + place * 0.004, night.firm.worker, "planned", told, host=host)


def _shard(
    night: Watch,
    begin: float,
    shard: int,
    mine: list[str],
    run: str,
    until: float,
    failing: set[str],
) -> set[str]:
    """One shard's job; it stops at `until`. The accounts that have their statement."""
    rng, worker = night.rng, night.firm.worker
    name = job_name("Write", "statements", worker.style_name)
    job = night.push(begin - 1, str(shard), worker.hosts[0], name)
    job.args, job.keys = f"shard={shard}, run_id={run}", ()
    told = {"shard": shard, "run_id": run, "job_id": job.id}
    cut = until < 1e9
    pace = (until - begin) / rng.uniform(3, 9) if cut else rng.uniform(0.8, 4)
    ended = until if cut else begin + len(mine) * pace
    message = night.error(worker, "sql", message=CANCELLED)
    outcome, error = ("dead", message) if cut else ("finished", "")
    host = unspoken_run(night, job, begin, ended - begin, outcome, error)
    night.note(begin, worker, "shard begins", {"n": len(mine), **told}, host=host)
    done: set[str] = set()
    at = begin
    for account in mine:
        at += pace * rng.uniform(0.7, 1.2)
        if at > min(until - 1, night.end_s - 2):
            break
        fields = {"account_id": account, "shard": shard, "run_id": run}
        if account in failing:
            words = f"statement not written: {rng.choice(_OWN_REASONS)}"
            night.note(at, worker, words, fields, host=host, severity=17)
            continue
        night.note(at, worker, WRITTEN, fields, host=host)
        done.add(account)
    if cut:
        night.database_log(until - 0.003, rng.randint(2000, 9000), CANCELLED, 17)
        night.note(until, worker, f"shard failed: {error}", told, host=host, severity=17)
    else:
        night.note(max(at, ended), worker, "shard complete", {"done": len(done), **told}, host=host)
    return done


def _expected(night: Watch, accounts: list[str]) -> None:
    """The team has written down who must have a statement."""
    expected = ExpectedSet(
        "accounts with a statement for the month",
        Work(log=WRITTEN),
        tuple(f"account:{account}" for account in accounts),
        asked_at=night.at(night.now_s),
    )
    known = night.knowledge
    night.knowledge = replace(known, expected=(*known.expected, expected))
