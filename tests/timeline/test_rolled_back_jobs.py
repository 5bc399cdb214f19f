"""swallowed-error by a job whose transaction was rolled back and that ended as done."""

from __future__ import annotations

import pytest

from timeline.detectors.rolled_back_jobs import RolledBackJobs
from timeline.detectors.swallowed_error import SwallowedErrorDetector
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World, healthy

FIRST = 1200.0
BACK = (
    ("TRANSACTION (0.3ms)  ROLLBACK", "TRANSACTION (0.3ms)  COMMIT"),
    ("sqlalchemy.engine.Engine ROLLBACK", "sqlalchemy.engine.Engine COMMIT"),
    ("Rolled back transaction [1]", "Committed transaction [1]"),
    ("ecto: rollback []", "ecto: commit []"),
)


def found(world: World) -> list[RolledBackJobs]:
    result = SwallowedErrorDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated), result.needs
    return [one for one in result if isinstance(one, RolledBackJobs)]


def night(
    said: tuple[str, ...] = BACK[0][:1],
    others: str = BACK[0][1],
    *,
    effect: bool = False,
    rows: bool = True,
    warned: bool = False,
    by_queue: bool = True,
) -> World:
    """Jobs that end well; six of them say `said` in the middle, thirty before them say `others`.

    `effect` is whether the six leave their row all the same, `rows` whether any job does."""
    world = healthy(World())
    for number in range(36):
        bad = number >= 30
        user, job, seconds = 7000 + number, f"m{number}", FIRST + 9 * (number - 30)
        world.row(seconds, "users", user)
        args, spoken = f"user_id={user}", f"job_id=m{number}"
        if by_queue:
            world.run(job, args, seconds + 0.02, seconds + 0.1, seconds + 0.9)
        world.log(seconds + 0.11, "mailer", f"start welcome_mail {spoken} {args}")
        for place, words in enumerate(said if bad else (others,)):
            world.log(seconds + 0.5 + 0.1 * place, "mailer", f"{words} {spoken}", severity=5)
        if bad and warned:
            world.log(seconds + 0.7, "mailer", f"record is not valid {spoken}", severity=13)
        if rows and (effect or not bad):
            world.row(seconds + 0.8, "mails", 70_000 + number, columns={"user_id": user})
        world.log(seconds + 0.89, "mailer", f"sent welcome_mail {spoken} {args}")
    if not rows:
        world.dropped.add("postgres")
    return world


@pytest.mark.parametrize("words", BACK)
@pytest.mark.parametrize("by_queue", [True, False])
def test_a_rollback_under_a_job_that_is_done(words: tuple[str, str], *, by_queue: bool) -> None:
    (finding,) = found(night(words[:1], words[1], by_queue=by_queue))
    assert finding.verdict is Verdict.LIKELY
    assert len(finding.cases) == 6
    assert {f"user:{7030 + number}" for number in range(6)} <= set(finding.keys)
    assert finding.contrast is not None
    assert (finding.contrast.have, finding.contrast.table) == (0, "mails")


def alone(world: World) -> World:
    """Without the jobs of which nobody wrote how their transactions ended."""
    world.events = [
        event for event in world.events if not any(key.startswith("job:j") for key in event.keys)
    ]
    return world


def test_without_rows_the_commits_of_the_others_tell() -> None:
    (finding,) = found(alone(night(rows=False)))
    assert (finding.verdict, finding.contrast) == (Verdict.POSSIBLE, None)
    assert not found(alone(night(others="transaction over", rows=False)))


@pytest.mark.parametrize(
    "world",
    [
        pytest.param(night(effect=True), id="the-row-is-there"),
        pytest.param(night((BACK[0][0], BACK[0][1])), id="tried-again"),
        pytest.param(night(("ROLLBACK TO SAVEPOINT active_record_1",)), id="savepoint"),
        pytest.param(night(warned=True), id="somebody-said-so"),
        pytest.param(night(others=BACK[0][0], effect=True), id="after-every-reading"),
        pytest.param(night(("INSERT INTO mails",)), id="no-rollback"),
    ],
)
def test_no_job_hides_a_rollback(world: World) -> None:
    assert not found(world)
