"""novel-template: what was never said before, and what only looks so."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from timeline import templates
from timeline.clock import ClockBound
from timeline.detectors.novel_template import NovelTemplate, NovelTemplateDetector
from timeline.finding import NotEvaluated, Stage
from timeline.order import Verdict, at_least
from timeline.window import Window

from .findings import findings_of
from .worlds import SECOND, World, at, healthy

PIN = 1800.0
NEW = "replication slot {} is invalid for order_id={}"


def found(world: World) -> list[NovelTemplate]:
    return findings_of(NovelTemplateDetector(), world.incident(), NovelTemplate)


def telling(world: list[NovelTemplate]) -> list[NovelTemplate]:
    return [finding for finding in world if not finding.qualifier]


def usual(*, lines: int = 400, actor: str = "checkout", **more: float) -> World:
    """A service that warns about the same two things now and then."""
    world = healthy(World(**more))  # type: ignore[arg-type]
    rng = random.Random(3)
    for number in range(lines):
        text = ("cache miss key={}", "slow query took {} ms")[number % 2]
        world.log(rng.uniform(0, 2100), actor, text.format(number), severity=13)
    return world


def new(world: World, *, count: int = 6, at: float = PIN, **more: int) -> World:
    for number in range(count):
        seconds = at - 10 + number * 2
        world.log(seconds, "checkout", NEW.format(number, number), severity=17, **more)  # type: ignore[arg-type]
    return world


def test_errors_never_written_before_are_listed_with_their_first_sighting() -> None:
    (finding,) = found(new(usual()))
    assert not finding.qualifier
    assert finding.stage is Stage.CONTEXT
    (told,) = finding.novelties
    assert (told.service, told.count, told.first) == ("checkout", 6, at(PIN - 10))
    assert told.template == "replication slot * is invalid for order_id=*"
    assert finding.keys == tuple(f"order:{number}" for number in range(6))
    assert finding.steps[0].event.timestamp == at(PIN - 10)
    assert "first at 02:29:50.000, and never in its" in finding.sentence()


def test_half_an_hour_of_a_quiet_service_is_a_short_memory() -> None:
    (finding,) = found(new(usual()))
    assert finding.verdict is Verdict.POSSIBLE
    assert "were read before it" in finding.weakest_link


def test_an_hour_and_ten_thousand_lines_make_it_likely() -> None:
    world = usual(end=4200.0, pin=3900.0)
    for number in range(12_000):
        world.log(number * 0.3, "checkout", f"served cart {number}")
    new(world, at=3900.0)
    (finding,) = found(world)
    assert finding.verdict is Verdict.LIKELY
    world.blind("checkout.log", 600, 900)
    (unsure,) = found(world)
    assert unsure.verdict is Verdict.POSSIBLE
    assert "it may have been written before" in unsure.weakest_link


def test_a_single_odd_error_only_colours_others() -> None:
    (finding,) = found(new(usual(), count=1))
    assert finding.qualifier


def test_a_single_odd_warning_is_nothing() -> None:
    world = usual()
    world.log(PIN, "checkout", "disk nearly full", severity=13)
    assert not found(world)


def test_what_was_written_before_is_not_new() -> None:
    world = new(usual())
    new(world, count=1, at=300.0)
    assert not found(world)


def test_what_another_service_says_often_is_new_to_this_one() -> None:
    world = new(usual())
    for number in range(20):
        world.error(60.0 * number, "billing", NEW.format(number, number))
    assert telling(found(world))


def test_where_something_new_appears_all_the_time_one_more_says_nothing() -> None:
    world = new(usual())
    for minute in range(12, 27):
        word = "abcdefghijklmnopqrstuvwxyz"[minute - 12]
        for number in range(5):
            text = f"strange thing {word}{word} happened"
            world.log(minute * 60 + number, "checkout", text, severity=13)
    assert not found(world)


def test_where_something_new_appeared_once_before_one_more_only_colours() -> None:
    world = new(usual())
    for number in range(5):
        world.log(1200 + number, "checkout", "strange thing happened", severity=13)
    (finding,) = found(world)
    assert finding.qualifier
    assert (finding.usual, finding.templates) == (1, 1)


def test_what_a_service_says_as_it_starts_is_not_reported_below_an_error() -> None:
    world = usual()
    world.log(PIN - 30, "checkout", "Listening on http://0.0.0.0:8080")
    for number in range(5):
        world.log(PIN - 20 + number, "checkout", f"cold cache for shard {number}", severity=13)
    assert not found(world)
    spoken = usual()
    for number in range(5):
        spoken.log(PIN - 20 + number, "checkout", f"cold cache for shard {number}", severity=13)
    assert telling(found(spoken))


def test_a_newcomer_has_no_past_to_compare_with() -> None:
    world = healthy(World())
    for number in range(30):
        world.error(PIN - 20 + number, "newcomer", f"strange {number} thing")
    assert not found(world)


def test_among_too_many_lines_it_counts_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "MOST_LINES", 440)
    (finding,) = found(new(usual(), count=60))
    assert finding.left_out > 0
    assert finding.novelties[0].at_least
    assert f"at least {finding.novelties[0].count} times" in finding.sentence()
    assert 5 <= finding.novelties[0].count < 60


def test_no_more_than_five_are_shown_and_the_rest_is_counted() -> None:
    world = usual()
    for word in ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta"):
        for number in range(5):
            world.error(PIN - 5 + number, "checkout", f"{word} store refused record {number}")
    (finding,) = found(world)
    assert len(finding.novelties) == 5
    assert finding.templates == 7
    assert "2 further" not in finding.sentence()
    assert "6 further new lines appeared with it" in finding.sentence()


def test_it_needs_some_past_and_logs() -> None:
    short = replace(new(usual()).incident(), window=Window(at(PIN), at(PIN - 600), at(2100)))
    result = NovelTemplateDetector().detect(short)
    assert isinstance(result, NotEvaluated)
    assert "widen" in result.needs
    world = World()
    world.row(3, "users", 1)
    assert isinstance(NovelTemplateDetector().detect(world.incident()), NotEvaluated)


def test_arrival_shift_and_unrelated_lines_change_nothing_else() -> None:
    world = new(usual())
    batches = world.batches()
    (first,) = found(world)
    assert NovelTemplateDetector().detect(world.incident(batches[::-1])) == [first]
    (moved,) = found(replace(world, shift=-86_400 * SECOND))
    assert moved.novelties[0].first == first.novelties[0].first - 86_400 * SECOND
    for number in range(200):
        world.log(number * 10, "elsewhere", f"unrelated {number}")
    (again,) = found(world)
    assert again.sentence() == first.sentence()


def test_worse_clocks_never_make_it_surer() -> None:
    world = new(usual())
    (tight,) = found(world)
    (wide,) = found(replace(world, bound=ClockBound(5 * SECOND, 5 * SECOND, "assumed")))
    assert at_least(tight.verdict, wide.verdict)


@pytest.mark.parametrize("seed", range(12))
def test_services_with_a_long_tail_of_rare_warnings_are_healthy(seed: int) -> None:
    """Rare lines, some of them first seen in the last minute, as every service has them."""
    rng = random.Random(seed)
    world = World()
    for _ in range(600):
        word = f"case {'abcdefghijkl'[int(rng.paretovariate(0.7)) % 12]}"
        kind = "".join(rng.choice("xyz") for _ in range(min(int(rng.paretovariate(0.6)), 6)))
        severity = 17 if rng.random() < 0.3 else 13
        world.log(rng.uniform(0, 2100), "search", f"{word} {kind} odd", severity=severity)
    assert not telling(found(world))


def slow(world: World, text: str, count: int, *, since: float, every: float) -> World:
    for number in range(count):
        words = text.format(number)
        world.log(since + number * every, "checkout", words, severity=17)
    return world


def test_a_new_error_that_comes_slowly_before_t_is_told_though_nothing_stands_out() -> None:
    world = slow(usual(), "quota row {} disagrees with its sum", 7, since=1200, every=40)
    (finding,) = telling(found(world))
    assert finding.verdict is Verdict.POSSIBLE
    assert finding.novelties[0].first == at(1200)


def test_a_few_odd_errors_in_the_lead_are_no_new_kind() -> None:
    assert not telling(found(slow(usual(), "quota row {} disagrees", 3, since=1200, every=60)))


def test_new_errors_are_nothing_where_others_were_as_new_before() -> None:
    world = usual()
    for place, text in enumerate(("tenant {} lacks a plan", "zone {} has no rate", "vat {} odd")):
        slow(world, text, 6, since=420 + place * 120, every=20)
    assert not telling(found(slow(world, "quota row {} disagrees", 7, since=1200, every=40)))
