"""swallowed-error by scripts without levels, which go through things one after the other."""

from __future__ import annotations

import pytest

from timeline.detectors.script_errors import WentOnRegardless
from timeline.detectors.swallowed_error import SwallowedErrorDetector
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World

ERRORS = (
    "pg_dump: error: query failed: ERROR:  permission denied for table t",
    "rsync: [sender] read error: Connection reset by peer (104)",
    "curl: (28) Operation timed out after 30001 milliseconds",
    "cp: das angegebene Verzeichnis ist nicht beschreibbar: fehler 5",
)


def found(world: World) -> list[WentOnRegardless]:
    result = SwallowedErrorDetector().detect(world.incident())
    told = [] if isinstance(result, NotEvaluated) else result
    return [finding for finding in told if isinstance(finding, WentOnRegardless)]


def script(
    error: str,
    *,
    broken: tuple[int, ...] = (4, 9, 11),
    severity: int = 0,
    ends: str = "",
    again: bool = False,
    at_once: bool = False,
) -> World:
    world = World()
    for n in range(20):
        second = 1000.0 + 10 * n
        world.log(second, "dump", f"dumping site_id={n + 40}", severity=severity)
        if at_once:
            world.log(second + 0.5, "dump", f"dumping site_id={n + 90}", severity=severity)
        if n in broken:
            world.log(second + 2, "dump", error, severity=severity)
            if again:
                world.log(second + 3, "dump", f"second try site_id={n + 40}", severity=severity)
        world.log(second + 4, "dump", "sent to cold store", severity=severity)
        done = ends if ends and n in broken else "done"
        world.log(second + 5, "dump", f"{done} site_id={n + 40}", severity=severity)
        if at_once:
            world.log(second + 5.5, "dump", f"done site_id={n + 90}", severity=severity)
    return world


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_between_the_usual_lines(error: str) -> None:
    (finding,) = found(script(error))
    assert (finding.verdict, len(finding.cases)) == (Verdict.LIKELY, 3)
    assert finding.keys == ("site:44", "site:49", "site:51")


def test_one_alone_is_possible() -> None:
    (finding,) = found(script(ERRORS[0], broken=(7,)))
    assert finding.verdict is Verdict.POSSIBLE


def test_a_script_that_says_so_tries_again_or_works_on_several_at_once() -> None:
    assert not found(script(ERRORS[0], ends="gave up on"))
    assert not found(script(ERRORS[0], again=True))
    assert not found(script(ERRORS[0], at_once=True))
    assert not found(script(ERRORS[0], broken=()))
    assert not found(script("checked, errors=0"))
