"""delivered-again by a broker's count: which messages they were, where two consumers tell."""

from __future__ import annotations

from timeline.detectors.counted_again import GivenOutAgain
from timeline.order import Verdict

from .test_counted_again import counts, found
from .worlds import World

CAME_BACK = {1500.0: 8}
AGAIN = 1496.0
"""Within the five seconds before the sample that counts the redeliveries."""


def message(number: int) -> str:
    return f"{number:04}c3d8de0a44f0b8b25c{number:08}e1"


def booked(world: World, seconds: float, consumer: str, number: int) -> None:
    words = f"parcel booked member_id={500 + number} message_id={message(number)}"
    world.log(seconds, consumer, words)


def consumers(*, both: range) -> World:
    """Forty messages, each booked once, but those of `both` by a second consumer as well."""
    world = World()
    for number in range(40):
        booked(world, 1400 + 2.2 * number, "parcels-1", number)
    for number in both:
        booked(world, AGAIN + 0.2 * (number - both.start), "parcels-2", number)
    return counts(world, CAME_BACK)


def only(world: World) -> GivenOutAgain:
    (finding,) = found(world)
    assert isinstance(finding, GivenOutAgain)
    return finding


def test_messages_that_two_consumers_worked_on_are_named() -> None:
    finding = only(consumers(both=range(38, 40)))
    assert finding.verdict is Verdict.LIKELY
    assert [one.message for one in finding.twice] == [f"message:{message(n)}" for n in (38, 39)]
    assert {"member:538", "member:539"} <= set(finding.keys)
    assert "538 and 539" in finding.sentence()


def unnamed(world: World) -> None:
    finding = only(world)
    assert finding.verdict is Verdict.POSSIBLE
    assert not finding.twice
    assert not finding.keys


def test_messages_that_were_taken_and_not_begun_are_not_named() -> None:
    unnamed(consumers(both=range(0)))


def test_a_single_one_may_have_been_sent_twice() -> None:
    unnamed(consumers(both=range(39, 40)))


def test_more_than_the_broker_counted_were_sent_to_several() -> None:
    unnamed(consumers(both=range(28, 40)))


def test_what_two_read_of_most_messages_is_an_exchange_that_fans_out() -> None:
    world = World()
    for number in range(7):
        booked(world, 1480 + number, "parcels-1", number)
        booked(world, 1490 + number, "audit", number)
    unnamed(counts(world, CAME_BACK))


def test_messages_that_somebody_had_trouble_with_were_tried_again() -> None:
    world = consumers(both=range(38, 40))
    for number in (38, 39):
        told = f"no carrier for message_id={message(number)}, it is given back"
        world.log(AGAIN - 1, "carriers", told, severity=13)
    unnamed(world)


def test_what_was_booked_twice_long_before_the_broker_counted_is_another_story() -> None:
    world = World()
    for number in range(40):
        booked(world, 600 + 2.2 * number, "parcels-1", number)
    for number in (38, 39):
        booked(world, 900 + number, "parcels-2", number)
    unnamed(counts(world, CAME_BACK))
