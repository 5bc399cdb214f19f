"""network-hiccup where nothing broke: answers that one service alone did not get."""

from __future__ import annotations

import pytest

from timeline.detectors.network_hiccup import NetworkHiccup, NetworkHiccupDetector
from timeline.order import Verdict

from .worlds import HICCUP, World, healthy

REDIS_LATE = "redis.exceptions.TimeoutError: Timeout reading from cache-a:6379"
REDIS_RESET = "redis.exceptions.ConnectionError: Error 104 Connection reset by peer cache-a:6379"
GO_LATE = "read tcp 10.1.1.4:51344->cache-a:6379: i/o timeout"
JAVA_LATE = "io.lettuce.core.RedisCommandTimeoutException: Command timed out (cache-a:6379)"


def only(world: World) -> NetworkHiccup:
    (finding,) = NetworkHiccupDetector().detect(world.incident())  # type: ignore[misc]
    assert isinstance(finding, NetworkHiccup)
    return finding


def burst(*lines: str, services: tuple[str, ...] = ("web",)) -> World:
    """Twelve errors on four hosts in six seconds, in turn of each of `lines` and `services`."""
    world = healthy(World())
    for number in range(12):
        who, said = services[number % len(services)], lines[number % len(lines)]
        world.error(HICCUP + number * 0.5, who, said, clock=f"{who}-{number % 4}")
    return world


@pytest.mark.parametrize("line", [REDIS_LATE, GO_LATE, JAVA_LATE])
def test_answers_that_one_service_missed_may_never_have_been_given(line: str) -> None:
    finding = only(burst(line))
    assert finding.verdict is Verdict.LIKELY
    assert finding.weakest_link == "web alone got no answers: its peer may have given none"


@pytest.mark.parametrize("line", [REDIS_LATE, GO_LATE, JAVA_LATE])
def test_several_services_without_answers_are_certain(line: str) -> None:
    assert only(burst(line, services=("web", "billing"))).verdict is Verdict.CERTAIN


def test_a_connection_that_broke_is_certain_of_one_service_as_well() -> None:
    assert only(burst(REDIS_LATE, REDIS_LATE, REDIS_RESET)).verdict is Verdict.CERTAIN


REDIS_REFUSED = (
    "redis.exceptions.ConnectionError: Error 111 connecting to cache-a:6379. Connection refused."
)
GO_REFUSED = "dial tcp 10.1.1.9:6379: connect: connection refused"


def alone(*lines: str, times: int = 12) -> list[NetworkHiccup]:
    """One client on one host, so many errors in turn of `lines`, half a second apart."""
    world = healthy(World())
    for number in range(times):
        world.error(HICCUP + number * 0.5, "web", lines[number % len(lines)], clock="web-1")
    found = NetworkHiccupDetector().detect(world.incident())
    return [one for one in found if isinstance(one, NetworkHiccup)]  # type: ignore[union-attr]


@pytest.mark.parametrize("line", [REDIS_REFUSED, GO_REFUSED])
def test_one_client_is_enough_where_its_peer_refuses_it_each_time(line: str) -> None:
    (finding,) = alone(line)
    assert finding.verdict is Verdict.LIKELY
    assert finding.weakest_link == "web alone was refused: no other client of that peer is read"


@pytest.mark.parametrize(
    ("lines", "times"),
    [((REDIS_REFUSED,), 9), ((REDIS_LATE,), 12), ((REDIS_REFUSED, GO_REFUSED), 24)],
    ids=["too few", "no answer, which may be its own fault", "two peers, so its own way out"],
)
def test_one_client_alone_may_be_broken_itself(lines: tuple[str, ...], times: int) -> None:
    assert not alone(*lines, times=times)
