"""re-press where the items stand under a run that the press set off, some ids further on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from timeline.detectors.re_press import RePress, RePressDetector
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World, at, healthy

FIRST, SECOND_PRESS = 600.0, 663.0


def found(world: World) -> list[RePress]:
    result = RePressDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated)
    return [one for one in result if isinstance(one, RePress)]


def pressed(
    world: World, seconds: float, number: int, words: Sequence[str], items: Sequence[int]
) -> None:
    """One press: the request, the push, the run's first line, its items, and a proxy's late word.

    `words` are those four lines and that of an item, with places for the number and the item.
    """
    came, sent, begun, item_done, proxy = words
    world.log(seconds, "office", came % number)
    world.log(seconds + 0.05, "office", sent % (number, number))
    world.log(seconds + 0.5, "closer-1", begun % (number, number))
    for place, item in enumerate(items):
        world.log(seconds + 1 + place * 2.5, "closer-1", item_done % (number, item))
    if proxy:
        world.log(seconds + 60, "edge", proxy % number, severity=17)


RAILS = (
    "Started POST /admin/months/close request_id=q%02d",
    "Enqueued CloseMonth job_id=j%02d request_id=q%02d",
    "CloseMonth start job_id=j%02d batch_id=b%02d",
    "batch_id=b%02d closed reading_id=%d",
    "POST /admin/months/close 504 request_id=q%02d",
)
WORKFLOWS = (
    "request start (trace_id=ce%02d40aa, method=POST, url=/months/close)",
    "StartWorkflowExecution workflow_id=w%02d trace_id=ce%02d40aa",
    "WorkflowTaskStarted workflow_id=w%02d execution_id=x%02d",
    "Aktivität fertig execution_id=x%02d zaehler_id=%d",
    "POST /months/close -> 504 upstream timed out trace_id=ce%02d40aa",
)
NO_PROXY = (
    "PUT /zamkniecie/miesiac request_id=q%02d",
    "wysłano message_id=m%02d request_id=q%02d",
    "odebrano message_id=m%02d run_id=r%02d",
    "zamknięto run_id=r%02d odczyt_id=%d",
    "",
)


@pytest.mark.parametrize("words", [RAILS, WORKFLOWS, NO_PROXY])
def test_items_are_found_under_the_run_that_the_press_set_off(words: Sequence[str]) -> None:
    world = healthy(World(), every=35)
    pressed(world, FIRST, 1, words, range(5000, 5060))
    pressed(world, SECOND_PRESS, 2, words, range(5000, 5060))
    (finding,) = found(world)
    assert finding.verdict is Verdict.LIKELY
    assert len(finding.both) == 60
    assert finding.overlap is Verdict.CERTAIN
    assert finding.began == at(SECOND_PRESS)


def disjoint(world: World) -> None:
    pressed(world, FIRST, 1, RAILS, range(5000, 5040))
    pressed(world, SECOND_PRESS, 2, RAILS, range(5040, 5080))


def once_more_a_month_later(world: World) -> None:
    """The first had come to rest: whoever begins anew means it."""
    pressed(world, FIRST, 1, WORKFLOWS, range(5000, 5020))
    pressed(world, FIRST + 600, 2, WORKFLOWS, range(5000, 5020))


def answered_late(world: World) -> None:
    """A proxy writes of two requests when it gives up; they came long after each other's end."""
    pressed(world, FIRST, 1, RAILS, range(5000, 5010))
    pressed(world, FIRST + 58, 2, RAILS, range(5000, 5010))


@pytest.mark.parametrize("confuser", [disjoint, once_more_a_month_later, answered_late])
def test_look_alikes_stay_silent(confuser: Callable[[World], None]) -> None:
    world = healthy(World(), every=35)
    confuser(world)
    assert found(world) == []
