"""change-before by a service's own words: it starts in another version, and its requests fail."""

from __future__ import annotations

import pytest

from timeline.detectors.change_before import ChangeBeforeDetector
from timeline.detectors.turned_release import TurnedRelease
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World, at

FIRST, SECOND_START = 1200.0, 1240.0
END = 1260.0
EVERY = 0.2
MISSING = 'column "full_name" does not exist'
STARTS = (
    "search {version} started",
    "Starting search version={version} on 0.0.0.0:8080",
    "listening on :8080 (release v{version})",
)


def found(world: World) -> list[TurnedRelease]:
    result = ChangeBeforeDetector().detect(world.incident())
    told = [] if isinstance(result, NotEvaluated) else result
    return [one for one in told if isinstance(one, TurnedRelease)]


def released(
    *,
    words: str = STARTS[0],
    versions: tuple[str, str] = ("1.8.2", "1.9.0"),
    calm: float = SECOND_START - FIRST,
    every_nth_fails: int = 1,
    fails_from: float = SECOND_START,
) -> World:
    """Searches from `calm` before the second start; from `fails_from` on every nth one fails."""
    world = World(end=END, pin=END - 5)
    world.log(SECOND_START - calm - 0.5, "search", words.format(version=versions[0]))
    world.log(SECOND_START - 0.05, "search", words.format(version=versions[1]))
    number = 0
    for number in range(int((END - SECOND_START + calm) / EVERY)):
        seconds = SECOND_START - calm + EVERY * number
        asked = f"request_id=q{number:04}"
        if seconds >= fails_from and number % every_nth_fails == 0:
            world.error(seconds, "search", f"GET /search 500 {asked}: {MISSING}")
        else:
            world.log(seconds, "search", f"GET /search 200 {asked}")
    return world


@pytest.mark.parametrize("words", STARTS)
def test_every_search_fails_since_it_started_in_another_version(words: str) -> None:
    (finding,) = found(released(words=words))
    assert finding.verdict is Verdict.LIKELY
    assert (finding.turned.earlier, finding.turned.version) == ("1.8.2", "1.9.0")
    assert finding.began == at(SECOND_START - 0.05)
    assert finding.turned.failed == finding.turned.after
    assert "of 200 before none" in finding.sentence()


@pytest.mark.parametrize(
    "world",
    [
        released(versions=("1.9.0", "1.9.0")),
        released(every_nth_fails=1000),
        released(every_nth_fails=4),
        released(calm=4.0),
        released(fails_from=SECOND_START - 10),
        released(words="search {version} is not the version of the index"),
        released(words="started a search on 10.{version}"),
    ],
    ids=[
        "the same version",
        "a release that breaks nothing",
        "one that breaks some",
        "hardly a request before",
        "the trouble was there before",
        "a version that nobody starts in",
        "an address",
    ],
)
def test_starts_that_turn_nothing(world: World) -> None:
    assert not found(world)


def test_the_server_of_requests_has_a_version_of_its_own() -> None:
    world = released()
    for seconds in (FIRST - 0.7, SECOND_START - 0.2):
        world.log(seconds, "search", "Starting gunicorn 23.0.0")
    assert len(found(world)) == 1


def test_trouble_of_others_in_the_minute_before() -> None:
    world = released()
    for number in range(5):
        world.error(SECOND_START - 20 + number, "billing", "connection to the database refused")
    assert not found(world)


def test_an_instance_that_was_not_started_says_nothing_of_it() -> None:
    """The one that started is well, and the other one fails."""
    world = World(end=END, pin=END - 5)
    for host in ("search-1", "search-2"):
        world.log(FIRST - 1, "search", "search 1.8.2 started", clock=host)
    world.log(SECOND_START, "search", "search 1.9.0 started", clock="search-1")
    for number in range(200):
        seconds = FIRST + 0.3 * number
        host = "search-1" if number % 2 else "search-2"
        asked = f"request_id=q{number:04}"
        if host == "search-2" and seconds > SECOND_START:
            world.error(seconds, "search", f"GET /search 500 {asked}: {MISSING}", clock=host)
        else:
            world.log(seconds, "search", f"GET /search 200 {asked}", clock=host)
    assert not found(world)


def test_a_deployment_on_record_tells_it_already() -> None:
    """Half an hour of calm, so that the errors have a beginning of their own."""
    world = World()
    world.change(1490.0, "search 1.9.0 deployed")
    world.log(10.0, "search", "search 1.8.2 started")
    world.log(1500.0, "search", "search 1.9.0 started")
    for number in range(1400):
        seconds = 11.0 + 1.2 * number
        asked = f"request_id=q{number:04}"
        if seconds > 1500:
            world.error(seconds, "search", f"GET /search 500 {asked}: {MISSING}")
        else:
            world.log(seconds, "search", f"GET /search 200 {asked}")
    result = ChangeBeforeDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated)
    assert [one.began for one in result if not one.qualifier] == [at(1490.0)]
    assert not found(world)
