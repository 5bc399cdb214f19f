"""change-before: one error of the changed service begins nothing."""

from __future__ import annotations

import pytest

from timeline.detectors.change_findings import ChangeBefore
from timeline.order import Verdict

from .test_change_before import deployed, found
from .worlds import World

FIRST = 1400.0


@pytest.mark.parametrize(
    ("own", "verdict"), [(1, Verdict.POSSIBLE), (2, Verdict.LIKELY), (6, Verdict.LIKELY)]
)
def test_a_lone_error_of_the_changed_service_is_no_beginning(own: int, verdict: Verdict) -> None:
    world = deployed(World())
    for number in range(2100):
        world.log(number, "checkout", f"GET /cart/{number} 200")
    for number in range(12):
        who = "checkout" if number < own else "billing"
        world.error(FIRST + 45 * number, who, f"TypeError: cart {number} undefined")
    (finding,) = found(world)
    assert isinstance(finding, ChangeBefore)
    assert finding.verdict is verdict
