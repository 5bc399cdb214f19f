"""Rows that go through a set of items: short rounds, and a batch that was begun again."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from timeline.detectors.partial_batch import PartialBatch, PartialBatchDetector
from timeline.detectors.re_press import RePress, RePressDetector
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World, healthy

FIRST = 300.0


def short(world: World) -> list[PartialBatch]:
    result = PartialBatchDetector().detect(world.incident())
    if isinstance(result, NotEvaluated):
        return []
    return [one for one in result if isinstance(one, PartialBatch)]


def pressed(world: World) -> list[RePress]:
    result = RePressDetector().detect(world.incident())
    if isinstance(result, NotEvaluated):
        return []
    assert all(isinstance(one, RePress) for one in result)
    return [one for one in result if isinstance(one, RePress)]


class Rows:
    """Writes rows of one table about sellers."""

    def __init__(self, world: World, table: str = "payout_items") -> None:
        self.world, self.table, self.number = world, table, 0

    def through(self, begun: float, items: Iterable[int], pace: float = 0.5) -> float:
        """One row an item from `begun` on; when the last one was written."""
        at = begun
        for at_place, item in enumerate(items):
            at = begun + pace * at_place
            self.number += 1
            columns: dict[str, object] = {"seller_id": item}
            self.world.row(at, self.table, 10_000 + self.number, columns=columns)
        return at


@pytest.mark.parametrize(
    "last",
    [range(40), range(50), [n for n in range(80) if n % 3], [n for n in range(80) if n % 9]],
    ids=["prefix", "a page", "a shard", "here and there"],
)
def test_a_round_that_is_short_of_the_rounds_before(last: Iterable[int]) -> None:
    world = healthy(World())
    rows = Rows(world)
    for start in (FIRST, FIRST + 300, FIRST + 600):
        rows.through(start, range(80))
    done = list(last)
    rows.through(FIRST + 900, done)
    (finding,) = short(world)
    assert (finding.done, finding.total) == (len(done), 80)
    assert set(finding.keys) == {f"seller:{n}" for n in range(80) if n not in done}
    assert not pressed(world)


def test_rounds_that_are_all_full_are_silent() -> None:
    world = healthy(World())
    rows = Rows(world)
    for start in (FIRST, FIRST + 300, FIRST + 600, FIRST + 900):
        rows.through(start, range(80))
    assert not short(world)
    assert not pressed(world)


def test_a_round_under_way_is_silent() -> None:
    world = healthy(World())
    rows = Rows(world)
    for start in (900.0, 1200.0, 1500.0, 2080.0):
        rows.through(start, range(80) if start < 2000 else range(30))
    assert not short(world)


def test_rounds_over_other_items_each_time_are_silent() -> None:
    world = healthy(World())
    rows = Rows(world)
    for turn, start in enumerate((FIRST, FIRST + 300, FIRST + 600, FIRST + 900)):
        rows.through(start, range(100 * turn, 100 * turn + 80 - 10 * turn))
    assert not short(world)
    assert not pressed(world)


def lines(world: World, begun: float, items: Iterable[int], actor: str, words: str) -> float:
    """One line an item, without any id of the run."""
    at = begun
    for place, item in enumerate(items):
        at = begun + 0.5 * place
        world.log(at, actor, words.format(item=item), clock=f"{actor}-{begun:.0f}")
    return at


@pytest.mark.parametrize("words", ["branch_id={item} ok", "slip printed branch_id={item} in 3 ms"])
def test_lines_alone_tell_of_a_short_round_and_of_a_second_press(words: str) -> None:
    world = healthy(World())
    for start in (FIRST, FIRST + 300, FIRST + 600):
        lines(world, start, range(80), "meter-reader", words)
    lines(world, FIRST + 900, range(45), "meter-reader", words)
    (finding,) = short(world)
    assert (finding.done, finding.total) == (45, 80)

    world = healthy(World())
    lines(world, FIRST, range(120), "payroll", words)
    lines(world, FIRST + 35, range(100), "payroll", words)
    assert len(pressed(world)[0].keys) == 100


def test_lines_that_belong_to_requests_are_no_batch() -> None:
    world = healthy(World())
    lines(world, FIRST, range(120), "payroll", "request_id=r{item} branch_id={item} ok")
    lines(world, FIRST + 35, range(100), "payroll", "request_id=s{item} branch_id={item} ok")
    assert not pressed(world)


def test_jobs_of_one_class_in_rounds_tell_of_a_short_one() -> None:
    world = healthy(World())
    for turn, start in enumerate((FIRST, FIRST + 300, FIRST + 600, FIRST + 900)):
        for place in range(30 if turn == 3 else 60):
            sent = start + 0.5 * place
            told = f"tenant_id={place}"
            world.run(f"t{turn}-{place}", told, sent, sent + 0.1, sent + 0.3, job_class="sync")
    (finding,) = short(world)
    assert (finding.done, finding.total) == (30, 60)


@pytest.mark.parametrize("apart", [15.0, 40.0, 70.0])
def test_a_batch_that_was_begun_again_while_it_went_on(apart: float) -> None:
    world = healthy(World())
    rows = Rows(world)
    rows.through(FIRST, range(200))
    rows.through(FIRST + apart, range(150))
    (finding,) = pressed(world)
    assert finding.verdict is Verdict.LIKELY
    assert len(finding.keys) == 150


def test_each_press_gets_a_little_further() -> None:
    world = healthy(World())
    rows = Rows(world)
    over = rows.through(FIRST, range(60))
    over = rows.through(over + 60, range(100))
    rows.through(over + 45, range(140))
    (finding,) = pressed(world)
    assert [press.left for press in finding.presses] == [80, 40, 0]
    assert finding.verdict is Verdict.LIKELY


def test_twice_in_full_and_right_away_is_possible() -> None:
    world = healthy(World())
    rows = Rows(world)
    over = rows.through(FIRST, range(100))
    rows.through(over + 30, range(80))
    (finding,) = pressed(world)
    assert finding.verdict is Verdict.POSSIBLE


def test_devices_that_report_at_their_own_pace_are_silent() -> None:
    world = healthy(World())
    rows = Rows(world)
    for turn in range(4):
        rows.through(FIRST + 400 * turn, range(100), pace=4.0)
    assert not pressed(world)


def test_every_piece_of_work_done_twice_is_no_second_press() -> None:
    world = healthy(World())
    rows = Rows(world)
    rows.through(FIRST, range(100), pace=2.0)
    rows.through(FIRST + 1.3, range(100), pace=2.0)
    assert not pressed(world)


def test_a_few_that_are_done_again_are_no_second_press() -> None:
    world = healthy(World())
    rows = Rows(world)
    rows.through(FIRST, range(400))
    rows.through(FIRST + 60, range(0, 200, 9))
    assert not pressed(world)


def test_another_order_is_no_second_press() -> None:
    world = healthy(World())
    rows = Rows(world)
    rows.through(FIRST, range(200))
    rows.through(FIRST + 40, [(37 * n) % 100 for n in range(100)])
    assert not pressed(world)


@pytest.mark.parametrize("last", [358.5, 360], ids=["a little early", "at its time"])
@pytest.mark.parametrize("head", [0, 9], ids=["from the first item", "not from the first"])
def test_rounds_of_a_timer_are_nobodys_press_though_the_last_is_short(
    head: int, last: float
) -> None:
    world = healthy(World())
    rows = Rows(world)
    for start in (FIRST, FIRST + 120, FIRST + 240):
        rows.through(start, range(140))
    rows.through(FIRST + last, [n for n in range(140) if n >= head and n % 8])
    assert not pressed(world)


def test_presses_at_uneven_times_are_told_however_often() -> None:
    world = healthy(World())
    rows = Rows(world)
    for start in (FIRST, FIRST + 75, FIRST + 190):
        rows.through(start, range(140))
    assert pressed(world)
