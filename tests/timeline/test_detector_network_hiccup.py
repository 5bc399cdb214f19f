"""network-hiccup: what is a shared burst, when it began, what was in flight, what stays silent."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from timeline.clock import ClockBound
from timeline.coverage import CoverageMap
from timeline.detectors.network_hiccup import NetworkHiccup, NetworkHiccupDetector
from timeline.event import Kind
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import (
    CLOSED,
    HICCUP,
    SECOND,
    TIMEOUT,
    World,
    at,
    failed_push,
    healthy,
    shop,
)


def found(world: World) -> list[NetworkHiccup]:
    result = NetworkHiccupDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated)
    return [finding for finding in result if isinstance(finding, NetworkHiccup)]


def only(world: World) -> NetworkHiccup:
    (finding,) = found(world)
    return finding


def burst(
    world: World, line: str, services: tuple[str, ...] = ("web", "billing", "search")
) -> World:
    """Three services say `line` twice each within two seconds."""
    for number, service in enumerate(services * 2):
        world.error(HICCUP + number * 0.3, service, line)
    return world


def test_shop_loses_redis_for_certain() -> None:
    finding = only(shop())
    assert finding.verdict is Verdict.CERTAIN
    assert (finding.peer, finding.system) == ("redis:6379", "redis")
    assert set(finding.services) == {"web", "billing", "search"}
    assert finding.errors == 7
    assert finding.control_windows >= 19
    assert not finding.qualifier
    assert "redis:6379" in finding.sentence()


def test_operations_in_flight_are_those_that_overlapped_most_ambiguous_first() -> None:
    finding = only(shop())
    told = [(flight.id, flight.outcome) for flight in finding.in_flight]
    assert told[:2] == [("request:r4711", "unknown"), ("request:r4715", "unknown")]
    assert ("request:r4716", "not executed") in told
    assert ("job:j4715", "completed") in told
    assert finding.ambiguous == 2
    assert set(finding.keys) == {"request:r4711", "request:r4715"}


def test_fault_began_when_the_first_failing_call_was_sent_not_when_it_gave_up() -> None:
    finding = only(shop())
    sent, gave_up = at(HICCUP + 0.005), at(HICCUP + 0.9)
    assert sent <= finding.fault_from <= sent + SECOND // 5
    assert finding.fault_from < gave_up
    assert "about 1.0 s" in finding.bounded_by


@pytest.mark.parametrize(
    ("line", "waited"),
    [
        ("redis.exceptions.TimeoutError: Timeout reading from redis:6379 after 1.5 s", 1.5),
        ("Redis::TimeoutError: Connection timed out (waited 750 ms)", 0.75),
        (
            "ReadTimeout: HTTPConnectionPool(host='a', port=80): Read timed out. (read timeout=2)",
            2.0,
        ),
        ("AxiosError: timeout of 1000ms exceeded", 1.0),
    ],
)
def test_a_stated_timeout_is_believed_exactly(line: str, waited: float) -> None:
    finding = only(burst(healthy(World()), line))
    assert finding.fault_from == at(HICCUP) - round(waited * SECOND)
    assert "says that it waited" in finding.bounded_by


def test_without_any_hint_the_fault_is_only_known_from_its_first_error() -> None:
    finding = only(burst(healthy(World()), CLOSED))
    assert finding.fault_from == at(HICCUP)
    assert "not known" in finding.bounded_by


def test_a_request_that_waited_the_fault_out_and_succeeded_was_in_flight() -> None:
    world = shop()
    world.log(HICCUP + 0.4, "web", "GET /cart started request_id=slow")
    world.log(HICCUP + 2.3, "web", "GET /cart 200 request_id=slow")
    world.log(HICCUP - 3.0, "web", "GET /cart started request_id=early")
    world.log(HICCUP - 2.5, "web", "GET /cart 200 request_id=early")
    flights = {flight.id: flight.outcome for flight in only(world).in_flight}
    assert flights["request:slow"] == "completed"
    assert "request:early" not in flights


def test_a_job_that_nobody_saw_end_is_only_possibly_in_flight() -> None:
    world = shop()
    before = only(world).possibly_in_flight
    world.job(HICCUP - 60, Kind.JOB_STARTED, "stuck", "user_id=9", status="started")
    finding = only(world)
    assert "job:stuck" not in {flight.id for flight in finding.in_flight}
    assert finding.possibly_in_flight == before + 1


def test_on_another_clock_an_overlap_must_exceed_both_bounds() -> None:
    def world(bound_ms: int) -> World:
        told = shop(bound=ClockBound(bound_ms * 1_000_000, bound_ms * 1_000_000))
        told.job(HICCUP + 1.9, Kind.JOB_STARTED, "edge", "user_id=9")
        told.job(HICCUP + 2.2, Kind.JOB_FINISHED, "edge", "user_id=9")
        return told

    assert "job:edge" in {flight.id for flight in only(world(10)).in_flight}
    assert "job:edge" not in {flight.id for flight in only(world(400)).in_flight}


def test_a_timeout_ends_the_fault_where_others_were_answered_meanwhile() -> None:
    """A connection that stays dead for five seconds does not prove a fault of five seconds."""
    world = healthy(World())
    failed_push(world, 4711, HICCUP, waited=5.0)
    failed_push(world, 4715, HICCUP + 0.1, waited=5.0)
    for service in ("billing", "search"):
        world.error(HICCUP + 0.5, service, CLOSED)
    world.run("between", "user_id=8", HICCUP + 2.0, HICCUP + 2.1, HICCUP + 2.2)
    world.log(HICCUP + 3.5, "web", "GET /later started request_id=later")
    world.log(HICCUP + 3.6, "web", "GET /later 200 request_id=later")
    assert "request:later" not in {flight.id for flight in only(world).in_flight}


@pytest.mark.parametrize(
    "line",
    [
        "Redis::CannotConnectError: Error connecting to Redis on redis:6379 (Errno::ECONNREFUSED)",
        "java.net.SocketTimeoutException: Read timed out",
        "Error: read ECONNRESET",
        "dial tcp 10.0.0.7:5432: connect: connection refused",
        "getaddrinfo EAI_AGAIN db.internal",
        "psycopg.OperationalError: server closed the connection unexpectedly",
    ],
)
def test_any_clients_wording_counts(line: str) -> None:
    finding = only(burst(healthy(World()), line))
    assert finding.errors == 6
    assert finding.verdict is Verdict.CERTAIN


def one_noisy_client(world: World) -> None:
    for number in range(40):
        world.error(HICCUP + number * 0.1, "web", CLOSED)


def steady_noise(world: World) -> None:
    for number in range(700):
        world.error(3 * number, ("web", "billing")[number % 2], CLOSED)


def idle_resets(world: World) -> None:
    for number in range(12):
        world.error(100 + number * 150, ("web", "billing", "search")[number % 3], "read ECONNRESET")


def one_error_shipped_many_times(world: World) -> None:
    for copy in range(6):
        world.error(HICCUP, "web", CLOSED, source=f"shipper-{copy}")
        world.error(HICCUP + 1, "billing", CLOSED, source=f"shipper-{copy}")


def bursts_as_usual(world: World) -> None:
    for number in range(20):
        for service in ("web", "billing", "search"):
            world.error(60 + number * 95, service, CLOSED)


def harmless_talk(world: World) -> None:
    for service in ("web", "billing", "search"):
        world.log(HICCUP, service, "connection pool timeout set to 5s")
        world.log(HICCUP + 1, service, "closed 3 idle connections to redis:6379")


@pytest.mark.parametrize(
    "confuser",
    [
        one_noisy_client,
        steady_noise,
        idle_resets,
        one_error_shipped_many_times,
        bursts_as_usual,
        harmless_talk,
    ],
)
def test_confusers_stay_silent(confuser: Callable[[World], None]) -> None:
    world = healthy(World())
    confuser(world)
    assert found(world) == []


def test_a_rolling_restart_is_only_a_qualifier() -> None:
    world = healthy(World())
    for number, service in enumerate(("web", "billing", "search")):
        world.log(HICCUP + number, service, "received SIGTERM, shutting down gracefully")
        world.error(HICCUP + number + 0.2, service, CLOSED)
        world.error(HICCUP + number + 0.4, service, CLOSED)
    finding = only(world)
    assert finding.qualifier
    assert "announced" in finding.weakest_link


def test_a_database_that_closes_on_purpose_is_only_a_qualifier() -> None:
    line = "psycopg.errors.AdminShutdown: terminating connection due to administrator command"
    assert only(burst(healthy(World()), line)).qualifier


def test_a_peer_that_crashed_and_came_back_is_no_planned_stop() -> None:
    world = burst(healthy(World()), CLOSED)
    world.log(HICCUP + 5, "redis", "Ready to accept connections tcp")
    assert not only(world).qualifier


def test_a_deploy_beside_it_is_an_alternative_not_an_excuse() -> None:
    world = burst(healthy(World()), CLOSED)
    world.change(HICCUP - 10, "web v412 deployed")
    finding = only(world)
    assert not finding.qualifier
    assert any("web v412" in words for words in finding.alternatives)


def test_without_coverage_control_windows_prove_nothing() -> None:
    incident = shop().incident()
    object.__setattr__(incident.snapshot, "coverage", CoverageMap())
    (finding,) = NetworkHiccupDetector().detect(incident)  # type: ignore[misc]
    assert isinstance(finding, NetworkHiccup)
    assert finding.verdict is Verdict.LIKELY
    assert "control window" in finding.weakest_link


def test_an_outage_that_fills_half_the_window_does_not_pass_for_routine() -> None:
    world = healthy(World())
    for number in range(500):
        world.error(1000 + number * 2, ("web", "billing")[number % 2], CLOSED)
    finding = only(world)
    assert finding.errors == 500


def test_two_peers_at_once_point_at_the_clients_side() -> None:
    world = healthy(World())
    for number, peer in enumerate(("redis:6379", "db:5432", "stock:9092")):
        for service in ("web", "billing"):
            line = f"dial tcp {peer}: i/o timeout"
            world.error(HICCUP + number * 0.2, service, line, clock="node-7")
    finding = only(world)
    assert finding.scope == "every path out of node-7"


def test_needs_logs() -> None:
    world = World()
    world.row(3, "users", 1)
    result = NetworkHiccupDetector().detect(world.incident())
    assert isinstance(result, NotEvaluated)
    assert "logs" in result.needs


def test_steps_are_events_with_their_order() -> None:
    finding = only(shop())
    assert finding.steps[0].order is None
    assert all(step.order is not None for step in finding.steps[1:])
    assert finding.steps[-1].role == "last failure"
    assert TIMEOUT.split(":", 1)[0] in " ".join(step.event.body for step in finding.steps)


def trickle(world: World, *, count: int) -> World:
    """Three clients drop idle connections within four seconds, as others do all night."""
    for number in range(14):
        world.error(60 + number * 95.0, f"svc-{number % 5}", f"{CLOSED} (cache-{number % 3}:11211)")
    for number in range(count):
        world.error(HICCUP + number * 0.3, f"svc-{number % 3}", f"{CLOSED} (db-{number % 4}:5432)")
    return world


@pytest.mark.parametrize(("count", "verdict"), [(3, Verdict.POSSIBLE), (9, Verdict.CERTAIN)])
def test_three_of_many_that_meet_by_chance_are_only_possible(count: int, verdict: Verdict) -> None:
    finding = only(trickle(healthy(World()), count=count))
    assert finding.verdict is verdict
    assert ("by chance" in finding.weakest_link or "chance brings" in finding.weakest_link) == (
        verdict is Verdict.POSSIBLE
    )
