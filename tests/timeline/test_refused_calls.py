"""swallowed-error: a refusal under the id of a call, whose sender is done all the same."""

from __future__ import annotations

import pytest

from timeline.detectors.swallowed_error import SwallowedErrorDetector
from timeline.detectors.unheard_failures import UnheardFailure
from timeline.event import SEVERITY_ERROR, SEVERITY_WARN, Kind
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World

REFUSED = range(40, 46)
"""Orders whose entry is turned away, of sixty."""


def found(world: World) -> list[UnheardFailure]:
    result = SwallowedErrorDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated)
    return [one for one in result if isinstance(one, UnheardFailure)]


def night(
    *,
    severity: int = SEVERITY_ERROR,
    status: int = 422,
    names_job: bool = True,
    rows: range = range(0),
    notice: str = "",
    table: bool = True,
    by_queue: bool = True,
) -> World:
    """Sixty jobs send an entry each; the ledger turns those of `REFUSED` away. `rows` are refused
    ones that have their row all the same; `notice` is what the worker says of a refusal."""
    world = World()
    for number in range(60):
        when, order, job = 30 + number * 25.0, f"order_id={number}", f"job_id=j{number:04d}"
        call = f"request_id=c{number:06d}"
        world.row(when - 1, "orders", number)
        if by_queue:
            world.run(f"j{number:04d}", order, when - 0.5, when, when + 2)
        world.log(when, "worker", f"begin {job} {order}")
        beside = f"{job} {order}" if names_job else order
        world.log(when + 0.4, "worker", f"POST /entries {beside} {call}", severity=5)
        world.log(when + 0.5, "ledger", f"POST /entries {call}")
        bad = number in REFUSED
        if bad:
            world.log(when + 0.9, "ledger", f"period is closed {call}", severity=severity)
        world.log(when + 1.0, "ledger", f"POST /entries {status if bad else 201} {call}")
        if bad and notice:
            world.log(when + 1.2, "worker", f"{notice} {job}", severity=SEVERITY_WARN)
        world.log(when + 2, "worker", f"done {job} {order}")
        if table and (not bad or number in rows):
            world.row(when + 1.9, "entries", 900 + number, columns={"order_id": number})
    return world


@pytest.mark.parametrize(
    ("severity", "status"),
    [(SEVERITY_WARN, 200), (SEVERITY_WARN, 409), (SEVERITY_ERROR, 422), (SEVERITY_ERROR, 503)],
)
@pytest.mark.parametrize("names_job", [True, False])
def test_refused_and_without_its_row_is_one_set(
    severity: int, status: int, names_job: bool
) -> None:
    (finding,) = found(night(severity=severity, status=status, names_job=names_job))
    assert finding.verdict is Verdict.LIKELY
    assert (finding.callee, len(finding.cases)) == ("ledger", 6)
    assert {key for key in finding.keys if key.startswith("order:")} == {
        f"order:{number}" for number in REFUSED
    }
    assert finding.contrast is not None and finding.contrast.table == "entries"


def test_jobs_that_only_the_worker_tells_of_are_compared_as_well() -> None:
    (finding,) = found(night(by_queue=False))
    assert finding.verdict is Verdict.LIKELY


def test_what_the_rows_show_as_done_was_handled() -> None:
    assert found(night(rows=REFUSED)) == []


def test_a_caller_that_says_a_word_of_it_has_swallowed_nothing() -> None:
    assert found(night(notice="entry was not taken, left for the morning")) == []


def test_without_rows_a_refusal_that_was_answered_claims_nothing() -> None:
    assert found(night(severity=SEVERITY_WARN, table=False)) == []


def test_a_job_that_was_tried_again_has_seen_it() -> None:
    world = night()
    for number in REFUSED:
        when = 30 + number * 25.0
        world.job(when + 1.5, Kind.JOB_RETRIED, f"j{number:04d}", f"order_id={number}")
    assert found(world) == []
