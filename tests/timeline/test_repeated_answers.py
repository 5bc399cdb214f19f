"""swallowed-error: who answers each time it is asked again is called, and hides nothing."""

from __future__ import annotations

from timeline.detectors.swallowed_error import SwallowedError, SwallowedErrorDetector
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World, healthy

BEGAN = 1200.0
GAVE_UP = (
    "HTTPConnectionPool(host='quotes', port=80): Max retries exceeded with url: /quotes/{n} "
    '(Caused by ReadTimeoutError("Read timed out. (read timeout=0.4)"))'
)


def found(world: World) -> list[SwallowedError]:
    result = SwallowedErrorDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated), result.needs
    return [one for one in result if isinstance(one, SwallowedError)]


def slow(world: World, number: int, error: str = GAVE_UP) -> None:
    """`web` asks `quotes` again and again, and gives up; every answer comes, and too late."""
    told, seconds = f"request_id=g{number}", BEGAN + 5 * number
    for again in range(4):
        took = f"{500 + again} ms"
        world.log(seconds + 0.5 + again * 0.6, "quotes", f"GET /quotes/{number} 200 {told} {took}")
    world.error(seconds + 2.0, "web", f"GET /quotes/{number} 504 {told}: {error.format(n=number)}")


def test_a_server_that_answers_its_caller_too_late_hides_nothing() -> None:
    world = healthy(World())
    for number in range(5):
        slow(world, number)
    assert found(world) == []


def test_whoever_only_says_that_it_gave_up_may_have_begun_before() -> None:
    """The slow one has a line at its beginning and one at its end, and the other only its last."""
    world = healthy(World())
    for number in range(5):
        told, seconds = f"request_id=g{number}", BEGAN + 5 * number
        world.log(seconds + 0.01, "quotes", f"GET /quotes/{number} begins {told}")
        error = GAVE_UP.format(n=number)
        world.error(seconds + 0.4, "web", f"GET /quotes/{number} 504 {told}: {error}")
        world.log(seconds + 0.9, "quotes", f"GET /quotes/{number} 200 {told}")
    assert {one.verdict for one in found(world)} <= {Verdict.POSSIBLE}


def test_a_caller_that_answers_once_over_an_error_still_hides_it() -> None:
    world = healthy(World())
    for number in range(5):
        told, seconds = f"request_id=g{number}", BEGAN + 5 * number
        world.log(seconds, "basket", f"POST /basket begins {told}")
        world.error(seconds + 0.2, "prices", f"GET /prices/{number} 500 {told}: KeyError: 'eur'")
        world.log(seconds + 0.4, "basket", f"POST /basket 200 {told}")
    (finding,) = found(world)
    assert finding.verdict is Verdict.CERTAIN
    assert (finding.caller, finding.callee, len(finding.cases)) == ("basket", "prices", 5)
