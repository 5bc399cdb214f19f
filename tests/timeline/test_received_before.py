"""ambiguous-enqueue: an error at a message that had been received is none about its sending."""

from __future__ import annotations

import time

import polars as pl

from timeline.detectors.ambiguous_enqueue import AmbiguousEnqueue, AmbiguousEnqueueDetector
from timeline.facts.received_before import received_before
from timeline.finding import NotEvaluated

from .worlds import HICCUP, World, failed_push, healthy

REPLY = "TimeoutError: amqp://rabbitmq:5672 read timed out, request_id=r900"


def found(world: World) -> list[AmbiguousEnqueue]:
    result = AmbiguousEnqueueDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated)
    return [one for one in result if isinstance(one, AmbiguousEnqueue)]


def given_back(world: World, *, sent: bool, received: bool) -> World:
    """`billing` fails at a message, and says so in the broker's verbs."""
    if sent:
        words = "published message_id=m77 user_id=4799 request_id=r899"
        world.log(HICCUP - 20, "web", words)
    if received:
        world.log(HICCUP - 1, "billing", "got message_id=m77 user_id=4799 request_id=r900")
    words = f"nack message_id=m77 user_id=4799, publish it again later: {REPLY}"
    world.error(HICCUP + 4, "billing", words)
    return world


def test_a_consumer_that_gives_a_message_back_has_not_failed_to_push_it() -> None:
    assert found(given_back(healthy(World()), sent=True, received=True)) == []


def test_a_message_that_nobody_else_wrote_of_may_not_have_been_sent() -> None:
    """The same line of one who wrote of the message first: he is its sender."""
    (finding,) = found(given_back(healthy(World()), sent=False, received=True))
    assert "user:4799" in {case.key for case in finding.cases}


def test_a_sender_whose_message_was_worked_off_before_his_error_is_its_sender_still() -> None:
    world = healthy(World())
    world.log(HICCUP, "web", "publishing message_id=m78 user_id=4798 request_id=r901")
    world.log(HICCUP + 0.2, "billing", "got message_id=m78 user_id=4798")
    words = f"publish of message_id=m78 user_id=4798 failed: {REPLY.replace('r900', 'r901')}"
    world.error(HICCUP + 5, "web", words)
    (finding,) = found(world)
    assert "user:4798" in {case.key for case in finding.cases}


def test_pushes_that_all_certainly_arrived_leave_nothing_open() -> None:
    world = healthy(World())
    failed_push(world, 4711, HICCUP)
    world.run("jx", "user_id=4711", HICCUP + 0.005, HICCUP + 0.02, HICCUP + 0.1)
    world.row(HICCUP + 0.2, "mails", 9_999, columns={"user_id": 4711})
    (finding,) = found(world)
    assert {case.outcome for case in finding.cases} == {"executed"}
    assert finding.qualifier


def test_a_push_of_which_nothing_is_known_stands_for_itself() -> None:
    world = healthy(World())
    failed_push(world, 4711, HICCUP)
    (finding,) = found(world)
    assert not finding.qualifier


def test_what_became_of_another_message_says_nothing_of_the_one_that_was_pushed() -> None:
    """The line names a job that others had written of, and a message that is its writer's own."""
    world = healthy(World())
    world.log(HICCUP - 20, "planner", "planned job_id=j900 for user_id=4797")
    world.log(HICCUP - 1, "web", "publishing message_id=m79 user_id=4797 request_id=r900")
    words = f"publish of message_id=m79 for job_id=j900 user_id=4797 failed: {REPLY}"
    world.error(HICCUP + 4, "web", words)
    (finding,) = found(world)
    assert "user:4797" in {case.key for case in finding.cases}


def test_a_message_that_is_tried_for_ever_is_not_compared_with_itself_pair_by_pair() -> None:
    """8,000 lines and as many errors about one message: 64 million pairs, if each met each."""
    world = World()
    for number in range(8_000):
        world.log(1 + number * 0.2, "billing", "got message_id=m77")
        world.error(1.1 + number * 0.2, "billing", "nack message_id=m77, publish it again later")
    world.log(0.5, "web", "published message_id=m77")
    incident = world.incident()
    errors = incident.snapshot.told(pl.col("severity_number") >= 17, "body").get_column("row")
    assert errors.len() == 8_000
    begun = time.process_time()
    came = received_before(incident, errors)
    assert time.process_time() - begun < 1.0
    assert came.len() == 8_000
