"""clock-skew where no queue keeps a stamp: who hands work over is told by structure, not by words,
and what time services and hypervisors say stands beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from timeline.detectors.clock_skew import ClockComplaint, ClockSkew, ClockSkewDetector
from timeline.event import Event, Kind, Lane
from timeline.finding import Finding, NotEvaluated
from timeline.order import Verdict

from .worlds import SECOND, World, at, healthy

SET_AT = 1000.0


def told(world: World) -> list[Finding]:
    result = ClockSkewDetector().detect(world.incident())
    return [] if isinstance(result, NotEvaluated) else list(result)


def handed(
    words: tuple[str, str, str, str], *, fast: float = 0.0, host: str = "w-2", asks: bool = False
) -> World:
    """Requests on `web-1` hand work to three workers in turn; the clock of `host` is set off by
    `fast` seconds at `SET_AT`. With `asks`, the web server only asks about work that is done."""
    world = healthy(World())
    begin, sent, taken, done = words

    def log(second: float, actor: str, body: str, clock: str) -> None:
        off = fast if clock == host and second >= SET_AT else 0.0
        world.log(second + off, actor, body)
        world.events[-1] = replace(world.events[-1], clock=clock)

    for number in range(120):
        second, worker = 10.0 + number * 16, f"w-{number % 3 + 1}"
        late = 4.0 if asks else 0.0
        log(second + late, "web", begin % number, "web-1")
        log(second + late + 0.02, "web", sent % (number, number), "web-1")
        log(second + 0.05, "packer", taken % number, worker)
        log(second + 0.6, "packer", done % number, worker)
    return world


ITALIAN = (
    "ricevuta POST /ordini request_id=r%d",
    "inviato Etichetta message_id=m%d request_id=r%d",
    "inizio Etichetta message_id=m%d",
    "fine Etichetta message_id=m%d",
)
DOTNET = (
    "Request starting POST /orders correlation_id=c%d",
    "Sent PrintLabel message_id=m%d correlation_id=c%d",
    "Dispatching PrintLabel message_id=m%d",
    "Handled PrintLabel message_id=m%d",
)
BARE = (
    "--> POST /labels trace_id=4bf92f3577b34da6a3ce929d0e0e%04d",
    "label job_id=j%d trace_id=4bf92f3577b34da6a3ce929d0e0e%04d",
    "[etykieta] job_id=j%d",
    "[etykieta] ok job_id=j%d",
)


@pytest.mark.parametrize("words", [ITALIAN, DOTNET, BARE])
def test_a_worker_that_is_set_back_is_found_in_any_language(
    words: tuple[str, str, str, str],
) -> None:
    (finding,) = told(handed(words, fast=-7.0))
    assert isinstance(finding, ClockSkew)
    assert finding.clock == "w-2"
    assert finding.high is not None and finding.high <= -6 * SECOND
    assert not finding.qualifier


@pytest.mark.parametrize("words", [ITALIAN, DOTNET, BARE])
def test_who_asks_later_about_work_hands_nothing_over(words: tuple[str, str, str, str]) -> None:
    assert told(handed(words, asks=True)) == []


@pytest.mark.parametrize("words", [ITALIAN, DOTNET, BARE])
def test_right_clocks_are_silent(words: tuple[str, str, str, str]) -> None:
    assert told(handed(words)) == []


def sign(world: World, second: float, actor: str, body: str, clock: str, severity: int) -> None:
    world.log(second, actor, body, severity=severity)
    world.events[-1] = replace(world.events[-1], clock=clock)


def test_a_front_that_runs_ahead_may_be_lines_that_were_written_late() -> None:
    (finding,) = told(handed(DOTNET, fast=7.0, host="web-1"))
    assert finding.qualifier


def test_unless_its_own_time_service_says_that_nobody_keeps_it() -> None:
    world = handed(DOTNET, fast=7.0, host="web-1")
    sign(world, SET_AT - 40, "chronyd", "Can't synchronise: no selectable sources", "web-1", 13)
    (finding,) = told(world)
    assert isinstance(finding, ClockSkew)
    assert not finding.qualifier
    assert finding.verdict is not Verdict.POSSIBLE


LOST = (
    ("chronyd", "Can't synchronise: no selectable sources"),
    ("systemd-timesyncd", "Timed out waiting for reply from 10.0.0.5:123 (10.0.0.5)."),
    ("ntpd", "kernel reports TIME_ERROR: 0x41: Clock Unsynchronized"),
)


@pytest.mark.parametrize("lost", LOST)
def test_signs_of_two_kinds_about_one_clock_are_a_claim(lost: tuple[str, str]) -> None:
    world = handed(DOTNET)
    sign(world, SET_AT, *lost, "db-1", 13)
    words = "clocksource: timekeeping watchdog on CPU3: Marking clocksource 'tsc' as unstable"
    sign(world, SET_AT + 30, "kernel", words, "db-1", 13)
    (finding,) = told(world)
    assert isinstance(finding, ClockComplaint)
    assert finding.verdict is Verdict.POSSIBLE and not finding.qualifier
    assert "db-1" in finding.sentence() and "db-1" in finding.next_action


def test_a_machine_that_was_moved_without_its_time_service_is_a_claim() -> None:
    world = handed(DOTNET)
    sign(world, SET_AT - 40, *LOST[0], "w-3", 13)
    moved = "vMotion: w-3 live migrated to esx-07"
    world.events.append(
        Event(at(SET_AT), "vcenter", Lane.CHANGE, Kind.CHANGE, moved, "task-71", actor="vcenter")
    )
    (finding,) = told(world)
    assert isinstance(finding, ClockComplaint) and finding.clock == "w-3"


def lost_for_a_while(world: World) -> None:
    for second in (400, 900):
        sign(world, second, *LOST[0], "w-3", 13)


def moved_with_a_kept_clock(world: World) -> None:
    moved = "live migration of w-3 to hv-07 finished"
    world.events.append(Event(at(SET_AT), "vcenter", Lane.CHANGE, Kind.CHANGE, moved, "task-71"))


def two_machines(world: World) -> None:
    sign(world, SET_AT, *LOST[0], "w-3", 13)
    words = "clocksource: Marking clocksource 'tsc' as unstable"
    sign(world, SET_AT + 30, "kernel", words, "db-1", 13)


def another_kind_of_servers(world: World) -> None:
    for second in (500, 510, 520):
        sign(world, second, "catalog", "no reachable servers: mongodb", "db-1", 13)


@pytest.mark.parametrize(
    "confuser", [lost_for_a_while, moved_with_a_kept_clock, two_machines, another_kind_of_servers]
)
def test_one_kind_of_sign_is_no_claim(confuser: Callable[[World], None]) -> None:
    world = handed(DOTNET)
    confuser(world)
    assert [one for one in told(world) if not one.qualifier] == []
