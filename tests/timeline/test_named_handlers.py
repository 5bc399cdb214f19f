"""blind-spot by ids: requests that others say somebody handled, and of which it wrote nothing."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from timeline.detectors.blind_spot import BlindSpot, BlindSpotDetector
from timeline.facts.sight import Part
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World, at, healthy

BEGAN, SILENT = 1640.0, 1760.0
EVERY = 0.125
END = 1800.0
UPSTREAM = "GET /members/7 200 request_id={request} upstream={host}:8080"


def spoken(until: float = END, since: float = BEGAN) -> list[float]:
    return [since + EVERY * number for number in range(int((until - since) / EVERY))]


def request(seconds: float) -> str:
    return f"{int(seconds * 1000):08}9e1d0bd5"


def balanced(
    *,
    heard: Iterable[float],
    words: str = UPSTREAM,
    named: Iterable[float] | None = None,
    hosts: bool = False,
) -> World:
    """Visits to web-1 and web-2 in turn; web-2 wrote of those at `heard` alone, and the balancer
    of those at `named`. With `hosts` both are hosts of one service."""
    world, told = World(end=END, pin=END - 10), set(heard)
    by_balancer = set(spoken() if named is None else named)
    for number, seconds in enumerate(spoken()):
        host = "web-2" if number % 2 else "web-1"
        actor, clock = ("web", host) if hosts else (host, "")
        if host == "web-1" or seconds in told:
            said = f"GET /members/7 200 request_id={request(seconds)}"
            world.log(seconds, actor, said, clock=clock)
        if seconds in by_balancer:
            line = words if host == "web-2" else UPSTREAM
            world.log(seconds + 0.01, "balancer", line.format(request=request(seconds), host=host))
    return world


def found(world: World) -> list[BlindSpot]:
    result = BlindSpotDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated)
    told = [one for one in result if isinstance(one, BlindSpot)]
    return [one for one in told if one.actor == "web-2" and not one.qualifier]


@pytest.mark.parametrize("hosts", [False, True])
def test_forty_seconds_of_requests_that_it_does_not_name(hosts: bool) -> None:
    world = balanced(heard=spoken(SILENT), hosts=hosts)
    (finding,) = found(world)
    assert finding.verdict is Verdict.LIKELY
    assert finding.variant == "lagging"
    assert at(SILENT - 1) < finding.began < at(SILENT)
    assert "others say it handled" in finding.sentence()
    (silence,) = [one for one in world.incident().silences if one.actor == "web-2"]
    assert silence.part is (Part.HOST if hosts else Part.WHOLE)


def test_lines_that_came_back_are_a_silence_that_ended() -> None:
    (finding,) = found(balanced(heard=[*spoken(1700.0), *spoken(since=1740.0)]))
    assert finding.variant == "silent"
    assert finding.ended == pytest.approx(at(1740.0), abs=EVERY * 2e9)


@pytest.mark.parametrize(
    ("heard", "words", "named"),
    [
        (spoken(SILENT), "GET /members/7 502 request_id={request} upstream={host}:8080", None),
        (spoken(SILENT), "GET /members/7 200 request_id={request} upstream={host}0", None),
        (spoken(SILENT), UPSTREAM, spoken(SILENT)),
        (spoken(SILENT), UPSTREAM, spoken(SILENT + 12)),
        (spoken(END - 12), UPSTREAM, None),
        (spoken(SILENT)[1::4], UPSTREAM, None),
        ([*spoken(SILENT), *spoken(since=SILENT)[1::20]], UPSTREAM, None),
    ],
    ids=[
        "it is gone, and the balancer says so",
        "another host is named",
        "it was taken out",
        "it was taken out soon after",
        "its last lines may be on their way",
        "it never wrote of all",
        "it writes of some",
    ],
)
def test_who_may_be_idle_gone_or_late(
    heard: list[float], words: str, named: list[float] | None
) -> None:
    assert not found(balanced(heard=heard, words=words, named=named))


def test_where_its_callers_have_errors_it_may_be_gone() -> None:
    world = balanced(heard=spoken(SILENT))
    for seconds in spoken(since=SILENT)[::8]:
        world.error(seconds, "mailer", "connect to web-2:8080 failed: Connection refused")
    assert not found(world)


def test_a_healthy_night_has_no_such_silence() -> None:
    assert not found(healthy(World()))
