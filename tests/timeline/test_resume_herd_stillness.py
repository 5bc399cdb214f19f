"""resume-herd: work that stood still and came back at once, whatever words or none were left."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from timeline.detectors.resume_herd import ResumeHerd, ResumeHerdDetector
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World, at, healthy

PAUSE, RESUME = 840.0, 1440.0


def found(world: World) -> list[ResumeHerd]:
    result = ResumeHerdDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated)
    return [one for one in result if isinstance(one, ResumeHerd)]


def stood_still(world: World, taking: str, done: str, *, crowd: int = 80) -> World:
    """One run every eight seconds, none in between, then all that waited within half a minute."""
    healthy(world)
    starts = [2 + n * 8.0 for n in range(260) if not PAUSE <= 2 + n * 8.0 < RESUME]
    starts += [RESUME + 3 + n * 30.0 / crowd for n in range(crowd)]
    for number, start in enumerate(sorted(starts)):
        world.log(start, "labels", taking % f"c{number:05d}")
        world.log(start + 0.4, "labels", done % f"c{number:05d}")
    return world


def fallen(world: World, after: float = RESUME + 6) -> World:
    for number in range(14):
        body = "FATAL: sorry, too many clients already"
        world.error(after + number * 2, "labels", f"{body} request_id=q{number}{after:.0f}")
    return world


@pytest.mark.parametrize(
    ("words", "taking", "done"),
    [
        ("systemctl start labels.service", "taking job_id=%s", "printed job_id=%s"),
        ("kubectl scale deploy/labels --replicas=12", "nehme job_id=%s", "gedruckt job_id=%s"),
        ("Etikettendruck wieder gestartet", "get message_id=%s", "ack message_id=%s"),
        ("labels: maintenance window closed", "receipt message_id=%s", "ok message_id=%s"),
        ("hpa minReplicas 0 -> 12 (labels)", "開始 job_id=%s", "完了 job_id=%s"),
    ],
)
def test_the_starts_tell_the_release_and_any_record_names_it(
    words: str, taking: str, done: str
) -> None:
    world = fallen(stood_still(World(), taking, done))
    world.change(RESUME, words)
    (finding,) = found(world)
    assert finding.verdict is Verdict.LIKELY
    assert finding.released == at(RESUME)
    assert finding.starts >= 5 * finding.busiest
    assert finding.steps[0].why == words or words in {step.event.body for step in finding.steps}


def no_record(world: World) -> None:
    fallen(stood_still(world, "taking job_id=%s", "printed job_id=%s"))


def a_question(world: World) -> None:
    no_record(world)
    world.change(RESUME, "when do we let the labels go?")


def nothing_failed(world: World) -> None:
    stood_still(world, "taking job_id=%s", "printed job_id=%s")
    world.change(RESUME, "systemctl start labels.service")


def nothing_had_waited(world: World) -> None:
    """Traffic comes back at its usual pace; what fails has other reasons."""
    fallen(stood_still(world, "taking job_id=%s", "printed job_id=%s", crowd=4))
    world.change(RESUME, "systemctl start labels.service")


@pytest.mark.parametrize("confuser", [no_record, a_question, nothing_failed, nothing_had_waited])
def test_look_alikes_stay_silent(confuser: Callable[[World], None]) -> None:
    world = World()
    confuser(world)
    assert found(world) == []
