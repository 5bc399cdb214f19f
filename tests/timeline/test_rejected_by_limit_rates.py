"""rejected-by-limit for a rate: whom a limit hit, and since when."""

from __future__ import annotations

import random

import pytest

from timeline.detectors.limited_rates import RateLimited
from timeline.detectors.rejected_by_limit import RejectedByLimitDetector
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World, healthy

SINCE = 1200.0
BALANCER = "10.20.0.7"
SHARED = "172.19.4.4"


def found(world: World) -> list[RateLimited]:
    result = RejectedByLimitDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated)
    return [one for one in result if isinstance(one, RateLimited)]


def refused(world: World, second: float, client: str, how: str = "limiting requests") -> None:
    words = (
        f'31#31: *88 {how}, excess: 9.120 by zone "login", client: {client}, server: www.example,'
        ' request: "POST /session HTTP/2.0", host: "www.example"'
    )
    world.log(second, "nginx", words, severity=17, source="nginx-error")


def access(world: World, second: float, client: str, status: int) -> None:
    words = f'{client} - "POST /session HTTP/2.0" {status} 312 rt=0.010 request_id=r{second:.0f}'
    world.log(second, "nginx", words, source="nginx-access")


def outside(number: int) -> str:
    return f"93.184.{number % 200}.{number % 250}"


def night(
    client: str = "",
    *,
    since: float = SINCE,
    how: str = "limiting requests",
    words: bool = True,
    status: int = 429,
    denser: int = 1,
) -> World:
    """Log-ins from all over; from `since` on two of three are refused. Without a `client` those
    hit are many."""
    world, rng = healthy(World()), random.Random(3)
    for number in range(180):
        second = 20 + 11.0 * number
        late = second >= since
        for press in range(denser if late else 1):
            stamp = second + press
            asker = (client or outside(number)) if late else outside(number)
            over = late and rng.random() < 0.67
            access(world, stamp, asker, status if over else 200)
            if over and words:
                refused(world, stamp, asker, how)
    return world


@pytest.mark.parametrize("client", [BALANCER, SHARED])
@pytest.mark.parametrize("status", [429, 503])
def test_everybody_is_taken_for_one_address_inside(client: str, status: int) -> None:
    (finding,) = found(night(client, status=status))
    assert finding.verdict is Verdict.LIKELY
    assert (finding.service, finding.route, finding.client) == ("nginx", "/session", client)
    assert finding.before > 50
    assert finding.statuses == (status,)
    assert len(finding.keys) == finding.failures
    assert f"one address inside, {client}" in finding.sentence()
    assert finding.sentence().startswith("Nginx refused")
    assert len(finding.sentence()) <= 225


def test_many_addresses_and_no_more_requests_than_before() -> None:
    (finding,) = found(night())
    assert finding.verdict is Verdict.LIKELY
    assert (finding.client, finding.clients > 5) == ("", True)


def test_more_requests_than_before_may_have_met_it_rightly() -> None:
    (finding,) = found(night(denser=4))
    assert finding.verdict is Verdict.POSSIBLE


def test_the_status_alone_says_less() -> None:
    (finding,) = found(night(BALANCER, words=False))
    assert finding.verdict is Verdict.POSSIBLE


def test_one_outside_address_is_what_limits_are_for() -> None:
    assert not found(night("93.184.216.34"))


def test_a_limit_that_works_all_night() -> None:
    assert not found(night(BALANCER, since=0.0))


@pytest.mark.parametrize("how", ["delaying request", "limiting requests, dry run"])
def test_who_was_only_delayed_was_not_refused(how: str) -> None:
    assert not found(night(BALANCER, how=how, status=200))


def test_the_limit_of_an_outside_host_is_not_ones_own() -> None:
    world = healthy(World())
    for number in range(40):
        words = f"rate limit exceeded calling https://api.paygate.example/v1 from {BALANCER}"
        world.log(SINCE + 5 * number, "billing", words, severity=17)
    assert not found(world)
