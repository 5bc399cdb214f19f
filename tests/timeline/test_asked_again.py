"""re-press: a request that somebody had given up on is made again; lines that begin anew."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from timeline.detectors.asked_again import AskedAgain
from timeline.detectors.re_press import RePressDetector
from timeline.finding import Finding, NotEvaluated
from timeline.order import Verdict

from .worlds import World, healthy

FIRST = 900.0


def found(world: World) -> Sequence[Finding]:
    result = RePressDetector().detect(world.incident())
    return [] if isinstance(result, NotEvaluated) else result


def asked(world: World, lines: Sequence[str], every: float = 85.0) -> World:
    for place, line in enumerate(lines):
        world.log(FIRST + (every + 7 * place) * place, "edge", line, source="edge-access")
    return world


@pytest.mark.parametrize(
    "lines",
    [
        [
            f'10.0.0.7 "POST /periods/2026-03/close HTTP/1.1" {code} 0 60.0'
            for code in (504, 504, 201)
        ],
        [f"PUT /api/imports/771/start -> {code} in 30001 ms" for code in (499, 200)],
        [f'{{"request":"POST /accounts/55/merge","status":{code}}}' for code in (524, 408, 200)],
    ],
)
def test_it_is_asked_for_again_after_a_time_out(lines: list[str]) -> None:
    (finding,) = found(asked(healthy(World()), lines))
    assert isinstance(finding, AskedAgain)
    assert finding.verdict is Verdict.POSSIBLE
    assert finding.given_up == len(lines) - 1
    assert len(finding.times) == len(lines)


@pytest.mark.parametrize(
    "lines",
    [
        ['"POST /periods/close HTTP/1.1" 504 0 60.0', '"POST /periods/close HTTP/1.1" 201 0 9.0'],
        ['"POST /periods/7/close HTTP/1.1" 422 0 0.1', '"POST /periods/7/close HTTP/1.1" 201 0 1'],
        ['"GET /periods/7/report HTTP/1.1" 504 0 60.0', '"GET /periods/7/report HTTP/1.1" 200 0 9'],
        ['"POST /periods/7/close HTTP/1.1" 504 0 60.0', '"POST /periods/8/close HTTP/1.1" 201 0 9'],
    ],
    ids=["a path of many", "refused", "reads", "another one"],
)
def test_other_requests_are_silent(lines: list[str]) -> None:
    assert not found(asked(healthy(World()), lines))


def test_much_later_it_is_another_operation() -> None:
    lines = [
        '"POST /periods/7/close HTTP/1.1" 504 0 60',
        '"POST /periods/7/close HTTP/1.1" 201 0 9',
    ]
    assert not found(asked(healthy(World()), lines, every=700.0))


def export(world: World, begin: float, accounts: Sequence[int], words: str) -> World:
    for place, account in enumerate(accounts):
        world.log(begin + 0.5 * place, "exporter", words.format(account))
    return world


@pytest.mark.parametrize(
    "words",
    ["exported ledger={} rows=40", "wrote feed for branch={}, 3 files", "cell='{}' archived"],
)
def test_lines_without_a_known_key_tell_that_it_was_begun_anew(words: str) -> None:
    world = healthy(World())
    accounts = [7000 + 13 * n % 997 for n in range(90)]
    accounts[40] = accounts[12]  # some come twice within one pass
    export(world, FIRST, accounts[:30], words)
    export(world, FIRST + 60, accounts[:55], words)
    export(world, FIRST + 140, accounts, words)
    (finding,) = found(world)
    assert finding.verdict is Verdict.LIKELY
    assert finding.term == "re-press"


def test_two_full_rounds_at_a_schedules_distance_are_silent() -> None:
    world = healthy(World())
    for begin in (FIRST, FIRST + 600):
        export(world, begin, range(7000, 7060), "exported ledger={} rows=40")
    assert not found(world)
