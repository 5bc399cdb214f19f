"""A worker whose transaction is never ended misses every newer row: no race, an old snapshot."""

from __future__ import annotations

from timeline.detectors.job_before_commit import JobBeforeCommitDetector
from timeline.detectors.stale_read import STILL, StaleRead, StaleReadDetector
from timeline.event import Kind
from timeline.finding import Finding, NotEvaluated
from timeline.order import Verdict

from .worlds import World, early_job, healthy

WHEN = 1500.0
NEW = range(20, 26)


def ask(world: World) -> tuple[list[Finding], list[Finding]]:
    """What is told of races and of stale reads."""
    told = []
    for detector in (JobBeforeCommitDetector(), StaleReadDetector()):
        result = detector.detect(world.incident())
        assert not isinstance(result, NotEvaluated), result.sentence()
        told.append(list(result))
    return told[0], told[1]


def misses(world: World, user: int, seconds: float) -> None:
    """The sign-up is answered; then its job is asked for, begins, and does not find the row."""
    told, job = f"request_id=r{user}", f"j{user}"
    world.log(seconds, "web", f"POST /signups started {told} user_id={user}")
    world.row(seconds + 0.002, "users", user)
    world.log(seconds + 0.01, "web", f"POST /signups 201 {told}")
    args = f"user_id={user}"
    world.job(seconds + 0.2, Kind.JOB_ENQUEUED, job, args, status="failed")
    world.job(seconds + 0.25, Kind.JOB_STARTED, job, args, status="failed")
    text = f"LookupError: User {user} not found"
    world.error(seconds + 0.26, "mailer", f"welcome_mail job_id={job}: {text}")
    world.job(seconds + 0.261, Kind.JOB_FAILED, job, args, status="failed", error=text)


def standing_still(world: World) -> World:
    """Mails of older users were sent by the same worker."""
    for number, user in enumerate(NEW):
        misses(world, user, WHEN + 10 * number)
    return world


def test_rows_written_since_an_instant_are_missed_as_in_one_old_transaction() -> None:
    races, stale = ask(standing_still(healthy(World(), until=WHEN)))
    assert [one.verdict for one in races] == [Verdict.POSSIBLE]
    (finding,) = stale
    assert isinstance(finding, StaleRead)
    assert (finding.verdict, finding.sign, len(finding.cases)) == (
        Verdict.POSSIBLE,
        STILL,
        len(NEW),
    )
    assert "mailer found 100 older rows and none that was written from 02:25:00" in (
        finding.sentence()
    )


def test_races_with_the_commit_stay_races() -> None:
    world = healthy(World(), until=WHEN)
    for number, user in enumerate(NEW):
        early_job(world, user, WHEN + 10 * number)
    races, stale = ask(world)
    assert [one.verdict for one in races] == [Verdict.CERTAIN]
    assert stale == []


def test_a_worker_that_finds_a_newer_row_reads_the_present() -> None:
    races, stale = ask(standing_still(healthy(World())))
    assert all(one.verdict is not Verdict.POSSIBLE for one in races)
    assert stale == []
