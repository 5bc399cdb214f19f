"""Samples of the management plugin as events: what is kept, what is dropped, what is a rise."""

from __future__ import annotations

import json

import pytest

from connectors.logs.jsonshape import JsonValue
from connectors.rabbitmq import history
from connectors.rabbitmq.history import Grid, Stretch
from timeline.event import SEVERITY_WARN, Meaning
from timeline.window import SECOND_NS, Window

NOW_S = 1_795_312_450
NOW = NOW_S * SECOND_NS
WHOLE = Stretch(Grid(600, 5), NOW - 600 * SECOND_NS, NOW + SECOND_NS)


def samples(*values: int) -> JsonValue:
    """Newest last, five seconds apart, the last one at NOW."""
    first = NOW_S - 5 * (len(values) - 1)
    told: list[JsonValue] = [
        {"sample": value, "timestamp": (first + 5 * place) * 1_000}
        for place, value in enumerate(values)
    ]
    return {"samples": told[::-1]}


def test_counters_are_told_as_increases_and_a_restart_is_no_decrease() -> None:
    series = history.series({"ack_details": samples(3, 3, 10, 0, 4)}, "ack")
    rises = history.increases(series)
    assert sorted(rises.values()) == [4, 7]


@pytest.mark.parametrize(
    "junk",
    [
        None,
        {},
        {"samples": "x"},
        {"samples": [{}, 3, {"sample": None, "timestamp": 5}, {"sample": 1, "timestamp": -1}]},
    ],
)
def test_samples_of_an_unknown_shape_are_none(junk: JsonValue) -> None:
    assert history.series({"ack_details": junk}, "ack") == {}


def test_zeros_from_before_the_queue_lived_are_no_evidence() -> None:
    queue: JsonValue = {
        "messages_ready_details": samples(0, 0, 0, 0, 7, 2),
        "messages_unacknowledged_details": samples(0, 0, 0, 0, 0, 5),
    }
    told = list(history.queue_samples("q", queue, "mailers", "queues///mailers", WHOLE))
    assert [json.loads(event.attributes or "")["depth"] for event in told] == [0, 7, 2]
    assert [event.timestamp for event in told] == [NOW - n * 5 * SECOND_NS for n in (2, 1, 0)]
    assert {event.meaning for event in told} == {Meaning.POLLED}
    assert told[-1].body == "mailers: 2 ready, 5 unacked"


def test_a_queue_without_a_sign_of_life_has_no_history() -> None:
    queue: JsonValue = {"messages_ready_details": samples(0, 0, 0)}
    assert not list(history.queue_samples("q", queue, "idle", "queues///idle", WHOLE))


def test_redelivery_is_a_warning() -> None:
    queue: JsonValue = {
        "messages_ready_details": samples(4, 4, 4),
        "message_stats": {"redeliver_details": samples(0, 0, 3)},
    }
    told = list(history.queue_samples("q", queue, "mailers", "queues///mailers", WHOLE))
    assert [event.severity_number for event in told] == [0, 0, SEVERITY_WARN]
    assert told[-1].body.endswith("3 redelivered in 5 s")


def test_a_window_older_than_the_fine_samples_takes_the_coarse_ones() -> None:
    window = Window(NOW - 900 * SECOND_NS, NOW - 1_800 * SECOND_NS, NOW)
    fine, coarse = history.stretches(window, NOW, 0, (600, 3_600))
    assert (fine.grid.step_s, coarse.grid.step_s) == (5, 60)
    assert coarse.end == fine.start
    assert coarse.start == window.start
    assert coarse.grid.age_s < 3_600, "no further back than the window needs"


def test_nothing_is_asked_from_before_a_node_started() -> None:
    window = Window(NOW - 60 * SECOND_NS, NOW - 1_800 * SECOND_NS, NOW)
    born = NOW - 120 * SECOND_NS
    (only,) = history.stretches(window, NOW, born, (600, 3_600))
    assert only.start == born


def test_a_window_beyond_all_samples_asks_for_none() -> None:
    window = Window.around(NOW - 86_400 * SECOND_NS)
    assert history.stretches(window, NOW, 0, (600, 3_600)) == []
