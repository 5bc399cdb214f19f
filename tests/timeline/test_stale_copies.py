"""stale-read of old copies, old revisions and paths that were missing for a moment."""

from __future__ import annotations

import pytest

from timeline.detectors.missed_paths import MissedPath
from timeline.detectors.old_copies import OldCopy
from timeline.detectors.old_revisions import OldRevision
from timeline.detectors.stale_read import StaleReadDetector
from timeline.event import Kind
from timeline.finding import Finding, NotEvaluated
from timeline.order import Verdict

from .test_stale_values import audited
from .worlds import World

CHANGED = 1200.0


def found(world: World, kind: type[Finding]) -> list[Finding]:
    result = StaleReadDetector().detect(world.incident())
    told = [] if isinstance(result, NotEvaluated) else result
    return [finding for finding in told if isinstance(finding, kind)]


def shop() -> World:
    world = World()
    world.run("j1", "user_id=1", 10, 11, 12)
    audited(world, "fees", "gold-1", {"cents": ["900", "1100"]}, CHANGED)
    return world


def priced(
    world: World, since: int, until: int, cents: int, *, host: str = "web-1", more: str = ""
) -> World:
    for second in range(since, until, 20):
        body = f"cart_id=c{second}{host[-1]} fee_id=gold-1 cents={cents}{more}"
        world.log(second, "pricing", body, clock=host)
    return world


def test_another_host_had_the_new_value_meanwhile() -> None:
    world = priced(priced(shop(), 1000, 1700, 900), 1210, 1700, 1100, host="web-2")
    (finding,) = found(world, OldCopy)
    assert isinstance(finding, OldCopy)
    assert finding.verdict is Verdict.LIKELY
    assert finding.copies[0].hosts == ("web-1",)
    assert "fee:gold-1" in finding.keys
    assert not any(key.startswith("cart:c1210") for key in finding.keys)


def test_the_reader_took_it_up_minutes_later() -> None:
    world = priced(priced(shop(), 1000, 1500, 900), 1500, 1800, 1100)
    (finding,) = found(world, OldCopy)
    assert finding.verdict is Verdict.LIKELY
    assert "afterwards it gave the new one" in finding.sentence()


def test_a_cache_that_says_so_need_not_be_emptied_to_be_old() -> None:
    (finding,) = found(priced(shop(), 1000, 1700, 900, more=" cache=hit"), OldCopy)
    assert finding.verdict is Verdict.LIKELY


def test_where_nobody_gave_the_new_value_it_is_possible() -> None:
    (finding,) = found(priced(shop(), 1000, 1700, 900), OldCopy)
    assert finding.verdict is Verdict.POSSIBLE


def test_a_setting_is_recognised_by_its_name_alone() -> None:
    world = World()
    audited(world, "app_settings", "vat_rate", {"value": ["19", "21"]}, CHANGED)
    for second in range(900, 1800, 15):
        host = f"api-{second // 15 % 3}"
        late = host == "api-0" and second < 1600
        rate = 19 if late or second < CHANGED else 21
        world.log(second, "billing", f"invoice_id=i{second} vat_rate={rate}", clock=f"{host}.x")
    (finding,) = found(world, OldCopy)
    assert finding.verdict is Verdict.LIKELY
    assert "api-0.x" in finding.sentence()


def test_a_value_that_was_agreed_before_is_told_with_its_order() -> None:
    world = shop()
    for second in range(1210, 1800, 15):
        cents = 900 if second % 2 else 1100
        world.log(second, "pricing", f"cart_id=c{second} fee_id=gold-1 cents={cents}", clock="a")
    assert not found(world, OldCopy)


def test_news_that_needs_seconds_is_no_copy() -> None:
    assert not found(priced(priced(shop(), 1000, 1204, 900), 1205, 1800, 1100), OldCopy)


def read(world: World, *, behind: range, service: str = "view", word: str = "revision") -> World:
    """A thing every 20 s is written twice and read ten seconds later."""
    for number in range(90):
        second = 20.0 * number
        for revision in (4, 5):
            body = f"appended order_id=o{number} {word}={revision}"
            world.log(second + revision, "writer", body)
        seen = 4 if number in behind else 5
        world.log(second + 16, service, f"picked order_id=o{number} {word}={seen}")
    return world


@pytest.mark.parametrize("word", ["revision", "version", "lock_version"])
def test_a_reader_that_falls_behind_is_told(word: str) -> None:
    (finding,) = found(read(World(), behind=range(60, 75), word=word), OldRevision)
    assert isinstance(finding, OldRevision)
    assert finding.verdict is Verdict.LIKELY
    assert len(finding.reads) == 15


def test_two_old_readings_are_possible_only() -> None:
    (finding,) = found(read(World(), behind=range(60, 62)), OldRevision)
    assert finding.verdict is Verdict.POSSIBLE


def test_who_works_through_all_revisions_is_always_behind() -> None:
    assert not found(read(World(), behind=range(90)), OldRevision)


def test_a_late_message_now_and_then_is_none() -> None:
    world = read(World(), behind=range(0))
    for number in (3, 40, 85):
        world.log(20.0 * number + 18, "view", f"picked order_id=o{number} revision=4")
    assert not found(world, OldRevision)


def asked(world: World, second: float, line: str, status: int) -> None:
    world.log(second, "edge", f'10.0.0.9 "{line} HTTP/1.1" {status} 120')


@pytest.mark.parametrize(
    ("path", "first"),
    [
        ("/api/loans/7Kq2xx9Zt", "PUT"),
        ("/v2/carts/0f8fad5b-d9cb-469f-a165-70867728950e", "PUT"),
        ("/users/48{n}/address", "PATCH"),
    ],
)
def test_a_path_that_was_made_and_missing_and_there_again(path: str, first: str) -> None:
    world = World()
    for n in range(3):
        own = path.replace("{n}", str(n)) if "{n}" in path else f"{path}{n}"
        asked(world, 1000 + n, f"{first} {own}", 201)
        asked(world, 1002 + n, f"GET {own}", 404)
        asked(world, 1009 + n, f"GET {own}", 200)
    told = found(world, MissedPath)
    if path.endswith("address"):  # the last part names no single thing
        assert not told
        return
    assert [finding.verdict for finding in told] == [Verdict.LIKELY]


def test_a_row_on_record_replaces_the_write() -> None:
    world = World()
    for n in range(3):
        world.row(900, "loans", f"7Kq2{n}", kind=Kind.ROW_INSERTED)
        asked(world, 1000 + n, f"GET /loans/7Kq2{n}", 200)
        asked(world, 1002 + n, f"GET /loans/7Kq2{n}", 404)
        asked(world, 1009 + n, f"GET /loans/7Kq2{n}", 200)
    (finding,) = found(world, MissedPath)
    assert finding.verdict is Verdict.LIKELY
    assert "loan:7Kq20" in finding.keys


def test_what_was_deleted_or_never_there_is_not_missed() -> None:
    world = World()
    for n in range(5):
        asked(world, 1000 + n, f"PUT /loans/a{n}", 201)
        asked(world, 1001 + n, f"DELETE /loans/a{n}", 204)
        asked(world, 1003 + n, f"GET /loans/a{n}", 404)
        asked(world, 1010 + n, f"PUT /loans/a{n}", 201)
        asked(world, 1012 + n, f"GET /loans/a{n}", 200)
        asked(world, 1000 + n, f"GET /wp-{n}/setup1", 404)
        asked(world, 1100 + n, f"PUT /loans/b{n}", 201)
        asked(world, 1102 + n, f"GET /loans/b{n}", 404)
    assert not found(world, MissedPath)


def decided(world: World, *, behind: range, later: float = 6.0, told: str = "status={}") -> World:
    """An order every 20 s is paid, and a picker looks at it a little later."""
    world.run("j1", "user_id=1", 10, 11, 12)
    for number in range(90):
        second = 20.0 * number + 3
        audited(world, "orders", f"o{number}", {"status": ["open", "paid"]}, second)
        seen = told.format("open" if number in behind else "paid")
        world.log(second + later, "picker", f"order_id=o{number} {seen}, decided")
    return world


@pytest.mark.parametrize("told", ["status={}", "is {}", '{{"status": "{}"}}'])
def test_many_things_read_once_each_as_they_had_been(told: str) -> None:
    world = decided(World(), behind=range(55, 70), told=told)
    result = found(world, OldRevision)
    if told.startswith("is"):  # a word of everyday is believed beside its column only
        assert not result
        return
    (finding,) = result
    assert isinstance(finding, OldRevision)
    assert (finding.verdict, finding.what, len(finding.reads)) == (Verdict.LIKELY, "status", 15)


def test_who_always_reads_before_the_news_is_no_stale_reader() -> None:
    assert not found(decided(World(), behind=range(90)), OldRevision)


def test_a_reading_within_a_second_may_be_a_race() -> None:
    assert not found(decided(World(), behind=range(55, 70), later=0.4), OldRevision)


@pytest.mark.parametrize(
    "told", ["cents 900 -> 1100", "cents: 900 → 1100", "cents changed from 900 to 1100"]
)
def test_a_change_that_only_its_writer_tells(told: str) -> None:
    world = World()
    world.run("j1", "user_id=1", 10, 11, 12)
    world.log(CHANGED, "desk", f"fee_id=gold-1 {told}")
    priced(priced(world, 1000, 1700, 900), 1210, 1700, 1100, host="web-2")
    (finding,) = found(world, OldCopy)
    assert finding.verdict is Verdict.LIKELY


def test_an_arrow_that_tells_no_change_is_none() -> None:
    world = World()
    for second in range(900, 1800, 15):
        world.log(second, "web", f"GET /fees -> 200 in 3 ms fee_id=gold-1 attempt={second % 2}")
        world.log(second + 1, "router", "moved shard 3 -> 4 of fee_id=gold-1")
    assert not found(world, OldCopy)
