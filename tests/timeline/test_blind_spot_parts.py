"""blind-spot in a part of what somebody says: one host, the ordinary lines, one service's share of
the requests, the records of a source that was read in part."""

from __future__ import annotations

import random

import pytest

from timeline.coverage import Coverage, Sight
from timeline.detectors.blind_spot import BlindSpot, BlindSpotDetector
from timeline.event import Kind
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World, at

FROM, TO = 1200.0, 1800.0


def found(world: World) -> list[BlindSpot]:
    result = BlindSpotDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated)
    return [finding for finding in result if isinstance(finding, BlindSpot)]


def claims(world: World) -> list[BlindSpot]:
    return [one for one in found(world) if not one.qualifier]


# -- one host of several ---------------------------------------------------------------------------

HOSTS = ("web-7f9c-a1", "web-7f9c-b2", "web-7f9c-c3")
NAMING = (
    "127.0.0.1:51234 https-in~ web/{host} 0/0/1/30/31 200 812 - - ---- 41/40/3/1/0 0/0",
    '{{"upstream":"{host}:8080","status":200,"path":"/orders"}}',
    "forwarded GET /orders to {host}, answered in 31 ms",
)


def balanced(naming: str, *, silent: str = HOSTS[1], named_until: float = 2100) -> World:
    """Three hosts of one service behind a balancer; `silent` writes nothing for ten minutes."""
    rng, world, seconds = random.Random(4), World(), 3.0
    while seconds < 2095:
        host = rng.choice(HOSTS)
        if not (host == silent and FROM < seconds < TO):
            world.log(seconds, "web", f"served in {rng.randrange(90)} ms", clock=host)
        if host != silent or seconds < named_until or seconds > TO:
            world.log(seconds + 0.01, "lb", naming.format(host=host), clock="lb-1")
        seconds += rng.expovariate(1.2)
    return world


@pytest.mark.parametrize("naming", NAMING)
def test_one_host_of_several_that_others_name_as_before(naming: str) -> None:
    (finding,) = claims(balanced(naming))
    assert (finding.actor, finding.variant) == (HOSTS[1], "silent")
    assert finding.verdict is Verdict.LIKELY
    assert abs(finding.began - at(FROM)) < 20e9 and abs(finding.ended - at(TO)) < 20e9


def test_one_host_that_nobody_names_any_more_is_gone() -> None:
    assert claims(balanced(NAMING[0], named_until=FROM)) == []


def test_hosts_that_speak_in_turn_are_silent_about_nothing() -> None:
    assert claims(balanced(NAMING[0], silent="")) == []


# -- ordinary lines --------------------------------------------------------------------------------


def turned_down(*, warned: bool = True, asked: bool = True, until: float = 2100) -> World:
    """A service that writes no ordinary line from 1200 s on; a proxy tells of its calls."""
    rng, world, seconds = random.Random(9), World(), 3.0
    while seconds < 2095:
        quiet = FROM < seconds < until
        if not quiet:
            world.log(seconds, "pricing", f"priced {rng.randrange(99)} lines")
        if asked or not quiet:
            line = f'"GET /internal HTTP/2" 200 pricing:8080 {rng.randrange(90)}'
            world.log(seconds + 0.01, "envoy", line)
        if warned and rng.random() < 0.05:
            world.log(seconds + 0.02, "pricing", "slow statement", severity=13)
        seconds += rng.expovariate(0.5)
    return world


@pytest.mark.parametrize("until", [1500.0, 1800.0, 2100.0])
def test_a_service_that_writes_warnings_only_while_it_is_asked_as_before(until: float) -> None:
    (finding,) = claims(turned_down(until=until))
    assert finding.variant == "ordinary" and finding.actor == "pricing"
    assert "warnings" in finding.sentence() and finding.verdict is Verdict.LIKELY


def test_a_service_that_nobody_asks_any_more_has_nothing_ordinary_to_say() -> None:
    assert claims(turned_down(asked=False)) == []


def test_who_speaks_of_failures_alone_says_nothing_by_silence() -> None:
    world = World()
    for second in range(5, 2100, 7):
        world.run(f"j{second}", f"user_id={second}", second, second + 0.1, second + 0.5)
        if second < FROM and second % 3 == 0:
            words = f"could not serialize access job_id=j{second}"
            world.log(second + 0.2, "postgresql", words, severity=17)
    assert claims(world) == []


# -- requests of others ----------------------------------------------------------------------------

SPELT = ("request_id={rid}", '"requestId":"{rid}"', "trace_id={rid}")


def asked(spelt: str, *, share: float = 0.3, errors: bool = False, lost: bool = True) -> World:
    """A front whose requests another service serves in part, under whatever name of their id."""
    rng, world, seconds = random.Random(2), World(), 2.0
    while seconds < 2095:
        rid = f"{rng.getrandbits(48):012x}"
        inside = FROM < seconds < TO
        world.log(seconds, "front", f"begin GET / request_id={rid}")
        if rng.random() < share and not (lost and inside):
            world.log(seconds + 0.01, "ledger", f"looked up {spelt.format(rid=rid)}")
        if errors and inside and rng.random() < 0.3:
            words = f"connect ECONNREFUSED ledger:8080 request_id={rid}"
            world.error(seconds + 0.02, "front", words)
        world.log(seconds + 0.03, "front", f"end 200 request_id={rid}")
        seconds += rng.expovariate(0.9)
    return world


@pytest.mark.parametrize("spelt", SPELT)
def test_a_service_that_is_in_none_of_the_requests_it_has_its_share_of(spelt: str) -> None:
    (finding,) = claims(asked(spelt))
    assert finding.actor == "ledger" and finding.verdict is Verdict.LIKELY
    assert "requests of others" in finding.sentence()


@pytest.mark.parametrize(
    "world",
    [asked(SPELT[0], errors=True), asked(SPELT[0], lost=False), asked(SPELT[0], share=0.02)],
)
def test_a_service_that_is_gone_or_seldom_asked_is_no_blind_spot(world: World) -> None:
    assert claims(world) == []


# -- a source of records that was read in part -----------------------------------------------------


def cut(sight: Sight, *, rows: int = 200, later: bool = False, source: str = "postgres") -> World:
    world = World()
    world.log(1, "web", "started")
    for number in range(rows):
        second = 5 + number * FROM / rows
        world.row(second, "orders", number, source=source)
    if later:
        world.row(FROM + 300, "orders", rows, source=source)
    end = at(world.end)
    world.weak.append(Coverage(source, at(FROM), end, sight, "replayed up to 02:20:00", "Ask it."))
    return world


@pytest.mark.parametrize("sight", [Sight.PARTIAL, Sight.BLIND])
@pytest.mark.parametrize("source", ["postgres", "shop-db"])
def test_records_that_end_where_the_source_says_so(sight: Sight, source: str) -> None:
    (finding,) = claims(cut(sight, source=source))
    assert (finding.variant, finding.verdict) == ("short", Verdict.CERTAIN)
    assert finding.source == source and finding.next_action == "Ask it."


@pytest.mark.parametrize(
    "world",
    [
        cut(Sight.PARTIAL, later=True),  # it tells of that time, too
        cut(Sight.PARTIAL, rows=6),  # it never told much
        cut(Sight.NOW_ONLY),  # how databases are always read
    ],
)
def test_a_remark_about_a_source_is_no_hole_in_it(world: World) -> None:
    assert claims(world) == []


def test_jobs_of_a_queue_count_as_records() -> None:
    world = World()
    world.log(1, "web", "started")
    for number in range(150):
        world.job(5 + number * 7, Kind.JOB_FINISHED, f"j{number}")
    world.weak.append(Coverage("rq", at(1100), at(world.end), Sight.PARTIAL, "scan was cut", ""))
    (finding,) = claims(world)
    assert finding.variant == "short" and finding.source == "rq"
