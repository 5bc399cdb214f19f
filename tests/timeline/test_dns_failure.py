"""dns-failure: names, resolvers, slow lookups, and the look-alikes that must stay silent."""

from __future__ import annotations

import random

import pytest

from tests.timeline.worlds import World, healthy
from timeline.analysis import analyse
from timeline.batch import batch_of
from timeline.clock import ClockBound
from timeline.detectors.dns_failure import DnsFailure, DnsFailureDetector, SlowLookups
from timeline.detectors.network_hiccup import NetworkHiccupDetector
from timeline.finding import Detector, Finding, NotEvaluated
from timeline.incident import Incident
from timeline.order import Verdict

PYTHON = (
    "redis.exceptions.ConnectionError: Error -3 connecting to {name}:6379. "
    "Temporary failure in name resolution."
)
GO = "dial tcp: lookup {name} on 10.96.0.10:53: server misbehaving"
NODE = "Error: getaddrinfo EAI_AGAIN {name}"
LIBPQ = 'could not translate host name "{name}" to address: Name or service not known'


def told(incident: Incident) -> list[Finding]:
    found = DnsFailureDetector().detect(incident)
    assert not isinstance(found, NotEvaluated)
    return list(found)


def only(world: World) -> DnsFailure:
    (finding,) = told(world.incident())
    assert isinstance(finding, DnsFailure)
    return finding


def resolver_down(world: World, at: float = 1440.0) -> World:
    """Three services in three languages, three names, forty seconds."""
    world = healthy(world)
    for step in range(5):
        second = at + step * 8
        world.error(second, "web", PYTHON.format(name="redis.shop.internal"))
        world.error(second + 1, "stock", GO.format(name="orders-db.shop.internal"))
        world.error(second + 2, "mailer", NODE.format(name="smtp.example.net"))
    return world


def test_a_resolver_that_does_not_answer() -> None:
    finding = only(resolver_down(World()))
    assert finding.verdict is Verdict.CERTAIN
    assert finding.scope == "resolver"
    assert finding.errors == 15 and finding.missing == 0
    assert set(finding.services) == {"web", "stock", "mailer"}
    assert "smtp.example.net" in finding.names and len(finding.names) == 3
    assert finding.resolvers == ("10.96.0.10",)
    assert "without a usable answer" in finding.sentence()
    assert "10.96.0.10" in finding.would_decide[0]


def test_one_name_that_is_gone() -> None:
    world = healthy(World())
    for step in range(6):
        world.error(1500 + step * 5, "billing", LIBPQ.format(name="ledger-db"))
    finding = only(world)
    assert finding.scope == "name" and finding.missing == 6
    assert finding.names == ("ledger-db",)
    assert "ledger-db" in finding.next_action


def test_one_host_that_resolves_nothing() -> None:
    world = healthy(World())
    for step in range(4):
        world.error(1500 + step * 3, "api", GO.format(name=f"peer-{step}.corp"), clock="node-7")
    assert only(world).scope == "host"


@pytest.mark.parametrize(
    "body", [LIBPQ.format(name="old-reporting"), NODE.format(name="telemetry")]
)
def test_a_steadily_bad_name_is_silent(body: str) -> None:
    world = healthy(World())
    for second in range(10, 2100, 12):
        world.error(float(second), "exporter", body)
    assert told(world.incident()) == []


def test_a_bad_name_that_is_asked_for_now_and_then_is_silent() -> None:
    for seed in range(12):
        dice, second = random.Random(seed), 5.0
        world = healthy(World())
        while second < 2095:
            world.error(second, "exporter", LIBPQ.format(name="old-reporting"))
            second += dice.uniform(20, 50)
        assert told(world.incident()) == []


def test_search_domain_noise_below_a_warning_is_silent() -> None:
    world = healthy(World())
    for step in range(6):
        body = "lookup printer.local: no such host, trying next search domain"
        world.log(1500 + step, "web", body, severity=5)
    assert told(world.incident()) == []


def test_other_network_errors_are_not_its_business() -> None:
    world = healthy(World())
    for step in range(6):
        world.error(1500 + step, "web", "connect ECONNREFUSED 10.0.0.5:6379")
    assert told(world.incident()) == []


def test_a_single_failed_lookup_is_silent() -> None:
    world = healthy(World())
    world.error(1500, "web", NODE.format(name="smtp.example.net"))
    assert told(world.incident()) == []


@pytest.mark.parametrize("seconds", [2.52, 5.03])
def test_connections_that_took_the_resolvers_wait(seconds: float) -> None:
    world = healthy(World())
    for step in range(5):
        wait = seconds + step * 0.01
        body = f"slow call: connect took {wait * 1000:.0f} ms, total {wait * 1000 + 30:.0f} ms"
        world.log(1500 + step * 7, "web", body, severity=13)
    (finding,) = told(world.incident())
    assert isinstance(finding, SlowLookups)
    assert finding.verdict is Verdict.POSSIBLE
    assert finding.slow == 5 and finding.waits == (round(seconds / 2.5) * 2_500_000_000,)


def test_slow_connections_without_a_step_are_silent() -> None:
    world = healthy(World())
    for step in range(8):
        body = f"slow call: connect took {1200 + step * 430} ms"
        world.log(1500 + step * 7, "web", body, severity=13)
    assert told(world.incident()) == []


def test_a_five_second_timeout_is_an_error_and_no_slow_lookup() -> None:
    world = healthy(World())
    for step in range(5):
        world.log(1500 + step * 7, "web", "connect timed out after 5 s to db:5432", severity=13)
    assert told(world.incident()) == []


def test_it_is_one_story_with_the_burst() -> None:
    """The same errors are a burst, too; both findings stand in one chain."""
    detectors: list[Detector] = [DnsFailureDetector(), NetworkHiccupDetector()]
    world = healthy(World())
    for step in range(12):
        world.error(1440 + step, "web", PYTHON.format(name="redis.shop.internal"))
        world.error(1440.5 + step, "stock", GO.format(name="orders-db.shop.internal"))
    analysis = analyse(world.incident(), detectors)
    assert {finding.term for finding in analysis.findings} == {"dns-failure", "network-hiccup"}
    assert len(analysis.chains) == 1


def test_without_logs_it_is_not_evaluated() -> None:
    world = World()
    world.row(100, "users", 7)
    assert isinstance(DnsFailureDetector().detect(world.incident()), NotEvaluated)


def test_order_of_arrival_and_unrelated_lines_change_nothing() -> None:
    first = only(resolver_down(World()))
    world = resolver_down(World())
    batches = world.batches()
    mixed = []
    for batch in batches:
        events = [event for event in world.events if event.source == batch.source]
        random.Random(7).shuffle(events)
        half = len(events) // 2
        for part in (events[:half], events[half:]):
            mixed.append(batch_of(batch.source, part))
    for batch in batches:
        mixed.append(batch)
    random.Random(3).shuffle(mixed)
    (again,) = told(world.incident(mixed))
    assert again == first
    noisy = resolver_down(World())
    for step in range(50):
        noisy.log(30.0 + step * 40, "gardener", f"watered bed {step}")
    assert only(noisy).sentence() == first.sentence()


def test_a_shift_moves_times_alone() -> None:
    first = only(resolver_down(World()))
    moved = only(resolver_down(World(shift=3_600_000_000_000)))
    assert moved.began - first.began == 3_600_000_000_000
    assert (moved.errors, moved.names, moved.verdict) == (first.errors, first.names, first.verdict)


def test_wider_clocks_never_make_it_surer() -> None:
    first = only(resolver_down(World()))
    wide = only(resolver_down(World(bound=ClockBound(5_000_000_000, 5_000_000_000))))
    order = list(Verdict)
    assert order.index(wide.verdict) >= order.index(first.verdict)
