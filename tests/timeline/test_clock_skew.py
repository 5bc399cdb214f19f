"""clock-skew: what ids prove of clocks, what it changes, and the look-alikes to be silent on."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest

from tests.timeline.worlds import CLOSED, HICCUP, SECOND, TIGHT, World, at, healthy, shop
from timeline.analysis import analyse
from timeline.clock import ClockBound, ClockTable
from timeline.detectors.clock_skew import ClockComplaint, ClockSkew, ClockSkewDetector
from timeline.detectors.job_before_commit import JobBeforeCommitDetector
from timeline.detectors.network_hiccup import NetworkHiccupDetector
from timeline.event import Kind
from timeline.facts.causal_pairs import (
    CALL_ARRIVES,
    CALL_RETURNS,
    LINE_BEFORE_END,
    PUSHED_BEFORE_LINE,
    PUSHED_FIRST,
    causal_pairs,
)
from timeline.finding import Finding, NotEvaluated, Stage, to_json
from timeline.incident import Incident
from timeline.order import Verdict

ASSUMED = ClockBound()


def told(incident: Incident) -> list[Finding]:
    found = ClockSkewDetector().detect(incident)
    assert not isinstance(found, NotEvaluated)
    return list(found)


def only(incident: Incident) -> ClockSkew:
    (finding,) = told(incident)
    assert isinstance(finding, ClockSkew)
    return finding


def clocked(world: World, source: str, by: float, clock: str = "") -> World:
    """The same night with one source's stamps `by` seconds fast."""
    world.events = [
        replace(event, timestamp=event.timestamp + round(by * SECOND))
        if event.source == source and (not clock or event.clock == clock)
        else event
        for event in world.events
    ]
    return world


def calls(world: World, *, fast: float = 0.0, count: int = 30, spread: float = 0.02) -> World:
    """The shop front asks stock under one request id; stock's clock runs `fast` seconds fast."""
    dice = random.Random(11)
    for number in range(count):
        second, took = 20.0 + number * 40, 0.05 + dice.random() * spread
        request = f"request_id=c{number}"
        world.log(second, "front", f"Started GET /basket {request}", clock="front-1")
        world.log(second + 0.004, "front", f"calling http://stock:8080/left {request}")
        world.events[-1] = replace(world.events[-1], clock="front-1")
        there = second + 0.005 + fast
        world.log(there, "stock", f"received GET /left {request}", clock="stock-3")
        world.log(there + took, "stock", f"GET /left 200 {request}", clock="stock-3")
        world.log(second + took + 0.01, "front", f"GET /basket 200 {request}", clock="front-1")
    return world


def hosts(world: World, *, fast: float = 0.0, count: int = 40) -> World:
    """Jobs of one queue on two hosts; the clock of `w-2` runs `fast` seconds fast."""
    for number in range(count):
        host = "w-1" if number % 2 else "w-2"
        off = fast if host == "w-2" else 0.0
        second, job = 20.0 + number * 30, f"j{number}"
        world.job(second, Kind.JOB_ENQUEUED, job, clock="client?")
        world.job(second + 0.02 + off, Kind.JOB_STARTED, job, worker=host, clock=host)
        world.job(second + 0.5 + off, Kind.JOB_FINISHED, job, worker=host, clock=host)
    return world


def test_a_healthy_night_and_the_shops_story_are_silent() -> None:
    for world in (healthy(World()), shop(), calls(World()), hosts(World())):
        assert told(world.incident()) == []


@pytest.mark.parametrize("fast", [2.5, -2.5])
def test_who_says_that_it_pushed_is_measured(fast: float) -> None:
    """A request begins, pushes its job and says so: the web server's clock on both sides."""
    world = World()
    for number in range(30):
        second, names = 20.0 + number * 40, f"request_id=p{number} job_id=j{number}"
        world.log(second + fast, "web", f"Started POST /orders request_id=p{number}")
        world.run(f"j{number}", f"order_id={number}", second + 0.01, second + 0.03, second + 0.2)
        world.log(second + 0.02 + fast, "web", f"Enqueued invoice {names}")
    finding = only(world.incident())
    assert {finding.clock, finding.against} == {"web.log", "rq"}
    assert finding.low is not None and finding.high is not None
    sign = 1 if finding.clock == "web.log" else -1
    assert finding.low <= sign * fast * SECOND <= finding.high


def test_a_request_that_only_asks_about_a_job_gives_no_pair() -> None:
    world = World()
    for number in range(30):
        second = 20.0 + number * 40
        world.run(f"j{number}", f"order_id={number}", second, second + 0.03, second + 0.2)
        world.log(second + 0.05, "mailer", f"start job_id=j{number}")
        world.log(second + 9, "web", f"Started GET /status request_id=p{number}")
        world.log(second + 9.1, "web", f"job_id=j{number} is finished request_id=p{number}")
    assert told(world.incident()) == []


def test_pairs_come_from_ids_and_know_their_direction() -> None:
    pairs = causal_pairs(calls(hosts(healthy(World()))).incident())
    ways = {
        (how, sender, receiver)
        for how, sender, receiver in pairs.select("how", "sender", "receiver").iter_rows()
    }
    assert (PUSHED_FIRST, "client?", "w-2") in ways
    assert (PUSHED_BEFORE_LINE, "rq", "mailer.log") in ways
    assert (LINE_BEFORE_END, "mailer.log", "rq") in ways
    assert (CALL_ARRIVES, "front-1", "stock-3") in ways
    assert (CALL_RETURNS, "stock-3", "front-1") in ways
    assert not {("stock-3", "front-1")} & {w[1:] for w in ways if w[0] == CALL_ARRIVES}


@pytest.mark.parametrize("fast", [1.8, -1.8, 0.4, -12.5])
def test_jobs_and_their_logs_measure_a_clock(fast: float) -> None:
    finding = only(clocked(healthy(World()), "mailer.log", fast).incident())
    assert finding.verdict is Verdict.CERTAIN
    assert finding.clock == "mailer.log" and finding.against == "rq"
    assert finding.low is not None and finding.high is not None
    assert finding.low <= fast * SECOND <= finding.high
    assert finding.high - finding.low < 100_000_000
    assert ("ahead of" if fast > 0 else "behind") in finding.sentence()
    assert finding.zone == 0 and not finding.qualifier


@pytest.mark.parametrize("fast", [-2.0, 3.0])
def test_calls_measure_a_clock(fast: float) -> None:
    finding = only(calls(World(), fast=fast).incident())
    assert {finding.clock, finding.against} == {"front-1", "stock-3"}
    assert finding.low is not None and finding.high is not None
    sign = 1 if finding.clock == "stock-3" else -1
    assert finding.low <= sign * fast * SECOND <= finding.high


def test_the_host_that_others_contradict_is_named() -> None:
    finding = only(calls(hosts(World(), fast=-3.0)).incident())
    assert "w-2" in (finding.clock, *finding.doubted)
    assert finding.verdict is Verdict.LIKELY  # some client pushed
    assert "some client" in finding.weakest_link


@pytest.mark.parametrize("changed", [700.0, 1_300.0])
def test_a_clock_that_was_set_tells_when(changed: float) -> None:
    """Right until somebody sets it 4 s forward, in the middle of the night."""
    world = healthy(World())
    world.events = [
        replace(event, timestamp=event.timestamp + 4 * SECOND)
        if event.source == "mailer.log" and event.timestamp >= at(changed)
        else event
        for event in world.events
    ]
    finding = only(world.incident())
    assert not finding.steady and finding.verdict is Verdict.LIKELY
    assert finding.set_between is not None
    first, last = finding.set_between
    assert first < at(changed) + 35 * SECOND and last > at(changed) - 35 * SECOND
    assert last - first < 60 * SECOND
    assert "It changed between" in finding.sentence()
    bound = finding.bounds["mailer.log"]
    assert bound.behind >= 4 * SECOND and bound.ahead >= 0


@pytest.mark.parametrize(("hours", "words"), [(2, "2 h"), (-5.5, "5 h 30 min"), (0.25, "15 min")])
def test_a_time_zone_is_no_skew(hours: float, words: str) -> None:
    finding = only(clocked(healthy(World()), "mailer.log", hours * 3_600).incident())
    assert finding.zone == round(hours * 3_600) * SECOND
    assert words in finding.sentence() and "a time zone and not skew" in finding.sentence()
    assert "time zone" in finding.next_action


def test_a_difference_within_the_bounds_only_colours() -> None:
    world = clocked(healthy(World(bound=ASSUMED)), "mailer.log", -0.2)
    finding = only(world.incident())
    assert finding.qualifier and not finding.bounds
    assert only(clocked(healthy(World()), "mailer.log", -0.2).incident()).bounds


def test_stage_and_keys_leave_the_other_findings_alone() -> None:
    finding = only(clocked(healthy(World()), "mailer.log", 1.8).incident())
    assert finding.stage is Stage.SIGHT and finding.keys == ()


def test_a_retried_job_gives_no_pair() -> None:
    """Its push is the last one, its start the first: ten minutes apart, and no clock is wrong."""
    world = hosts(World())
    for number in range(12):
        job, second = f"again{number}", 900.0 + number
        world.job(second, Kind.JOB_STARTED, job, worker="w-1", clock="w-1")
        world.job(second + 1, Kind.JOB_RETRIED, job, worker="w-1", clock="w-1")
        world.job(second + 600, Kind.JOB_ENQUEUED, job, clock="client?")
    assert told(world.incident()) == []


def test_a_failed_job_that_was_pushed_again_gives_no_pair() -> None:
    world = hosts(World())
    for number in range(12):
        job, second = f"again{number}", 900.0 + number
        world.job(second, Kind.JOB_STARTED, job, worker="w-1", clock="w-1")
        world.job(second + 1, Kind.JOB_FAILED, job, worker="w-1", clock="w-1")
        world.job(second + 600, Kind.JOB_ENQUEUED, job, clock="client?")
    assert told(world.incident()) == []


def test_two_wrong_matches_among_many_are_silent() -> None:
    world = hosts(World())
    for number in range(2):
        world.job(900.0, Kind.JOB_STARTED, f"odd{number}", worker="w-1", clock="w-1")
        world.job(1500.0, Kind.JOB_ENQUEUED, f"odd{number}", clock="client?")
    assert told(world.incident()) == []


def test_services_that_follow_each_other_under_one_id_are_silent() -> None:
    """Two parts of one request, neither of which names the other: no call, no containment."""
    world = healthy(World())
    for number in range(40):
        second, request = 20.0 + number * 30, f"request_id=s{number}"
        world.log(second, "cart", f"Started POST /cart {request}")
        world.log(second + 0.1, "cart", f"POST /cart 200 {request}")
        world.log(second + 0.3, "tax", f"Started GET /tax {request}")
        world.log(second + 0.35, "tax", f"GET /tax 200 {request}")
    assert told(world.incident()) == []


def test_a_caller_that_logs_only_afterwards_is_silent() -> None:
    """Its first line stands after the call, so it is no beginning."""
    world = healthy(World())
    for number in range(40):
        second, request = 20.0 + number * 30, f"request_id=s{number}"
        world.log(second, "tax", f"received GET /tax {request}")
        world.log(second + 0.9, "tax", f"GET /tax 200 {request}")
        world.log(second + 0.91, "cart", f"call to tax took 900 ms {request}")
        world.log(second + 0.92, "cart", f"POST /cart 200 {request}")
    assert told(world.incident()) == []


def test_jobs_that_wait_long_are_silent() -> None:
    world = World()
    for number in range(40):
        second, job = 20.0 + number * 30, f"j{number}"
        world.job(second, Kind.JOB_ENQUEUED, job, clock="client?")
        world.job(second + 200, Kind.JOB_STARTED, job, worker="w-1", clock="w-1")
    assert told(world.incident()) == []


def test_lines_that_are_written_late_only_colour() -> None:
    """A buffer that is written out up to a second late, on one host; its clock is right."""
    dice = random.Random(4)
    world = World()
    for number in range(60):
        second, late = 20.0 + number * 30, dice.random()
        start = f"Started POST /orders request_id=p{number}"
        world.log(second + late, "web", start)
        world.run(f"j{number}", "", second + 0.01, second + 0.03, second + 0.2)
        said = f"Enqueued invoice request_id=p{number} job_id=j{number}"
        world.log(second + 0.02 + dice.random(), "web", said)
    finding = only(world.incident())
    assert finding.qualifier and finding.verdict is Verdict.POSSIBLE
    assert "written out late" in finding.weakest_link


def test_programs_that_complain_raise_it() -> None:
    few = hosts(World(), fast=-3.0, count=10)
    assert only(few.incident()).signs == 0
    body = "Substantial drift from celery@w-2 may mean clocks are out of sync. Drift is 3 seconds."
    few.log(700, "celery", body, severity=13, clock="w-2")
    finding = only(few.incident())
    assert finding.signs == 1
    assert any(step.role == "complaint" for step in finding.steps)


def test_complaints_alone_are_possible_and_colour() -> None:
    world = healthy(World())
    for step in range(3):
        body = "jwt.exceptions.ImmatureSignatureError: The token is not yet valid (iat)"
        world.error(1000 + step, "web", body)
    (finding,) = told(world.incident())
    assert isinstance(finding, ClockComplaint)
    assert finding.qualifier and finding.verdict is Verdict.POSSIBLE
    single = healthy(World())
    single.error(1000, "web", "certificate is not yet valid")
    assert told(single.incident()) == []


def test_one_clock_has_nothing_to_be_compared_with() -> None:
    world = World()
    world.log(10, "web", "hello")
    assert isinstance(ClockSkewDetector().detect(world.incident()), NotEvaluated)


def test_wider_bounds_never_upgrade_it() -> None:
    order = list(Verdict)
    grades = []
    for by in (1_000_000, 250_000_000, 2_000_000_000, 20_000_000_000):
        world = clocked(healthy(World(bound=ClockBound(by, by))), "mailer.log", -1.8)
        finding = only(world.incident())
        grades.append((finding.qualifier, order.index(finding.verdict)))
    assert grades == sorted(grades)


def test_arrival_shift_and_unrelated_lines_change_nothing() -> None:
    first = only(clocked(healthy(World()), "mailer.log", 1.8).incident())
    world = clocked(healthy(World()), "mailer.log", 1.8)
    batches = world.batches()
    random.Random(2).shuffle(batches)
    assert only(world.incident(batches)) == first
    noisy = clocked(healthy(World()), "mailer.log", 1.8)
    for step in range(60):
        noisy.log(20.0 + step * 30, "gardener", f"watered bed {step}")
    assert only(noisy.incident()).sentence() == first.sentence()
    moved = only(clocked(healthy(World(shift=86_400 * SECOND)), "mailer.log", 1.8).incident())
    assert moved.sentence() == first.sentence()
    assert moved.began - first.began == 86_400 * SECOND


def test_what_used_the_clock_is_graded_again() -> None:
    """A burst over several hosts is certain by their declared clocks, until one is proved wrong."""
    world = shop()
    world.error(HICCUP + 0.5, "mailer", CLOSED)
    burst = NetworkHiccupDetector()
    skewed = clocked(world, "mailer.log", 6.0).incident()
    assert [finding.verdict for finding in analyse(skewed, [burst]).findings] == [Verdict.CERTAIN]
    analysis = analyse(skewed, [ClockSkewDetector(), burst])
    grades = {finding.term: finding.verdict for finding in analysis.findings}
    assert grades == {"network-hiccup": Verdict.POSSIBLE, "clock-skew": Verdict.CERTAIN}
    (finding,) = (one for one in analysis.findings if isinstance(one, ClockSkew))
    assert [flip.words() for flip in finding.flipped] == ["network-hiccup: certain → possible"]
    assert "network-hiccup: certain → possible" in finding.sentence()
    assert to_json(finding.flipped) == [
        {"term": "network-hiccup", "before": "certain", "after": "possible"}
    ]


def test_stamps_stay_as_they_are() -> None:
    incident = clocked(shop(), "mailer.log", 9.0).incident()
    stamps = incident.snapshot.events.get_column("timestamp").to_list()
    analyse(incident, [ClockSkewDetector(), JobBeforeCommitDetector()])
    assert incident.snapshot.events.get_column("timestamp").to_list() == stamps
    assert incident.clocks == ClockTable(assumed=TIGHT)


def test_evidence_is_the_pair_that_sets_the_limit() -> None:
    finding = only(clocked(healthy(World()), "mailer.log", -1.8).incident())
    cause, effect = finding.steps[:2]
    assert cause.event.timestamp > effect.event.timestamp
    assert set(cause.event.keys) & set(effect.event.keys)
    assert effect.order is not None and effect.order.verdict is not None
    evidence = json.loads(json.dumps(finding.evidence()))
    assert evidence["bounds"]["mailer.log"]["how"] == "from shared ids"


def relayed(*, fast: float = 0.0, own: bool = False, count: int = 60) -> World:
    """A broker that keeps nothing: the shop sends, one of two consumers takes up; `c-2` is off.

    With `own` the second service has a request of its own for it: it may be the one that began.
    """
    world = World()
    for number in range(count):
        second, host = 20.0 + number * 30, f"c-{1 + number % 2}"
        off = fast if host == "c-2" else 0.0
        request = f"request_id=r{number}"
        beside = f" request_id=own{number}" if own else ""
        world.log(second, "shop", f'POST "/leases" {request}', clock="s-1")
        world.log(second + 0.02, "shop", f"gesendet message_id=m{number} {request}", clock="s-1")
        words = f"handling message_id=m{number}{beside}"
        world.log(second + 0.2 + off, "consumer", words, clock=host)
        world.log(
            second + 0.5 + off, "consumer", f"handled message_id=m{number}{beside}", clock=host
        )
    return world


def test_work_that_no_queue_remembers_measures_a_clock_too() -> None:
    finding = only(relayed(fast=-3.0).incident())
    assert finding.clock == "c-2" and not finding.qualifier
    assert finding.high is not None and finding.high < -2.5 * SECOND


def test_relayed_work_in_time_or_under_requests_of_its_own_says_nothing() -> None:
    for world in (relayed(), relayed(fast=3.0), relayed(fast=-3.0, own=True)):
        result = ClockSkewDetector().detect(world.incident())
        assert isinstance(result, NotEvaluated) or not result


def test_a_worker_that_names_the_job_it_puts_back_is_no_clock() -> None:
    """The line is seconds before the push, with the id that the message will have."""
    world = healthy(World())
    for number in range(8):
        second, job = 120.0 + number * 200, f"baton{number}"
        world.log(second, "mailer", f"returning message job_id={job}", clock="mailer.log")
        world.run(job, "", second + 4, second + 60, second + 60.3)
        world.log(second + 60.1, "mailer", f"not due yet job_id={job}", clock="mailer.log")
    assert told(world.incident()) == []
