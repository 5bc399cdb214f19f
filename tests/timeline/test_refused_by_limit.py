"""network-hiccup: a server or a pool that has no connection left has answered; it was not lost."""

from __future__ import annotations

import pytest

from timeline.detectors.network_hiccup import NetworkHiccup, NetworkHiccupDetector
from timeline.finding import NotEvaluated

from .worlds import HICCUP, World, healthy

CLIENTS = ("web", "billing", "search")
REFUSED = "connect failed: dial tcp 10.2.0.9:5432: connect: connection refused"
RESET = "read tcp 10.2.0.9:5432: read: connection reset by peer"
FULL = (
    'psycopg.OperationalError: connection to server at "10.2.0.9", port 5432 failed: FATAL:  '
    "sorry, too many clients already"
)


def found(world: World) -> list[NetworkHiccup]:
    result = NetworkHiccupDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated)
    return [finding for finding in result if isinstance(finding, NetworkHiccup)]


def told(*lines: str) -> World:
    """Every client says each of `lines` twice within seconds."""
    world = healthy(World())
    for number, client in enumerate(CLIENTS * 2):
        for place, line in enumerate(lines):
            world.error(HICCUP + number * 0.3 + place * 0.1, client, line)
    return world


@pytest.mark.parametrize(
    "line",
    [
        "MongoNetworkError: connection refused because there are too many open connections: 819",
        "PG::ConnectionBad: FATAL:  connection limit exceeded for non-superusers",
        "ConnectionRefusedError: the server answered that all 120 slots are taken",
        'ConnectionClosedByBroker: (530, "NOT_ALLOWED - node connection limit (200) is reached")',
        "ConnectionRefusedError: gave up waiting for a connection from the pool",
    ],
)
def test_a_limit_in_the_words_behind_the_class_is_an_answer(line: str) -> None:
    assert found(told(line)) == []


def test_bare_refusals_beside_a_server_that_says_it_is_full_are_the_same_story() -> None:
    assert found(told(REFUSED, FULL)) == []


def test_refusals_alone_are_a_hiccup() -> None:
    (finding,) = found(told(REFUSED))
    assert finding.errors == 6


def test_what_broke_beside_such_answers_is_counted_by_itself() -> None:
    (finding,) = found(told(REFUSED, FULL, RESET))
    assert finding.errors == 6
    assert "reset" in finding.steps[0].why


def test_refusals_of_another_peer_are_not_explained_by_it() -> None:
    (finding,) = found(told(REFUSED.replace("10.2.0.9:5432", "10.2.0.40:5672"), FULL))
    assert finding.errors == 6


def test_a_limit_that_is_only_mentioned_explains_nothing() -> None:
    (finding,) = found(told(f"{REFUSED} (pool: 4 in use, maximum connections 20)"))
    assert finding.errors == 6
