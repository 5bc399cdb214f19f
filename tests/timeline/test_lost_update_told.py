"""lost-update as the writers' logs tell it: two writes that started from one stated version."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from timeline.detectors.lost_update import LostUpdateDetector
from timeline.detectors.lost_update_told import LostUpdateTold
from timeline.event import Kind
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import SECOND, World, at, healthy

OPENED, SAVED, AGAIN = 900.0, 921.0, 948.0


def found(world: World) -> list[LostUpdateTold]:
    result = LostUpdateDetector().detect(world.incident())
    if isinstance(result, NotEvaluated):
        return []
    return [one for one in result if isinstance(one, LostUpdateTold)]


def everyday(world: World, read: str, write: str) -> World:
    """Records that are opened and saved once, each from its own version."""
    healthy(world)
    for number in range(30):
        run, second = f"e{number:03d}", 30.0 + number * 61
        version, thing = 2 + number % 7, 300 + number
        if read:
            world.log(second, "desk", read.format(run=run, id=thing, v=version))
        write_ = write.format(run=run, id=thing, v=version, n=version + 1, what="noted")
        world.log(second + 9, "desk", write_)
    return world


def met(world: World, read: str, write: str) -> World:
    """Two people open record 77 at one version; each saves it as it was but for one change."""
    for run, opened, saved, what in (
        ("aa1", OPENED, SAVED, "approved"),
        ("bb2", OPENED + 3, AGAIN, "moved"),
    ):
        if read:
            world.log(opened, "desk", read.format(run=run, id=77, v=4))
        world.log(saved, "desk", write.format(run=run, id=77, v=4, n=5, what=what))
    return world


HEADERS = (
    'GET /orders etag="{v}" order_id={id} request_id={run}',
    'PUT /orders If-Match: "{v}" order_id={id} state={what} request_id={run}',
)
SQL = (
    "SELECT orders lock_version={v} order_id={id} request_id={run}",
    "UPDATE orders SET state='{what}' WHERE order_id={id} AND lock_version={v} request_id={run}",
)
GERMAN = (
    "Auftrag geladen, Version {v}, auftrag_id={id} request_id={run}",
    "Auftrag gespeichert ({what}), ausgehend von Version {v}, auftrag_id={id} request_id={run}",
)
COUCH = (
    '{{"op":"get","doc_id":"{id}","_rev":"{v}-967a00dff5e02add41819138abb3284d","request_id":"{run}"}}',
    '{{"op":"put","doc_id":"{id}","_rev":"{v}-967a00dff5e02add41819138abb3284d","set":"{what}",'
    '"request_id":"{run}"}}',
)
JOBS = ("", "order_id={id} saved {what} version={v} -> {n} job_id={run}")
JAPANESE = (
    "注文 取得 バージョン={v} order_id={id} request_id={run}",
    "注文 更新 {what} バージョン={v} order_id={id} request_id={run}",
)
LEFT = ("", "stored order_id={id} {what} revision={n} request_id={run}")


@pytest.mark.parametrize("words", [HEADERS, SQL, GERMAN, COUCH, JOBS, JAPANESE])
def test_two_writes_from_one_version_are_told(words: tuple[str, str]) -> None:
    (finding,) = found(met(everyday(World(), *words), *words))
    assert finding.verdict is Verdict.LIKELY
    (case,) = finding.cases
    assert case.keys[0].endswith(":77")
    assert (case.first_at, case.second_at) == (at(SAVED), at(AGAIN))
    assert case.version.startswith("4")
    assert "27.0 s later" in finding.sentence()


def test_a_version_that_may_be_the_one_they_left_is_only_possible() -> None:
    (finding,) = found(met(everyday(World(), *LEFT), *LEFT))
    assert finding.verdict is Verdict.POSSIBLE


def test_a_row_that_is_stored_at_that_instant_makes_a_line_of_any_words_a_write() -> None:
    words = ("opened version={v} order_id={id} request_id={run}",
             "done {what} from version={v} order_id={id} request_id={run}")  # fmt: skip
    assert found(met(everyday(World(), *words), *words)) == []
    world = met(everyday(World(), *words), *words)
    for second in (SAVED, AGAIN):
        world.row(second, "orders", 77, kind=Kind.ROW_UPDATED)
    (finding,) = found(world)
    assert finding.verdict is Verdict.LIKELY


def one_after_the_other(world: World) -> None:
    for run, second, version in (("aa1", SAVED, 4), ("bb2", AGAIN, 5)):
        world.log(second - 5, "desk", HEADERS[0].format(run=run, id=77, v=version))
        world.log(second, "desk", HEADERS[1].format(run=run, id=77, v=version, what=run))


def refused(world: World) -> None:
    met(world, *HEADERS)
    world.log(AGAIN + 0.1, "desk", "412 Precondition Failed order_id=77 request_id=bb2")


def retried(world: World) -> None:
    """The same request is told twice: by the proxy's retry, or a logger's."""
    for second in (SAVED, SAVED + 2):
        world.log(second, "desk", HEADERS[1].format(run="aa1", id=77, v=4, what="approved"))


def pressed_twice(world: World) -> None:
    for run, second in (("aa1", SAVED), ("bb2", SAVED + 1)):
        world.log(second, "desk", HEADERS[1].format(run=run, id=77, v=4, what="approved"))


def both_only_read(world: World) -> None:
    for run, second in (("aa1", SAVED), ("bb2", AGAIN), ("cc3", AGAIN + 4)):
        world.log(second, "desk", HEADERS[0].format(run=run, id=77, v=4))


def each_keeps_a_copy(world: World) -> None:
    """Two services take up one event and each stores its own copy of that version."""
    for actor, run in (("search", "aa1"), ("mailing", "bb2")):
        world.log(SAVED, actor, f"stored order_id=77 from version=4 for {actor} job_id={run}")


def the_services_own_version(world: World) -> None:
    for number in range(40):
        words = f"saved order_id=77 step {number} version=1042 request_id=s{number}"
        world.log(600 + number * 9, "desk-2", words)


def a_field_that_the_logger_adds(world: World) -> None:
    for number in range(40):
        body = f'{{"@version":"1","msg":"saved {number}","order_id":"77","request_id":"v{number}"}}'
        world.log(600 + number * 9, "desk-3", body)


def one_clerk_two_records(world: World) -> None:
    for run, order in (("aa1", 70), ("bb2", 71)):
        words = f"user_id=5 saved order_id={order} from version=4 request_id={run}"
        world.log(SAVED + order, "desk", words)


@pytest.mark.parametrize(
    "confuser",
    [
        one_after_the_other,
        refused,
        retried,
        pressed_twice,
        both_only_read,
        each_keeps_a_copy,
        the_services_own_version,
        a_field_that_the_logger_adds,
        one_clerk_two_records,
    ],
)
def test_look_alikes_stay_silent(confuser: Callable[[World], None]) -> None:
    world = everyday(World(), *HEADERS)
    confuser(world)
    assert found(world) == []


def test_a_healthy_night_is_silent() -> None:
    assert found(healthy(World())) == []


def test_moving_everything_moves_only_the_times() -> None:
    here = found(met(everyday(World(), *SQL), *SQL))[0]
    there = found(met(everyday(World(shift=3600 * SECOND), *SQL), *SQL))[0]
    assert there.began - here.began == 3600 * SECOND
    assert there.keys == here.keys
