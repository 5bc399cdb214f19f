"""partial-batch: counts, shapes, the list to resume with, and batches that are none."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from timeline.clock import ClockBound
from timeline.detectors.partial_batch import PartialBatch, PartialBatchDetector
from timeline.finding import NotEvaluated
from timeline.knowledge import ExpectedSet, Knowledge, Work
from timeline.order import Verdict, at_least

from .findings import findings_of
from .worlds import SECOND, World, at, healthy

BEGUN = 600.0
PACE = 2.0


def found(world: World) -> list[PartialBatch]:
    return findings_of(PartialBatchDetector(), world.incident(), PartialBatch)


def silent(world: World) -> bool:
    """Whether it finds nothing, or says that it cannot tell."""
    result = PartialBatchDetector().detect(world.incident())
    return isinstance(result, NotEvaluated) or not result


def only(world: World) -> PartialBatch:
    (finding,) = found(world)
    return finding


def expecting(
    count: int, *, ordered: bool = True, log: str = "letter for", **more: object
) -> World:
    keys = tuple(f"user:{5000 + number}" for number in range(count))
    expected = ExpectedSet("friday letters", Work(log=log), keys, ordered, **more)  # type: ignore[arg-type]
    return healthy(World(knowledge=Knowledge(expected=(expected,))), every=35)


def letters(
    world: World,
    numbers: Iterable[int],
    *,
    failed: Iterable[int] = (),
    begun: float = BEGUN,
    actor: str = "mailer-2",
    words: str = "letter for user_id={user} sent",
) -> None:
    bad = set(failed)
    for place, number in enumerate(numbers):
        user, seconds = 5000 + number, begun + place * PACE
        if number in bad:
            world.error(seconds, actor, f"letter for user_id={user} failed: no address")
        else:
            world.log(seconds, actor, words.format(user=user))


def test_a_batch_that_stopped_names_what_to_resume_with() -> None:
    world = expecting(100)
    letters(world, range(37), failed=[11])
    finding = only(world)
    assert (finding.total, finding.done, finding.failed, finding.never) == (100, 36, 1, 63)
    assert finding.verdict is Verdict.CERTAIN
    assert finding.resume == tuple(f"user:{5000 + number}" for number in range(37, 100))
    assert finding.failures == ("user:5011",)
    assert finding.shape is not None
    assert (finding.shape.name, finding.shape.index) == ("prefix", 37)
    assert finding.sentence() == (
        "Friday letters stopped at 02:11:12.000 with 36 of 100 done, as mailer-2 says: 1 failed, "
        "63 never tried; it went through its items in order and stopped after 5036."
    )
    assert "63 items never tried (5037, 5038, 5039 and 60 more)" in finding.next_action
    assert finding.last_item == "user:5036"


def press(world: World, seconds: float, number: int) -> None:
    world.log(seconds, "admin", f"POST /letters/friday 202 request_id=p{number}")


@pytest.mark.parametrize(
    ("again", "shape"), [((3, 9, 20, 31), "stable"), ((3, 4, 10, 21, 32), "unstable")]
)
def test_two_presses_tell_items_from_circumstances(again: tuple[int, ...], shape: str) -> None:
    world = expecting(40)
    press(world, BEGUN - 1, 1)
    letters(world, range(40), failed=(3, 9, 20, 31))
    press(world, BEGUN + 299, 2)
    letters(world, range(40), failed=again, begun=BEGUN + 300)
    finding = only(world)
    assert finding.shape is not None
    assert finding.shape.name == shape
    assert len(finding.presses) == 2


def test_each_press_is_told_apart() -> None:
    world = expecting(100)
    press(world, BEGUN - 1, 1)
    letters(world, range(30))
    press(world, BEGUN + 299, 2)
    letters(world, range(30, 55), begun=BEGUN + 300)
    finding = only(world)
    assert [(share.done, share.left) for share in finding.presses] == [(30, 70), (25, 45)]
    assert "over 2 presses" in finding.sentence()


def test_what_could_have_been_done_unseen_is_possible() -> None:
    world = expecting(100)
    letters(world, range(37))
    world.blind("mailer-2.log", 620, 640)
    finding = only(world)
    assert finding.verdict is Verdict.POSSIBLE
    assert "63 without a sign in what was read" in finding.sentence()
    assert finding.next_action.startswith("Check which of the 63 items")


def test_an_error_of_another_hour_is_no_failed_item() -> None:
    world = expecting(100)
    letters(world, range(37))
    world.error(1500, "web", "login of user_id=5060 failed: bad password")
    finding = only(world)
    assert (finding.failed, finding.never) == (0, 63)


def test_a_failure_told_by_the_service_that_does_the_work() -> None:
    world = expecting(100)
    letters(world, range(37))
    world.error(640, "printer", "render crashed for user_id=5036: out of memory")
    world.error(660, "printer", "render crashed for user_id=5037: out of memory")
    assert only(world).failures == ("user:5037",)


def test_what_began_before_the_window_is_possible() -> None:
    world = expecting(100)
    letters(world, range(37, 60), begun=1)
    finding = only(world)
    assert finding.verdict is Verdict.POSSIBLE
    assert "before the window" in finding.weakest_link


def test_a_set_that_was_not_read_in_full_is_likely() -> None:
    world = expecting(100, complete=False)
    letters(world, range(37))
    assert only(world).verdict is Verdict.LIKELY


def test_some_apps_have_none_some_one_some_two() -> None:
    keys = tuple(f"app:a{number}" for number in range(30))
    expected = ExpectedSet("app backups", Work(log="backup of"), keys)
    world = healthy(World(knowledge=Knowledge(expected=(expected,))), every=35)
    for place, number in enumerate([*range(0, 30, 2), 4, 8]):
        world.log(BEGUN + place, "vault", f"backup of app_id=a{number} written")
    finding = only(world)
    assert (finding.done, finding.never) == (15, 15)
    assert finding.doubled == ("app:a4", "app:a8")
    assert "2 done more than once, 15 never tried" in finding.sentence()


def test_the_word_of_a_caller_is_named_as_such_and_rows_need_nobodys() -> None:
    said = expecting(100)
    letters(said, range(37))
    told = only(said)
    assert told.told_by == ("mailer-2",)
    assert told.clause() == "friday letters stopped at 37 of 100 items"
    assert any("mailer-2 calls done failed elsewhere" in other for other in told.alternatives)
    seen = only(nights(("2026-03-14", range(9))))
    assert seen.told_by == ()
    assert "9 of 20 done: 11 never tried" in seen.sentence()


def nights(*runs: tuple[str, Iterable[int]]) -> World:
    """Backups of twenty apps, expected once a night; a night lasts four minutes."""
    keys = tuple(f"app:{300 + number}" for number in range(20))
    expected = ExpectedSet("backups", Work(table="backups"), keys, ordered=True, run="night")
    world = healthy(World(knowledge=Knowledge(expected=(expected,))), every=35)
    for place, (night, apps) in enumerate(runs):
        for step, app in enumerate(apps):
            columns: dict[str, object] = {"app_id": 300 + app, "night_id": night}
            pk = f"{place}-{step}"
            world.row(300 + 240 * place + 3 * step, "backups", pk, columns=columns)
    return world


def test_a_set_that_is_expected_every_night_tells_the_nights_apart() -> None:
    whole, half, doubled = range(20), range(9), [*range(20), *range(20)]
    world = nights(("2026-03-12", whole), ("2026-03-13", doubled), ("2026-03-14", half))
    finding = only(world)
    assert finding.sentence() == (
        "Backups of 2026-03-14 stopped at 02:13:24.000 with 9 of 20 done: 11 never tried; it went "
        "through its items in order and stopped after 308."
    )
    assert finding.resume == tuple(f"app:{300 + number}" for number in range(9, 20))
    assert finding.doubled == ()


def test_an_error_that_names_no_night_belongs_to_the_one_that_goes_on_around_it() -> None:
    world = nights(("2026-03-13", range(20)), ("2026-03-14", range(9)))
    words = "backup of app_id=309 failed: OSError: [Errno 28] No space left on device"
    world.log(300 + 240 + 27, "vault", words, severity=17)
    finding = only(world)
    assert (finding.failures, finding.never) == (("app:309",), 10)


def test_without_a_run_the_nights_are_one() -> None:
    world = nights(("2026-03-13", range(20)), ("2026-03-14", range(9)))
    (expected,) = world.knowledge.expected
    world.knowledge = Knowledge(expected=(replace(expected, run=""),))
    assert silent(world)


def test_what_was_added_after_the_batch_is_not_expected() -> None:
    world = expecting(40)
    letters(world, range(37))
    for number in (37, 38, 39):
        world.row(1500, "users", 5000 + number)
    assert silent(world)


def test_a_set_asked_for_much_later_is_likely() -> None:
    world = expecting(100, asked_at=at(6 * 3600))
    letters(world, range(37))
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert "added since" in finding.weakest_link


# What is none


def still_under_way(world: World) -> None:
    letters(world, range(60), begun=2100 - 60 * PACE)


def all_done(world: World) -> None:
    letters(world, range(100))


def healed_by_a_later_try(world: World) -> None:
    letters(world, range(100), failed=[4, 5, 6])
    letters(world, [4, 5, 6], begun=900)


def skipped_on_purpose(world: World) -> None:
    letters(world, range(90))
    letters(world, range(90, 100), begun=850, words="letter for user_id={user} skipped: opted out")


def never_begun(world: World) -> None:
    del world


@pytest.mark.parametrize(
    "confuser",
    [still_under_way, all_done, healed_by_a_later_try, skipped_on_purpose, never_begun],
)
def test_confusers_stay_silent(confuser: Callable[[World], None]) -> None:
    world = expecting(100)
    confuser(world)
    assert silent(world)


def test_two_failures_among_many_are_a_qualifier() -> None:
    world = expecting(100)
    letters(world, range(100), failed=[8, 70])
    finding = only(world)
    assert finding.qualifier
    assert finding.failures == ("user:5008", "user:5070")


def test_a_set_of_which_nothing_was_seen_is_not_evaluated() -> None:
    result = PartialBatchDetector().detect(expecting(10).incident())
    assert isinstance(result, NotEvaluated)
    assert "friday letters" in result.needs


def test_a_query_that_did_not_answer_is_not_evaluated() -> None:
    expected = ExpectedSet("letters", Work(log="letter"), problem="connection refused")
    world = healthy(World(knowledge=Knowledge(expected=(expected,))), every=35)
    result = PartialBatchDetector().detect(world.incident())
    assert isinstance(result, NotEvaluated)
    assert "connection refused" in result.needs


# What must not matter


def test_the_order_of_arrival_and_unrelated_lines_do_not_matter() -> None:
    world = expecting(100)
    letters(world, range(37))
    one = only(world)
    for number in range(50):
        world.log(900 + number, "noise", f"tick {number} of nothing")
    result = PartialBatchDetector().detect(world.incident(world.batches()[::-1]))
    (two,) = result  # type: ignore[misc]
    assert one.sentence() == two.sentence()


def test_moving_everything_moves_only_the_times() -> None:
    world = expecting(100)
    letters(world, range(37))
    here = only(world)
    world.shift = 3_600 * SECOND
    there = only(world)
    assert there.stopped - here.stopped == 3_600 * SECOND
    assert (there.resume, there.verdict) == (here.resume, here.verdict)


def test_a_wider_clock_never_makes_it_surer() -> None:
    world = expecting(100)
    letters(world, range(37))
    tight = only(world)
    world.bound = ClockBound(5 * SECOND, 5 * SECOND)
    assert at_least(tight.verdict, only(world).verdict)
