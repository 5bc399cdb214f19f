"""swallowed-error: whoever gave up waiting called, and whom it called took longer."""

from __future__ import annotations

import pytest

from timeline.clock import ClockBound
from timeline.detectors.swallowed_error import SwallowedError, SwallowedErrorDetector
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import SECOND, World, healthy

CALLED = 1200.0
LOOSE = ClockBound(SECOND // 20, SECOND // 20, "declared")
WAITED = (
    "no response from quotes after 300 ms",
    "ReadTimeout: HTTPConnectionPool(host='quotes', port=80): Read timed out. (read timeout=0.3)",
    "net/http: request canceled (Client.Timeout exceeded while awaiting headers)",
    "gave up on quotes: deadline of 300ms passed",
)


def found(world: World) -> list[SwallowedError]:
    result = SwallowedErrorDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated), result.needs
    return [one for one in result if isinstance(one, SwallowedError)]


def asked(world: World, number: int, error: str) -> None:
    """`basket` asks `quotes`, whose clock runs a little early; `quotes` answers well, and late."""
    told, seconds = f"request_id=g{number}", CALLED + 9 * number
    world.log(seconds, "quotes", f"GET /prices begins {told}")
    world.log(seconds + 0.02, "basket", f"GET /basket begins {told}")
    world.error(seconds + 0.33, "basket", f"GET /basket: {error} {told}")
    world.log(seconds + 0.62, "quotes", f"GET /prices 200 {told}")


def night(error: str, bound: ClockBound) -> World:
    world = healthy(World(bound=bound))
    for number in range(6):
        asked(world, number, error)
    return world


@pytest.mark.parametrize("error", WAITED)
def test_the_longer_of_two_is_not_the_caller_of_one_that_gave_up(error: str) -> None:
    told = found(night(error, LOOSE))
    assert all(one.verdict is Verdict.POSSIBLE for one in told)


def test_the_longer_of_two_called_one_that_broke() -> None:
    (finding,) = found(night("KeyError: 'currency'", LOOSE))
    assert finding.verdict is Verdict.LIKELY
    assert (finding.caller, finding.callee) == ("quotes", "basket")
