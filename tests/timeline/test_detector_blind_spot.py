"""blind-spot: silence against proof of work, and the silence that means nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from timeline.detectors.blind_spot import BlindSpot, BlindSpotDetector
from timeline.event import Kind
from timeline.facts.sight import absence, covered_until
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World, at, healthy

QUIET_FROM, QUIET_TO = 1200.0, 1500.0


def found(world: World) -> list[BlindSpot]:
    result = BlindSpotDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated)
    return [finding for finding in result if isinstance(finding, BlindSpot)]


def chatty(world: World, actor: str, *, until: float = 2100, silent: bool = False) -> None:
    """`actor` says something every two seconds, but for the quiet stretch when `silent`."""
    for number in range(int(until / 2)):
        seconds = number * 2.0
        if not (silent and QUIET_FROM < seconds < QUIET_TO):
            world.log(seconds, actor, f"tick {number}")


def test_a_worker_silent_while_the_queue_shows_its_jobs() -> None:
    world = World()
    chatty(world, "mailer", silent=True)
    world.run("j1", "user_id=1", 1300, 1301, 1302, worker="mailer")
    (finding,) = found(world)
    assert (finding.variant, finding.verdict) == ("silent", Verdict.CERTAIN)
    assert finding.actor == "mailer"
    assert at(QUIET_FROM) <= finding.began < finding.ended <= at(QUIET_TO)
    assert not finding.qualifier


def test_the_only_worker_is_proved_by_any_job() -> None:
    world = World()
    chatty(world, "mailer", silent=True)
    world.log(100, "mailer", "start job_id=j0 user_id=1")
    world.run("j1", "user_id=1", 1300, 1301, 1302, worker="f3a9")
    assert [finding.verdict for finding in found(world)] == [Verdict.CERTAIN]


def test_others_who_speak_of_it_make_it_likely() -> None:
    world = World()
    chatty(world, "mailer", silent=True)
    chatty(world, "web")
    world.log(1301, "web", "POST http://mailer/send 200 in 12 ms")
    (finding,) = found(world)
    assert finding.verdict is Verdict.LIKELY


def test_a_sibling_that_goes_on_only_qualifies() -> None:
    world = World()
    chatty(world, "web-1", silent=True)
    chatty(world, "web-2")
    (finding,) = found(world)
    assert (finding.verdict, finding.qualifier) == (Verdict.POSSIBLE, True)


def test_a_silence_to_the_end_is_lagging() -> None:
    world = World()
    chatty(world, "mailer", until=1600)
    world.run("j1", "user_id=1", 1900, 1901, 1902, worker="mailer")
    (finding,) = found(world)
    assert finding.variant == "lagging"
    assert finding.ended == at(2100)


def test_an_expected_service_without_a_line_was_never_here() -> None:
    world = healthy(World(expected=("web", "mailer-us-east")))
    (finding,) = [told for told in found(world) if told.variant == "never-present"]
    assert finding.actor == "mailer-us-east"
    assert finding.verdict is Verdict.CERTAIN


def test_a_worker_without_logs_among_workers_with_logs() -> None:
    world = World()
    world.log(1, "worker-1", "ready")
    for name in ("worker-1", "worker-2"):
        world.run(name, "user_id=1", 10, 11, 12, worker=name)
    assert [told.actor for told in found(world)] == ["worker-2"]


def test_workers_named_otherwise_than_logs_are_not_missing() -> None:
    world = World()
    world.log(1, "mailer", "ready")
    world.run("j", "user_id=1", 10, 11, 12, worker="9f3b2c77d1e84f0f")
    assert found(world) == []


def test_a_log_that_was_cut_at_t_qualifies() -> None:
    world = healthy(World())
    world.blind("web.log", 1700, 2105)
    (finding,) = found(world)
    assert (finding.variant, finding.qualifier, finding.source) == ("partial", True, "web.log")


def idle_service(world: World) -> None:
    chatty(world, "web")
    for number in range(4):
        world.log(number * 500, "nightly", "nothing to do")


def service_that_stopped_being_called(world: World) -> None:
    chatty(world, "web")
    chatty(world, "reports", until=1200)


def short_pause(world: World) -> None:
    for number in range(1050):
        if not 600 <= number < 620:
            world.log(number * 2.0, "mailer", f"tick {number}")
    world.run("j1", "user_id=1", 1210, 1211, 1212, worker="mailer")


def service_that_is_down_and_complained_about(world: World) -> None:
    chatty(world, "stock", silent=True)
    chatty(world, "web")
    line = "POST http://stock/reserve failed: Connection refused"
    world.error(1301, "web", line)


@pytest.mark.parametrize(
    "confuser",
    [
        idle_service,
        service_that_stopped_being_called,
        short_pause,
        service_that_is_down_and_complained_about,
    ],
)
def test_confusers_stay_silent(confuser: Callable[[World], None]) -> None:
    world = World()
    confuser(world)
    assert found(world) == []


def test_needs_logs() -> None:
    world = World()
    world.row(1, "users", 1)
    assert isinstance(BlindSpotDetector().detect(world.incident()), NotEvaluated)


def test_absence_needs_a_source() -> None:
    gone = absence(healthy(World()).incident(), (), at(0), at(100))
    assert gone.verdict is Verdict.POSSIBLE
    assert gone.reasons


def test_absence_is_certain_only_under_full_coverage() -> None:
    world = healthy(World())
    assert absence(world.incident(), ("rq", "web.log"), at(0), at(100)).verdict is Verdict.CERTAIN
    world.blind("rq", 50, 60)
    gone = absence(world.incident(), ("rq", "web.log"), at(0), at(100))
    assert gone.verdict is Verdict.POSSIBLE
    assert gone.reasons == ("rq: it was cut",)


def test_absence_is_weakened_by_a_silence_of_the_source() -> None:
    world = World()
    chatty(world, "mailer", silent=True)
    world.job(1301, Kind.JOB_STARTED, "j1", "user_id=1", worker="mailer")
    incident = world.incident()
    assert absence(incident, ("mailer.log",), at(0), at(100)).verdict is Verdict.CERTAIN
    assert absence(incident, ("mailer.log",), at(1300), at(1400)).verdict is Verdict.POSSIBLE


def test_covered_until_stops_at_the_first_hole() -> None:
    world = healthy(World())
    world.blind("web.log", 500, 600)
    incident = world.incident()
    assert covered_until(incident, ("web.log",), at(100)) == at(500)
    assert covered_until(incident, ("web.log",), at(550)) == at(550)
    assert covered_until(incident, ("web.log", "rq"), at(700)) == at(2105)


def a_worker_with_a_hole(*, names: bool) -> World:
    """A lone worker that runs a job each ten seconds and pauses for half a minute now and then;
    five minutes of its lines are missing, during which its queue shows it at work."""
    world = World()
    for number in range(150):
        busy = 10 + number * 10 + 20 * (number // 5)
        name, host = f"n{number}", "kiln-1"
        world.run(name, "", busy, busy + 0.1, busy + 1, worker="kiln")
        if not 900 < busy < 1110:
            told = f" job_id={name}" if names or number < 3 else ""
            world.log(busy + 0.2, "kiln", f"firing{told}", source="kiln.log", clock=host)
            world.log(busy + 0.9, "kiln", f"fired{told}", source="kiln.log", clock=host)
    return world


@pytest.mark.parametrize(("names", "told"), [(True, 1), (False, 0)])
def test_a_shorter_hole_counts_where_the_jobs_in_it_are_named_elsewhere(
    names: bool, told: int
) -> None:
    result = BlindSpotDetector().detect(a_worker_with_a_hole(names=names).incident())
    assert not isinstance(result, NotEvaluated)
    silent = [one for one in result if isinstance(one, BlindSpot) and one.actor == "kiln"]
    assert len(silent) == told
    assert all(one.verdict is Verdict.CERTAIN for one in silent)


def passed_over(world: World, told: bool) -> World:
    """A worker whose lines name every mail, and of a tidying job each one or none."""
    chatty(world, "mailer", silent=True)
    for number in range(20):
        start, kind = 20.0 + 50 * number, ("mail", "tidy")[number % 2]
        job, thing = f"j{number}", f"user_id={number}"
        world.run(job, thing, start - 1, start, start + 1, job_class=kind, worker="mailer")
        if kind == "mail" or told:
            world.log(start, "mailer", f"begun job_id={job} {thing}")
    world.run("j99", "user_id=99", 1300, 1301, 1302, job_class="tidy", worker="mailer")
    return world


def test_a_job_of_which_its_worker_never_speaks_proves_no_silence() -> None:
    assert found(passed_over(World(), told=False)) == []


def test_a_job_of_which_it_speaks_at_other_times_does() -> None:
    (finding,) = found(passed_over(World(), told=True))
    assert finding.verdict is Verdict.CERTAIN
