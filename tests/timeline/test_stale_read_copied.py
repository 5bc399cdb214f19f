"""stale-read where a job copies a value that had been replaced before it began."""

from __future__ import annotations

import pytest

from timeline.detectors.old_revisions import OldRevision
from timeline.order import Verdict

from .test_stale_copies import found
from .test_stale_read import lag
from .test_stale_values import audited
from .worlds import World

FIRST, LAST = 900.0, 1200.0
"""When the standby is behind."""


def told(
    *,
    behind: bool,
    measured: bool = False,
    archive: bool = False,
    began_before: bool = False,
    own_state: bool = False,
) -> World:
    """Corrected amounts that a job copies into a notice a second later."""
    world = World()
    for number in range(60):
        second, pk = 30.0 + 30 * number, str(7000 + number)
        was, now = (1000 + number, 5000 + number) if not own_state else (11, 22)
        audited(world, "permits", pk, {"amount": [str(was), str(now)]}, second)
        old = archive or (behind and FIRST <= second < LAST)
        start = second - 0.5 if began_before and old else second + 0.3
        args = f"permit_id={pk}"
        world.run(f"j{number}", args, second + 0.1, start, second + 1.9)
        columns: dict[str, object] = {"permit_id": int(pk), "amount": was if old else now}
        world.row(second + 1.5, "notices", 9000 + number, columns=columns)
    for sample in range(0, 2100, 15) if measured else ():
        lag(world, sample, 6.0 if FIRST <= sample < LAST else 0.02)
    return world


@pytest.mark.parametrize("measured", [True, False])
def test_amounts_that_had_been_replaced_before_the_job_began(measured: bool) -> None:
    (finding,) = found(told(behind=True, measured=measured), OldRevision)
    assert isinstance(finding, OldRevision)
    assert finding.verdict is Verdict.LIKELY
    assert (finding.what, finding.table, len(finding.reads)) == ("amount", "permits", 10)
    assert finding.newest == 50
    assert set(finding.keys) == {f"permit:{7029 + number}" for number in range(10)}


def test_the_newest_amounts_are_no_old_ones() -> None:
    assert not found(told(behind=False, measured=True), OldRevision)


def test_a_table_that_keeps_former_values_on_purpose() -> None:
    assert not found(told(behind=True, archive=True), OldRevision)


def test_a_job_that_had_begun_before_the_change_may_have_read_in_time() -> None:
    assert not found(told(behind=True, began_before=True), OldRevision)


def test_a_value_that_most_rows_begin_with_is_their_own() -> None:
    assert not found(told(behind=True, own_state=True), OldRevision)
