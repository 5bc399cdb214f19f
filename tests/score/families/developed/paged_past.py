"""A run pages through its accounts with OFFSET while customers move them: a few are never met.

The run reminds every eligible account. It reads a hundred at a time, ordered by their last change;
an account that is changed while the run is under way goes to the end, everything behind it moves
up by one, and the next page begins one too far. There is no error and the run says that it ended.

A person sees it by: the eligible accounts that were counted at the start and the fewer reminders
at the end; the expected accounts of which no reminder names any, on nights on which the team has
written down what is expected; the accounts that were changed during the run.
"""

from __future__ import annotations

from dataclasses import replace

from tests.score.families.acts import fault
from tests.score.families.rota import rows_of, typed
from tests.score.truth import Truth
from tests.score.world import World
from timeline.event import Kind
from timeline.knowledge import ExpectedSet, Work


def inject(world: World) -> Truth:
    rng, firm = world.rng, world.company
    count, size = rng.choice((420, 760, 1_300)), 100
    first, run = rng.randint(20_000, 80_000), rng.randint(300, 4_000)
    accounts = [first + 3 * n for n in range(count)]
    host, worker = rng.choice(firm.worker.hosts), firm.worker.name
    at = world.onset_s
    world.log(at, worker, host, f"reminder run {run} begins eligible={count} page_size={size}")
    line, offset, sent, page = list(accounts), 0, 0, 0
    moves = rng.randint(3, 9)
    when = sorted(rng.sample(range(1, count // size), min(moves, count // size - 1)))
    while offset < len(line):
        for account in line[offset : offset + size]:
            at += rng.uniform(0.02, 0.12)
            pk = str(900_000 + sent)
            world.row(at, "reminders", pk, columns={"account_id": account}, host=host)
            sent += 1
        page = offset // size
        world.log(at, worker, host, f"reminder run {run} page={page} offset={offset} sent={sent}")
        offset += size
        if page + 1 in when:  # one that was met already goes to the end: all behind it move up
            for _ in range(max(1, moves // len(when))):
                moved = line.pop(rng.randrange(0, offset - 1))
                when_s = at - rng.uniform(0.1, 2)
                columns = {"phone": "…"}
                world.row(when_s, "accounts", str(moved), kind=Kind.ROW_UPDATED, columns=columns)
    told = {key for event in rows_of(world, "reminders") for key in event.keys}
    missing = [account for account in accounts if f"account:{account}" not in told]
    world.log(at + 0.1, worker, host, f"reminder run {run} finished pages={page + 1} sent={sent}")
    if rng.random() < 0.6:
        expected = ExpectedSet(
            "accounts that must be reminded tonight",
            Work(table="reminders"),
            tuple(f"account:{account}" for account in accounts),
            ordered=rng.random() < 0.5,
            asked_at=world.at(world.now_s),
        )
        world.knowledge = replace(world.knowledge, expected=(*world.knowledge.expected, expected))
    return fault(
        world,
        "partial-batch",
        world.end_s,
        [
            typed("account", account) | frozenset((f"row:accounts/{account}",))
            for account in missing
        ],
        alternates=("orphaned-record",),
        effect=0 < len(missing) <= 12 and sent == count - len(missing),
    )
