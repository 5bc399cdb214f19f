"""dns-failure by the resolver's own word, where no client tells of it."""

from __future__ import annotations

import pytest

from timeline.detectors.dns_failure import DnsFailure, DnsFailureDetector
from timeline.detectors.dns_resolver import ResolverFailing
from timeline.finding import Finding, NotEvaluated
from timeline.order import Verdict

from .worlds import World, healthy

NAME = "api.paygate.example"
LINES = (
    (
        "coredns",
        "[ERROR] plugin/errors: 2 {name}. A: read udp 10.2.0.9:4412->10.0.0.2:53: i/o timeout",
    ),
    (
        "unbound",
        "error: SERVFAIL <{name}. A IN>: all the configured stub or forward servers failed",
    ),
    ("named", "timed out resolving '{name}/A/IN': 10.0.0.2#53"),
    ("systemd-resolved", "Using degraded feature set UDP instead of UDP+EDNS0 for 10.0.0.2."),
)


def told(world: World) -> list[Finding]:
    found = DnsFailureDetector().detect(world.incident())
    assert not isinstance(found, NotEvaluated)
    return list(found)


def mute(who: str, words: str, count: int = 30, every: float = 4.0, first: float = 1200) -> World:
    world = healthy(World())
    for second in range(0, 2100, 30):
        world.log(second, who, "cache: 812 entries", severity=0)
    for number in range(count):
        world.log(first + number * every, who, words.format(name=NAME), severity=0)
    return world


@pytest.mark.parametrize(("who", "words"), LINES)
def test_a_resolver_that_says_that_it_gets_no_answer(who: str, words: str) -> None:
    (finding,) = told(mute(who, words))
    assert isinstance(finding, ResolverFailing) and finding.verdict is Verdict.LIKELY
    assert finding.queries == 30 and who in finding.sentence().lower()


def test_its_names_are_told() -> None:
    (finding,) = told(mute(*LINES[0]))
    assert isinstance(finding, ResolverFailing) and finding.names == (NAME,)


def test_what_a_client_says_is_told_instead() -> None:
    world = mute(*LINES[0])
    for step in range(6):
        world.error(1210 + step, "web", f"Error: getaddrinfo EAI_AGAIN {NAME}")
    assert all(isinstance(one, DnsFailure) for one in told(world))


@pytest.mark.parametrize(
    "world",
    [
        mute(*LINES[0], count=6),  # every night's
        mute(*LINES[0], count=68, every=30.0, first=5.0),  # a name that is bad all the time
        mute("coredns", '"A IN {name}. udp 51 false 512" NXDOMAIN qr,rd,ra 51 0.0004s'),
        mute("checkout", "payment SERVFAIL: i/o timeout {name}"),  # no resolver
    ],
)
def test_what_is_no_mute_resolver(world: World) -> None:
    assert not [one for one in told(world) if isinstance(one, ResolverFailing)]
