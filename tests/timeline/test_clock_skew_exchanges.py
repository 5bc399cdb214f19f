"""clock-skew by calls that lie outside whoever made them, and what only looks like it."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from timeline.asking import ask_all
from timeline.clock import ClockBound
from timeline.detectors.clock_skew import ClockSkewDetector
from timeline.detectors.clock_skew_exchanges import SkewByCalls
from timeline.order import Verdict

from .worlds import SECOND, World, at

ONSET = 1200.0
Shift = Callable[[float, str], tuple[float, float]]
"""By when the call was made and where it is served: how much later its two lines are stamped."""


def found(world: World) -> list[SkewByCalls]:
    findings = ask_all(world.incident(), [ClockSkewDetector()]).findings
    return [one for one in findings if isinstance(one, SkewByCalls)]


def off(by: float, host: str = "back-1", since: float = ONSET) -> Shift:
    """The clock of `host` runs `by` seconds ahead since then."""
    return lambda when, where: (by, by) if where == host and when >= since else (0.0, 0.0)


def calls(shift: Shift, *, hosts: int = 2, every: float = 11.0, until: float = 1780.0) -> World:
    """A front asks one of `hosts` back hosts all the time; both write two lines of each call."""
    world, chance = World(), random.Random(7)
    for place in range(int((until - 20) / every)):
        when, took = 20 + place * every, 0.05 + chance.random() * 0.3
        front, back = f"front-{place % 3}", f"back-{1 + place % hosts}"
        one, two = shift(when, back)
        rid = f"request_id=q{place:06d}"
        world.log(when, "front", f"GET /things {rid}", clock=front)
        world.log(when + took * 0.1 + one, "back", f"GET /things {rid}", clock=back)
        world.log(when + took * 0.8 + two, "back", f"200 after {took:.3f} s {rid}", clock=back)
        world.log(when + took, "front", f"200 {rid}", clock=front)
    return world


@pytest.mark.parametrize("by", [-3.0, 4.0])
def test_one_host_whose_calls_lie_outside_their_callers_by_a_constant(by: float) -> None:
    (finding,) = found(calls(off(by)))
    assert finding.verdict is Verdict.LIKELY
    assert finding.clock == "back-1"
    assert finding.low <= by * SECOND <= finding.high
    assert (finding.low > 0) == (by > 0)
    assert at(ONSET) <= finding.began <= at(ONSET + 40)
    assert finding.agreed_until is not None and finding.agreed_until < at(ONSET)
    assert "back-1" in finding.better_clocks()
    assert ("ahead of" if by > 0 else "behind") in finding.sentence()


def test_a_host_without_siblings_is_compared_with_itself_before() -> None:
    (finding,) = found(calls(off(-3.0), hosts=1))
    assert (finding.clock, finding.verdict) == ("back-1", Verdict.LIKELY)


def test_a_caller_that_writes_the_id_once_is_closed_by_its_job() -> None:
    world, chance = World(), random.Random(7)
    for place in range(90):
        when, took = 20 + place * 19.0, 0.3 + chance.random()
        back = f"back-{1 + place % 2}"
        late = 5.0 if back == "back-1" and when >= ONSET else 0.0
        job, rid = f"job_id=j{place:06d}", f"request_id=q{place:06d}"
        world.log(when, "worker", f"begin {job}", clock="worker-1")
        world.log(when + 0.1 * took, "worker", f"POST /entries {job} {rid}", clock="worker-1")
        world.log(when + 0.2 * took + late, "back", f"POST /entries {rid}", clock=back)
        world.log(when + 0.7 * took + late, "back", f"201 {rid}", clock=back)
        world.log(when + took, "worker", f"done {job}", clock="worker-1")
    (finding,) = found(world)
    assert (finding.clock, finding.verdict) == ("back-1", Verdict.LIKELY)
    assert finding.low > 0


def spread(when: float, where: str) -> tuple[float, float]:
    """Lines of one host that are stamped when a buffer is written out."""
    late = random.Random(f"{when}/{where}")
    late_by = sorted((late.random() * 4, late.random() * 4))
    return (late_by[0], late_by[1]) if where == "back-1" and when >= ONSET else (0.0, 0.0)


def everywhere(when: float, _where: str) -> tuple[float, float]:
    """Since a release nobody waits for this work any more: it begins two seconds later."""
    return (2.0, 2.0) if when >= ONSET else (0.0, 0.0)


def queued(when: float, where: str) -> tuple[float, float]:
    """One host is slow to take calls: a spread, never the same twice."""
    wait = random.Random(f"{when}").random() * 5
    return (wait, wait) if where == "back-1" and when >= ONSET else (0.0, 0.0)


@pytest.mark.parametrize("shift", [off(0.0), off(0.03), spread, everywhere, queued])
def test_what_is_no_constant_of_one_host_stays_silent(shift: Shift) -> None:
    assert found(calls(shift)) == []


def test_a_difference_that_the_bounds_allow_is_only_possible() -> None:
    world = calls(off(3.0))
    world.bound = ClockBound(2 * SECOND, 2 * SECOND, "declared")
    (finding,) = found(world)
    assert finding.verdict is Verdict.POSSIBLE
    assert not finding.better_clocks()


def test_a_few_calls_are_only_possible() -> None:
    (finding,) = found(calls(off(-3.0, since=1680.0)))
    assert finding.displaced < 6
    assert finding.verdict is Verdict.POSSIBLE


def test_two_hosts_that_nobody_else_knows_leave_open_which_is_wrong() -> None:
    world = calls(off(-3.0), hosts=1)
    alone = World()
    for event in world.events:
        host = "front-0" if event.actor == "front" else event.clock
        said = (event.timestamp - at(0)) / SECOND
        alone.log(said, event.actor, event.body, clock=host)
    (finding,) = found(alone)
    assert {finding.clock, finding.doubted} == {"front-0", "back-1"}
    assert "either may be the wrong one" in finding.sentence()
