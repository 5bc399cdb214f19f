"""blind-spot by the requests of others: only kinds that the silent one used to name count."""

from __future__ import annotations

import polars as pl

from timeline.detectors.blind_spot import BlindSpot, BlindSpotDetector
from timeline.facts.witnessed_kinds import MOST, missed_kinds
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World

HUSHED = 1200.0


def found(world: World) -> list[BlindSpot]:
    result = BlindSpotDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated)
    return [one for one in result if isinstance(one, BlindSpot) and one.actor == "edge"]


def busy(world: World) -> World:
    """A front that is asked for pages all night; the proxy logs nothing of that."""
    for number in range(2000):
        seconds = 3 + number * 1.04
        world.log(seconds, "front", f"GET /orders request_id=p{number}")
        world.log(seconds + 0.1, "front", f"GET /orders 200 in 90 ms request_id=p{number}")
    return world


def called_back(world: World, number: int, seconds: float, *, logged: bool) -> None:
    """A partner's call: the front always writes of it, the proxy where `logged`."""
    world.log(seconds, "front", f"POST /callbacks/paid request_id=c{number}")
    world.log(seconds + 0.1, "front", f"POST /callbacks/paid 200 in 90 ms request_id=c{number}")
    if logged:
        words = f'{{"path":"/callbacks/paid","code":200,"request_id":"c{number}"}}'
        world.log(seconds + 0.11, "edge", words)


def partner_until(world: World, end: float) -> World:
    for number in range(int(end // 12)):
        called_back(world, number, 6 + number * 12, logged=True)
    return world


def test_the_one_route_that_a_proxy_logs_was_not_called() -> None:
    """All others were as busy as ever; nothing was there to be seen by it."""
    assert [one for one in found(partner_until(busy(World()), HUSHED)) if not one.qualifier] == []


def test_requests_of_that_very_kind_without_a_line_are_a_blind_spot() -> None:
    world = partner_until(busy(World()), HUSHED)
    for number in range(60):
        called_back(world, 500 + number, HUSHED + 10 + number * 14, logged=False)
    (finding,) = found(world)
    assert finding.verdict is Verdict.LIKELY
    assert "none of 5" in finding.proof or "none of 6" in finding.proof


def test_a_service_that_serves_a_share_of_all_kinds_is_missed_by_all_of_them() -> None:
    world = World()
    for number in range(1500):
        seconds = 3 + number * 1.38
        kind = ("orders", "people", "bills")[number % 3]
        world.log(seconds, "front", f"GET /{kind} request_id=p{number}")
        if number % 5 == 0 and seconds < HUSHED:
            world.log(seconds + 0.1, "edge", f"served /{kind} request_id=p{number}")
    (finding,) = found(world)
    assert finding.verdict is Verdict.LIKELY
    assert "20% of their like" in finding.proof or "19% of their like" in finding.proof


def test_a_kind_that_comes_up_in_the_silence_only_is_nobodys_yet() -> None:
    """The proxy tells of every page, and each page is asked for once or twice. At night nobody
    reads, and a job calls the front past the proxy."""
    world = World()
    for number in range(400):
        seconds = 3 + number * (HUSHED - 10) / 400
        slug = "".join("abcdefghij"[int(digit)] for digit in f"{number:03d}")
        world.log(seconds, "front", f"GET /p/{slug} request_id=p{number}")
        world.log(seconds + 0.1, "edge", f"served /p/{slug} request_id=p{number}")
    for number in range(300):
        world.log(HUSHED + 5 + number * 2.9, "front", f"POST /reindex request_id=n{number}")
    assert [one for one in found(world) if not one.qualifier] == []


def test_pages_that_went_on_past_the_proxy_are_missed_however_rare_each_is() -> None:
    world = World()
    for number in range(700):
        seconds = 3 + number * 2.97
        slug = "".join("abcdefghij"[int(digit)] for digit in f"{number:03d}")
        world.log(seconds, "front", f"GET /p/{slug} request_id=p{number}")
        if seconds < HUSHED:
            world.log(seconds + 0.1, "edge", f"served /p/{slug} request_id=p{number}")
    (finding,) = [one for one in found(world) if not one.qualifier]
    assert finding.verdict is Verdict.LIKELY


def test_callers_who_take_turns_are_all_seen_in_a_sample() -> None:
    """Every second request is of a kind that the silent one never tells of."""
    world = World()
    for number in range(4 * MOST):
        kind = ("pages", "status")[number % 2]
        world.log(1 + number * 0.1, "front", f"GET /{kind} request_id=p{number}")
    executions = world.incident().executions.frame
    requests = executions.filter(pl.col("kind") == "request").sort("start")
    each = pl.DataFrame({"execution": pl.int_range(requests.height, eager=True, dtype=pl.UInt32)})
    half = requests.height // 2
    outside = each.head(half).with_columns(mine=pl.col("execution") % 2 == 0)
    missed = missed_kinds(world.incident(), each.tail(half), outside)
    assert abs(missed.requests - MOST) < MOST / 10
