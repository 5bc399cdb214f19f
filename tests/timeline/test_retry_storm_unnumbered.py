"""retry-storm by logs that number no attempt, and by the requests before where little was read."""

from __future__ import annotations

import pytest

from timeline.coverage import Sight
from timeline.detectors.retry_finding import RetryStorm
from timeline.detectors.retry_storm import RetryStormDetector
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World

BEGAN, ENDED = 1230.0, 1260.0
URLLIB3 = (
    "Retrying (Retry(total={left}, connect=None, read=None, redirect=None, status=None)) after "
    "connection broken by 'ReadTimeoutError(\"HTTPConnectionPool(host='quotes', port=8080): Read "
    "timed out. (read timeout=0.4)\")': /quotes/{n}"
)
WORDS = (
    URLLIB3,
    "Retrying web.quotes.fetch in {left}.0 seconds as it raised ReadTimeout: timed out.",
    "Retrying request to /v1/quotes in 0.{left} seconds",
)


def found(world: World) -> list[RetryStorm]:
    result = RetryStormDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated)
    return [one for one in result if isinstance(one, RetryStorm)]


def asked(
    *, words: str = URLLIB3, calm: float = 10.0, ended: float = ENDED, tried_before: int = 0
) -> World:
    """Visits, of which each is tried three times again from `BEGAN` on; read from `calm` before."""
    world = World()
    world.blind("web.log", -1, BEGAN - calm, Sight.BLIND)
    world.blind("web.log", ended + 1, 2105, Sight.BLIND)
    number, seconds = 0, BEGAN - calm
    while seconds < ended:
        hurt = seconds >= BEGAN
        number, seconds = number + 1, seconds + (0.8 if hurt else 0.2)
        for left in range(3 if hurt else tried_before):
            world.log(
                seconds - 0.1 * left - 0.1, "web", words.format(left=left, n=number), severity=13
            )
        world.log(
            seconds, "web", f"GET /quotes/{number} {504 if hurt else 200} request_id=w{number}"
        )
    return world


@pytest.mark.parametrize("words", WORDS)
def test_libraries_that_do_not_number_their_retries(words: str) -> None:
    (finding,) = found(asked(words=words))
    assert finding.verdict is Verdict.LIKELY
    assert not finding.qualifier
    assert finding.service == "web"
    assert finding.ended_attempts > finding.jobs
    assert "none were tried again" in finding.weakest_link


def test_who_always_tries_as_often_has_the_habit() -> None:
    (finding,) = found(asked(tried_before=1))
    assert finding.qualifier
    assert finding.verdict is Verdict.POSSIBLE


def test_a_few_requests_before_are_no_habit() -> None:
    (finding,) = found(asked(calm=4.0))
    assert finding.qualifier


def test_eight_seconds_are_the_backoff_at_work() -> None:
    assert not found(asked(ended=BEGAN + 8))


@pytest.mark.parametrize(
    "words",
    [
        "Retrying is off for /quotes/{n}",
        "Retrying the import of {n} tomorrow",
        "no Retrying (of {n})",
    ],
)
def test_words_about_retrying_are_no_retry(words: str) -> None:
    assert not found(asked(words=words))
