"""backlog by depths that a broker or an exporter sampled: rises, pushes at once, ordinary waves."""

from __future__ import annotations

import json

import pytest

from timeline.detectors.backlog_finding import COMPLETIONS
from timeline.event import Event, Kind, Lane, Meaning, Precision
from timeline.facts.backlogs import How
from timeline.order import Verdict

from .test_backlog import found, only
from .worlds import World, at


def rabbit(
    world: World,
    seconds: float,
    ready: int,
    published: int = 0,
    acked: int = 0,
    queue: str = "mail",
) -> None:
    """A sample as RabbitMQ's management plugin keeps it."""
    told = {"queue": queue, "depth": ready, "running": 1, "published": published, "acked": acked}
    told |= {"delivered": acked, "redelivered": 0, "interval_s": 5}
    world.events.append(
        Event(
            at(seconds),
            "rabbit",
            Lane.QUEUE,
            Kind.METRIC,
            f"{queue}: {ready} ready, 1 unacked",
            f"queues/{queue}@{at(seconds)}",
            seq=round(seconds),
            actor=queue,
            meaning=Meaning.POLLED,
            precision=Precision.SECOND,
            attributes=json.dumps(told),
        )
    )


def curve(
    world: World, seconds: float, value: float, *, metric: str, labels: dict[str, str]
) -> None:
    """A point of a configured query, as the Prometheus connector words it."""
    shown = ", ".join(f"{k}={v}" for k, v in labels.items())
    told = {"labels": labels, "metric": metric, "value": value}
    world.events.append(
        Event(
            at(seconds),
            "prom",
            Lane.METRIC,
            Kind.METRIC,
            f"{metric} ({shown}) = {value:g}",
            f"{metric}{shown}@{at(seconds)}",
            seq=round(seconds * 1000) + len(world.events),
            actor=labels.get("job", "prom"),
            meaning=Meaning.DERIVED,
            attributes=json.dumps(told),
        )
    )


def test_a_broker_that_sampled_itself_is_certain_and_tells_what_changed() -> None:
    world = World()
    for number in range(0, 2100, 5):
        late = number >= 1500
        rabbit(world, number, 3 + (number - 1500) if late else 3, 10, 5 if late else 10)
    finding = only(world)
    assert finding.verdict is Verdict.CERTAIN
    assert finding.how is How.SAMPLED
    assert finding.changed == COMPLETIONS
    assert finding.depth == 598
    assert finding.arrivals is not None
    assert finding.arrivals.per_minute == pytest.approx(120)
    assert finding.steps[0].event.ref.startswith("queues/mail@")


@pytest.mark.parametrize(
    ("metric", "labels"),
    [
        ("depth", {"__name__": "rabbitmq_queue_messages_ready", "queue": "mail"}),
        ("sidekiq_queue_size", {"name": "low"}),
        ("celery_queue_length", {"queue_name": "celery"}),
        ("jobs waiting", {"job": "worker"}),
    ],
)
def test_a_configured_curve_of_a_depth_will_do(metric: str, labels: dict[str, str]) -> None:
    world = World()
    for number in range(0, 2100, 15):
        curve(world, number, max(2.0, number - 1500.0), metric=metric, labels=labels)
    finding = only(world)
    assert finding.how is How.SAMPLED
    assert finding.arrivals is None
    assert "how fast it drains cannot be told" in finding.sentence()


def test_of_several_nodes_that_export_one_queue_the_fullest_tells() -> None:
    world = World()
    for number in range(0, 2100, 15):
        for node, depth in (("a", max(2.0, number - 1500.0)), ("b", 0.0)):
            curve(world, number, depth, metric="queue_depth", labels={"queue": "m", "node": node})
    assert only(world).peak == 585


def sampled_each_minute(world: World, *depths: int) -> None:
    """An exporter that is scraped once a minute; the last of `depths` is that of the last one."""
    first = world.end - 60 * len(depths)
    for number, depth in enumerate(depths):
        rabbit(world, first + 60 * number, depth, queue="exports")


CALM = (0, 1, 0, 0, 2, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0)


def test_a_rise_of_minutes_is_seen_in_samples_a_minute_apart() -> None:
    world = World()
    sampled_each_minute(world, *CALM, 40, 95, 140, 190, 180, 171, 160)
    finding = only(world)
    assert not finding.qualifier
    assert (finding.queue, finding.peak, finding.depth) == ("exports", 190, 160)


def test_worked_off_just_after_the_alarm_it_still_stands_for_itself() -> None:
    world = World()
    sampled_each_minute(world, *CALM, 40, 95, 140, 190, 120, 60, 30, 12, 0, 0, 0, 0)
    finding = only(world)
    assert finding.worked_off
    assert not finding.qualifier


@pytest.mark.parametrize("jump", [(300,), (130, 300)])
def test_a_push_at_once_is_no_rise_however_it_is_sampled(jump: tuple[int, ...]) -> None:
    world = World()
    sampled_each_minute(world, *CALM, *jump, 240, 180, 120, 60, 20)
    assert found(world) == []


def test_a_queue_that_fills_every_ten_minutes_only_colours_other_findings() -> None:
    world = World()
    for seconds in range(0, 2090, 5):
        into = seconds % 600
        rabbit(world, seconds, 5 + max(0, 60 - abs(into - 300) // 4), 10, 10)
    assert only(world).qualifier


@pytest.mark.parametrize(("published", "verdicts"), [(40, [Verdict.CERTAIN]), (0, [])])
def test_a_broker_counts_what_came_in_behind_a_push(
    published: int, verdicts: list[Verdict]
) -> None:
    world = World()
    depths = (*CALM, 300, 280, 230, 180, 130, 60, 5)
    for number, depth in enumerate(depths):
        rabbit(world, 720 + 60 * number, depth, published, 90, queue="exports")
    assert [one.verdict for one in found(world)] == verdicts
