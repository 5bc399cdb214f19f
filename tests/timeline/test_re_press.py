"""re-press: the same operation begun again before it had settled, and what is no second press."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from timeline.clock import ClockBound
from timeline.detectors.re_press import RePress, RePressDetector
from timeline.finding import NotEvaluated
from timeline.knowledge import ExpectedSet, Knowledge, Work
from timeline.order import Verdict, at_least

from .findings import findings_of
from .worlds import SECOND, World, healthy

TOTAL = 120


def found(world: World) -> list[RePress]:
    return findings_of(RePressDetector(), world.incident(), RePress)


def only(world: World) -> RePress:
    (finding,) = found(world)
    return finding


def friday(*, known: bool = True) -> World:
    keys = tuple(f"user:{5000 + number}" for number in range(TOTAL))
    expected = ExpectedSet("friday letters", Work(log="letter for"), keys, ordered=True)
    return healthy(World(knowledge=Knowledge(expected=(expected,) if known else ())), every=35)


def press(
    world: World,
    seconds: float,
    number: int,
    items: Iterable[int],
    *,
    run_key: bool = True,
    operation: str = "POST /batches/friday",
    pace: float = 1.0,
    words: str = "sent",
) -> None:
    request = f"request_id=p{number}"
    world.log(seconds, "admin", f"{operation} started {request}")
    world.log(seconds + 0.2, "admin", f"enqueued job_id=run{number} {request}")
    world.log(seconds + 0.3, "admin", f"{operation} 202 {request}")
    for place, item in enumerate(items):
        mark = f" job_id=run{number}" if run_key else ""
        at_second = seconds + 1 + place * pace
        world.log(at_second, "letters", f"letter for user_id={5000 + item} {words}{mark}")


@pytest.mark.parametrize("run_key", [True, False])
def test_each_press_gets_a_little_further(run_key: bool) -> None:
    world = friday()
    press(world, 300, 1, range(40), run_key=run_key)
    press(world, 600, 2, range(40, 78), run_key=run_key)
    press(world, 900, 3, range(78, 118), run_key=run_key)
    finding = only(world)
    assert finding.operation == "POST /batches/friday"
    assert [share.left for share in finding.presses] == [80, 42, 2]
    assert finding.alike
    assert finding.both == ()
    assert finding.verdict is (Verdict.CERTAIN if run_key else Verdict.LIKELY)
    assert finding.sentence() == (
        "POST /batches/friday was begun 3 times (02:05:00.000, 02:10:00.000 and 02:15:00.000) over "
        "friday letters, leaving 80, 42, 2 of 120 undone; each came about as far; no item was "
        "worked on in two of them" + ("." if run_key else "; that two ran at once is possible.")
    )


def test_a_second_press_from_the_beginning_does_items_twice() -> None:
    world = friday()
    press(world, 300, 1, range(60))
    press(world, 330, 2, range(120))
    finding = only(world)
    assert finding.overlap is Verdict.CERTAIN
    assert len(finding.done_twice) == 60
    assert "user:5000" in finding.keys
    assert "60 items worked on in more than one, 60 finished twice" in finding.sentence()
    assert "double effects" in finding.next_action


def test_without_a_known_set_shared_items_tell() -> None:
    world = friday(known=False)
    press(world, 300, 1, range(40))
    press(world, 320, 2, range(10, 40))
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert len(finding.both) == 30


def test_begin_lines_are_presses_too() -> None:
    world = friday()
    for number, seconds in enumerate((300, 600)):
        world.log(seconds, "letters", f"starting batch friday-letters run {number}")
        for place in range(45):
            item = 5000 + number * 45 + place
            world.log(seconds + 1 + place, "letters", f"letter for user_id={item} sent")
    finding = only(world)
    assert [share.left for share in finding.presses] == [75, 30]


@pytest.mark.parametrize(("bound_ms", "overlap"), [(10, Verdict.CERTAIN), (60_000, None)])
def test_an_overlap_is_as_sure_as_the_clocks(bound_ms: int, overlap: Verdict | None) -> None:
    world = friday()
    world.bound = ClockBound(bound_ms * 1_000_000, bound_ms * 1_000_000)
    press(world, 300, 1, range(60))
    press(world, 350, 2, range(60, 100))
    finding = only(world)
    if overlap is None:
        assert finding.overlap in (Verdict.LIKELY, Verdict.POSSIBLE)
    else:
        assert finding.overlap is overlap


# What is none


def pressed_after_all_was_done(world: World) -> None:
    press(world, 300, 1, range(TOTAL))
    press(world, 900, 2, range(TOTAL))


def one_press(world: World) -> None:
    press(world, 300, 1, range(40))


def other_operations(world: World) -> None:
    press(world, 300, 1, range(40))
    for number in range(3):
        world.log(600 + number, "admin", f"POST /reports/weekly 200 request_id=q{number}")


def a_line_that_begins_each_item(world: World) -> None:
    for number in range(12):
        seconds = 300 + number * 10
        world.log(seconds, "letters", f"starting friday run for user_id={5000 + number}")
        world.log(seconds + 3, "letters", f"letter for user_id={5000 + number} sent")


def a_line_that_begins_each_page(world: World) -> None:
    for number in range(12):
        seconds = 300 + number * 10
        world.log(seconds, "letters", f"starting friday run, page {number}")
        world.log(seconds + 3, "letters", f"letter for user_id={5000 + number} sent")


@pytest.mark.parametrize(
    "confuser",
    [
        pressed_after_all_was_done,
        one_press,
        other_operations,
        a_line_that_begins_each_item,
        a_line_that_begins_each_page,
    ],
)
def test_confusers_stay_silent(confuser: Callable[[World], None]) -> None:
    world = friday()
    confuser(world)
    assert found(world) == []


def disjoint_runs(world: World) -> None:
    press(world, 300, 1, range(40))
    press(world, 310, 2, range(60, 100))


def a_list_shown_twice(world: World) -> None:
    for number in range(3):
        press(world, 300 + number, number, range(20), operation="POST /search", pace=0.01)


def everybody_signs_up(world: World) -> None:
    for number in range(15):
        press(world, 300 + number * 20, number, (number,), operation="POST /signups")


def run_again_after_it_ended(world: World) -> None:
    press(world, 300, 1, range(30))
    press(world, 600, 2, range(30))


def sweep(world: World, wait: Callable[[int], float]) -> None:
    """Six beginnings over the same items, each before the one before had come to its end."""
    for number in range(6):
        press(world, 300 + number * 60 + wait(number), number, range(40), pace=2)


def a_timer_that_laps_itself(world: World) -> None:
    sweep(world, lambda number: (0.0, 1.4, 0.2, 2.1, 0.7, 1.1)[number])


def test_a_person_is_no_timer() -> None:
    world = friday(known=False)
    sweep(world, lambda number: (0, 9, -4, 17, 30, 12)[number])
    assert len(only(world).presses) == 6


@pytest.mark.parametrize(
    "confuser",
    [
        disjoint_runs,
        a_list_shown_twice,
        everybody_signs_up,
        run_again_after_it_ended,
        a_timer_that_laps_itself,
    ],
)
def test_confusers_without_a_known_set_stay_silent(confuser: Callable[[World], None]) -> None:
    world = friday(known=False)
    confuser(world)
    assert found(world) == []


def test_a_healthy_night_is_silent() -> None:
    assert found(healthy(World())) == []


def test_needs_logs_or_a_queue() -> None:
    world = World()
    world.row(3, "users", 1)
    assert isinstance(RePressDetector().detect(world.incident()), NotEvaluated)


def test_an_unread_stretch_makes_it_possible() -> None:
    world = friday()
    press(world, 300, 1, range(40))
    press(world, 600, 2, range(40, 78))
    world.blind("letters.log", 350, 360)
    assert only(world).verdict is Verdict.POSSIBLE


def test_the_order_of_arrival_does_not_matter() -> None:
    world = friday()
    press(world, 300, 1, range(60))
    press(world, 330, 2, range(120))
    (two,) = RePressDetector().detect(world.incident(world.batches()[::-1]))  # type: ignore[misc]
    assert only(world).sentence() == two.sentence()


def test_moving_everything_moves_only_the_times() -> None:
    world = friday()
    press(world, 300, 1, range(60))
    press(world, 330, 2, range(120))
    here = only(world)
    world.shift = 3_600 * SECOND
    there = only(world)
    assert there.began - here.began == 3_600 * SECOND
    assert (there.both, there.verdict) == (here.both, here.verdict)
    assert at_least(here.verdict, there.verdict)


def test_a_job_pushed_again_is_a_press() -> None:
    world = friday()
    for number, (seconds, items) in enumerate(((300, range(50)), (340, range(30, 110)))):
        name = f"run{number}"
        world.run(name, "which=friday", seconds, seconds + 0.5, seconds + 90, job_class="letters")
        for place, item in enumerate(items):
            text = f"letter for user_id={5000 + item} sent job_id={name}"
            world.log(seconds + 1 + place, "letters", text)
    finding = only(world)
    assert finding.operation == "letters(which=friday)"
    assert len(finding.done_twice) == 20
    assert finding.overlap is Verdict.CERTAIN


def test_a_button_its_job_and_its_lines_are_one_operation() -> None:
    world = friday(known=False)
    for number, (seconds, items) in enumerate(((300, range(50)), (340, range(30, 110)))):
        name, request = f"run{number}", f"request_id=p{number}"
        world.log(seconds, "admin", f"(POST /admin/letters) by ops {request}")
        world.log(seconds + 0.1, "admin", f"enqueued job_id={name} {request}")
        world.run(name, "which=friday", seconds + 0.1, seconds + 0.5, seconds + 90)
        world.log(seconds + 0.6, "letters", f"mailing begins job_id={name}")
        for place, item in enumerate(items):
            text = f"letter for user_id={5000 + item} sent job_id={name}"
            world.log(seconds + 1 + place, "letters", text)
    assert only(world).operation == "POST /admin/letters"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("import of tariffs started batch_id=t{0}", "The import of tariffs was begun twice"),
        ("Nightly-Export begins batch_id=t{0}", "Nightly-Export was begun twice"),
        ("starting tariff import batch_id=t{0} of 60", "The tariff import was begun twice"),
        ("export triggered batch_id=t{0} items=60", "The export was begun twice"),
    ],
)
def test_what_a_line_says_has_begun_is_told_without_its_verb(line: str, said: str) -> None:
    world = friday(known=False)
    for number, seconds in enumerate((300, 330)):
        world.log(seconds, "loader", line.format(number))
        for place in range(40):
            text = f"tariff_id={700 + place} written batch_id=t{number}"
            world.log(seconds + 1 + place, "loader", text)
    assert only(world).sentence().startswith(said)
