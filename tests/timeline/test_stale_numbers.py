"""stale-read where numbers go back, and where a copy stands still."""

from __future__ import annotations

import random

import pytest

from timeline.clock import ClockBound
from timeline.detectors.old_revisions import OldRevision
from timeline.order import Verdict

from .test_stale_copies import found
from .test_stale_values import audited
from .worlds import World

TAGS = (
    '{{"method":"{method}","path":"/v1/carts/{thing}","etag":"W/\\"{number}\\"","node":"{node}"}}',
    '10.1.0.9 "{method} /v1/carts/{thing} HTTP/1.1" 200 etag="{number}" upstream={node}',
    'method={method} url=https://shop.example/v1/carts/{thing} etag=W/"{number}" via={node}',
)


def gateway(words: str, *, deaf: bool, history: bool = False) -> World:
    """Carts that are saved and read through a proxy; node c may hold what it had at 900 s."""
    world, rng = World(), random.Random(7)
    world.run("j1", "user_id=1", 10, 11, 12)
    numbers, held = dict.fromkeys(range(24), 3), dict.fromkeys(range(24), 3)
    for second in range(20, 2000, 4):
        thing, node = rng.randrange(24), rng.choice("abc")
        method = "PUT" if rng.random() < 0.3 else "GET"
        if method == "PUT":
            numbers[thing] += 1
            if second < 900:
                held[thing] = numbers[thing]
        old = deaf and second > 900 and node == "c" and method == "GET"
        number = held[thing] if old else numbers[thing]
        if history and second > 1500 and method == "GET":
            number = 1 + second % 2
        told = words.format(method=method, thing=f"c{thing}", number=number, node=node)
        world.log(second, "edge", told)
    return world


@pytest.mark.parametrize("words", TAGS)
def test_entity_tags_that_go_back_and_come_again(words: str) -> None:
    (finding,) = found(gateway(words, deaf=True), OldRevision)
    assert isinstance(finding, OldRevision)
    assert finding.verdict is Verdict.LIKELY
    assert len(finding.reads) > 3
    assert not found(gateway(words, deaf=False), OldRevision)


def test_a_counter_that_begins_anew_is_no_old_copy() -> None:
    world = World()
    world.run("j1", "user_id=1", 10, 11, 12)
    for place, second in enumerate(range(20, 1900, 10)):
        number = place % 60 // 6  # every record is imported again from its first revision
        world.log(second, "import", f"saved part_id=p{place % 6} revision={number}")
    assert not found(world, OldRevision)


def seen(bound: ClockBound | None = None, *, behind: bool, later: float) -> World:
    """A writer tells each revision, a reader tells what it loaded `later` seconds after."""
    world = World() if bound is None else World(bound=bound)
    world.run("j1", "user_id=1", 10, 11, 12)
    for number in range(60):
        second = 20.0 * number + 30
        stale = behind and 40 <= number < 50
        world.log(second, "desk", f"committed visit_id=v{number} revision=2")
        world.log(
            second + later, "clerk", f"loaded visit_id=v{number} revision={1 if stale else 2}"
        )
    return world


@pytest.mark.parametrize(("later", "verdict"), [(4.0, Verdict.LIKELY), (0.3, Verdict.POSSIBLE)])
def test_a_reader_that_is_usually_up_to_date(later: float, verdict: Verdict) -> None:
    (finding,) = found(seen(behind=True, later=later), OldRevision)
    assert finding.verdict is verdict
    assert not found(seen(behind=False, later=later), OldRevision)


def test_clocks_that_leave_the_order_open_lower_it() -> None:
    wide = ClockBound(5 * 10**9, 5 * 10**9, "declared")
    told = found(seen(wide, behind=True, later=4.0), OldRevision)
    assert all(finding.verdict is Verdict.POSSIBLE for finding in told)


def summary(frozen_at: float, *, every: float = 120.0) -> World:
    """Letters with sums as of the last refresh, which happens every `every` seconds."""
    world, rng = World(), random.Random(3)
    world.run("j1", "user_id=1", 10, 11, 12)
    sums = {f"a{n}": [(0.0, 500 + n)] for n in range(12)}
    for second in range(10, 2000, 12):
        account = rng.choice(list(sums))
        before = sums[account][-1][1]
        after = before - 7
        audited(world, "accounts", account, {"owed": [str(before), str(after)]}, second)
        sums[account].append((second, after))
    for second in range(15, 2080, 5):
        account = rng.choice(list(sums))
        as_of = min(second // every * every, frozen_at)
        owed = next(value for since, value in reversed(sums[account]) if since <= as_of)
        world.log(second, "letters", f"composed account_id={account} owed={owed}")
    return world


@pytest.mark.parametrize("every", [60.0, 120.0, 200.0])
def test_a_summary_that_stands_still(every: float) -> None:
    told = found(summary(1200.0, every=every), OldRevision)
    assert any(finding.verdict is Verdict.LIKELY for finding in told)


@pytest.mark.parametrize("every", [60.0, 120.0, 200.0])
def test_a_summary_that_is_made_anew_as_ever(every: float) -> None:
    assert not found(summary(9e9, every=every), OldRevision)
