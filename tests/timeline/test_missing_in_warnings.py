"""What was not found, told by a worker that is to try again: a warning that names its job."""

from __future__ import annotations

import pytest

from timeline.detectors.job_before_commit import JobBeforeCommit, JobBeforeCommitDetector
from timeline.facts.errors import NOT_FOUND

from .worlds import World, healthy

LOOKED = 1440.0
SAID = (
    "delivery returned: {{not_found,user,user_id=4801}}",
    "gave it back: std::runtime_error: user not in store user_id=4801",
    "put back, {{'not_found', user, id: 4801}}",
    "put back: user not in the database (user_id: 4801)",
    "put back: user 4801 not found",
)


def told(words: str, severity: int, *, named: bool = True) -> World:
    """A job whose row is committed two seconds after it looked, and that goes well later."""
    world = healthy(World())
    job = "job_id=e7f1b2 " if named else ""
    world.log(LOOKED - 0.2, "web", "POST /signups started request_id=r4801 user_id=4801")
    world.row(LOOKED - 0.1, "users", 4801, commit=LOOKED + 2)
    world.log(LOOKED - 0.05, "web", "enqueued job_id=e7f1b2 user_id=4801 request_id=r4801")
    world.log(LOOKED - 0.02, "courier", "taken job_id=e7f1b2 user_id=4801")
    world.log(LOOKED, "courier", f"{job}{words.format()}", severity=severity)
    world.log(LOOKED + 20, "courier", "taken job_id=e7f1b2 user_id=4801")
    world.log(LOOKED + 20.1, "courier", "settled job_id=e7f1b2 user_id=4801")
    return world


def raced(world: World) -> list[JobBeforeCommit]:
    result = JobBeforeCommitDetector().detect(world.incident())
    return [one for one in result if isinstance(one, JobBeforeCommit)]  # type: ignore[union-attr]


@pytest.mark.parametrize("words", SAID)
@pytest.mark.parametrize("severity", [13, 17])
def test_a_worker_that_will_try_again_may_warn_of_what_it_did_not_find(
    words: str, severity: int
) -> None:
    (finding,) = raced(told(words, severity))
    assert "user:4801" in finding.keys


@pytest.mark.parametrize("words", SAID)
def test_a_warning_of_no_job_is_no_error(words: str) -> None:
    hits = told(words, 13, named=False).incident().errors
    assert NOT_FOUND not in hits.get_column("error_class").to_list()


@pytest.mark.parametrize(
    "words",
    [
        "put back: user_id=4801 is not in the first 20 rows",
        "stored in the database as user_id=4801",
        "put back: found user 4801 locked",
    ],
)
def test_a_warning_about_something_else_is_no_missing_row(words: str) -> None:
    assert raced(told(words, 13)) == []
