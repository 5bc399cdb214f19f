"""blind-spot where somebody still speaks a little: sampled, cut, rotated, unmeasured, lossy."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest

from timeline.detectors.blind_spot import BlindSpot, BlindSpotDetector
from timeline.event import Event, Kind, Lane
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World, at


def found(world: World, variant: str) -> list[BlindSpot]:
    result = BlindSpotDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated), result.sentence()
    return [f for f in result if isinstance(f, BlindSpot) and f.variant == variant]


def shop(
    lost: tuple[float, float], *, share: int = 0, rows: bool = True, jobs: bool = True
) -> World:
    """An order every five seconds; of the lines of `lost` only every `share`-th is there."""
    world = World()
    for number in range(400):
        seconds = 5.0 * number
        kept = not lost[0] <= seconds < lost[1] or bool(share and number % share == 0)
        if rows:
            world.row(seconds, "orders", number, columns={"state": "new"})
        if jobs:
            world.run(f"j{number}", f"order_id={number}", seconds, seconds + 0.2, seconds + 0.9)
        if kept:
            world.log(seconds + 0.01, "web", f"stored order_id={number}")
            world.log(seconds + 0.3, "worker", f"begin job_id=j{number} order_id={number}")
            world.log(seconds + 0.8, "worker", f"end job_id=j{number} order_id={number}")
        world.log(seconds + 1, "proxy", "GET /health 200")
    return world


@pytest.mark.parametrize(
    ("lost", "share"),
    [((1200.0, 2100.0), 25), ((0.0, 1500.0), 0), ((900.0, 1300.0), 15)],
    ids=["sampled to the end", "rotated away", "sampled for a while"],
)
def test_work_that_is_no_longer_named_shows_missing_lines(
    lost: tuple[float, float], share: int
) -> None:
    told = found(shop(lost, share=share), "thinned") + found(shop(lost, share=share), "silent")
    assert {finding.actor for finding in told} >= {"worker", "web"}
    for finding in told:
        assert finding.began <= at(lost[0] + 60)
        assert finding.ended >= at(min(lost[1], 2000.0) - 60)


def test_rows_alone_are_enough() -> None:
    (finding,) = found(shop((1200.0, 2100.0), share=25, jobs=False), "thinned")[:1]
    assert finding.verdict is Verdict.LIKELY
    assert "rows of orders" in finding.proof


def test_work_of_other_hands_is_no_missing_line() -> None:
    world = shop((3000.0, 3000.0))
    for number in range(1000, 1100):  # an import writes rows that web never names
        world.row(1000.0 + number % 100, "orders", number, columns={"state": "new"})
    assert not found(world, "thinned")


def test_one_who_never_named_its_work_is_not_missed() -> None:
    world = shop((0.0, 2100.0))
    for number in range(400):
        world.log(5.0 * number, "web", "stored an order")
    assert not found(world, "thinned")


def test_a_uniform_sample_has_no_stretch() -> None:
    assert not found(shop((0.0, 2100.0), share=4), "thinned")


def test_few_items_prove_nothing() -> None:
    world = World()
    for number in range(14):
        world.row(150.0 * number, "orders", number)
        if number < 10:
            world.log(150.0 * number + 0.1, "web", f"stored order_id={number}")
    assert not found(world, "thinned")


def curve(
    world: World, host: str, until: float, *, since: float = 2100.0, label: str = "instance"
) -> None:
    """Points every 15 s but for `[until, since)`."""
    for sample in range(0, 2100, 15):
        if until <= sample < since:
            continue
        labels = {"job": "worker", label: host}
        world.events.append(
            Event(
                timestamp=at(sample),
                source="prometheus",
                lane=Lane.METRIC,
                kind=Kind.METRIC,
                body=f"rss ({label}={host}) = {sample}",
                ref=f"rss{host}@{sample}",
                seq=sample,
                actor="worker",
                attributes=json.dumps({"metric": "rss", "labels": labels, "value": sample}),
            )
        )


def speaking(world: World, hosts: Iterable[str], until: float = 2100.0) -> World:
    for host in hosts:
        for second in range(0, int(until), 20):
            world.log(second, "worker", "job done", clock=host)
    return world


@pytest.mark.parametrize(
    ("instance", "host", "label", "since"),
    [
        ("worker-1:9100", "worker-1", "instance", 2100.0),
        ("worker-1", "worker-1.prod.example", "pod", 2100.0),
        ("10.0.4.7:8080", "10.0.4.7", "instance", 1500.0),
    ],
)
def test_an_instance_that_writes_on_has_lost_its_scrape(
    instance: str, host: str, label: str, since: float
) -> None:
    world = speaking(World(), [host, "worker-2"])
    curve(world, instance, 900.0, since=since, label=label)
    curve(world, "worker-2:9100", 2100.0, label=label)
    (finding,) = found(world, "unmeasured")
    assert finding.verdict is Verdict.CERTAIN
    assert finding.actor == instance
    assert at(880) <= finding.began <= at(900)


def test_an_instance_that_is_gone_is_no_blind_spot() -> None:
    world = speaking(speaking(World(), ["worker-1"], until=890.0), ["worker-2", "worker-10"])
    curve(world, "worker-1:9100", 900.0)
    curve(world, "worker-2:9100", 2100.0)
    assert not found(world, "unmeasured")


def test_a_server_that_was_down_ends_all_curves() -> None:
    world = speaking(World(), ["worker-1", "worker-2"])
    curve(world, "worker-1:9100", 900.0, since=1200.0)
    curve(world, "worker-2:9100", 900.0, since=1200.0)
    assert not found(world, "unmeasured")


@pytest.mark.parametrize(
    ("who", "words"),
    [
        (
            "rsyslogd",
            "imjournal: 4412 messages lost due to rate-limiting (20000 allowed within 600 s)",
        ),
        ("vector", "Events dropped intentional=false count=1800 reason=buffer"),
        ("fluent-bit", "[input] pausing tail.0: mem buf overlimit"),
        (
            "otel-collector",
            "Exporting failed. Dropping data. error=queue is full dropped_items=912",
        ),
    ],
)
def test_a_carrier_that_says_so_has_lost_lines(who: str, words: str) -> None:
    world = World()
    for second in (1000, 1100, 1200):
        world.log(second, who, words, severity=13)
    (finding,) = found(world, "lossy")
    assert not finding.qualifier
    assert finding.verdict is Verdict.LIKELY


def test_a_single_small_loss_only_colours_others() -> None:
    world = World()
    world.log(1000, "systemd-journald", "Suppressed 31 messages from cron.service", severity=13)
    (finding,) = found(world, "lossy")
    assert finding.qualifier


def test_a_service_that_drops_messages_of_its_own_is_no_carrier() -> None:
    world = World()
    for second in range(900, 1500, 20):
        world.log(second, "cart", "12 messages dropped by the deduplicator")
        world.log(second + 1, "fluent-bit", "flushed 400 records, 0 records dropped")
    assert not found(world, "lossy")
