"""duplicate-enqueue where no queue remembers the jobs, and only lines tell of both."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from timeline.detectors.duplicate_enqueue import DuplicateEnqueue, DuplicateEnqueueDetector
from timeline.event import Kind
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import SECOND, World, at, healthy

WHEN = 1500.0
Work = Callable[[World, float, int, int], None]
"""What is logged of job `number` about `thing` from an instant on."""


def found(world: World) -> list[DuplicateEnqueue]:
    result = DuplicateEnqueueDetector().detect(world.incident())
    if isinstance(result, NotEvaluated):
        return []
    return [finding for finding in result if isinstance(finding, DuplicateEnqueue)]


def ordinary(world: World, work: Work) -> World:
    """Forty jobs about forty things, none twice."""
    for number in range(40):
        work(world, 20 + number * 30, 100 + number, 5000 + number)
    return world


def printed(world: World, seconds: float, thing: int) -> None:
    pk = round(seconds * 1000)
    world.row(seconds + 0.5, "labels", pk, columns={"parcel_id": thing}, commit=seconds + 0.5)


def sidekiq(world: World, seconds: float, number: int, thing: int) -> None:
    """The queue forgets what succeeded; web and worker log the job."""
    told = f"job_id=b{number} parcel_id={thing}"
    world.log(seconds, "web", f"enqueued PrintLabel {told} request_id=r{number}x{seconds:.0f}")
    world.log(seconds + 0.3, "sidekiq", f"start PrintLabel {told}")
    world.log(seconds + 0.9, "sidekiq", f"done PrintLabel {told}")
    printed(world, seconds, thing)


def sqs(world: World, seconds: float, number: int, thing: int) -> None:
    """Only the consumer writes, and calls it a message."""
    told = f'"messageId":"m-{number}", "parcelId":"{thing}"'
    world.log(seconds + 0.3, "consumer", f'{{"msg":"received PrintLabel", {told}}}')
    world.log(seconds + 0.9, "consumer", f'{{"msg":"deleted PrintLabel", {told}}}')
    printed(world, seconds, thing)


def german(world: World, seconds: float, number: int, thing: int) -> None:
    told = f"job_id={number} parcel_id={thing}"
    world.log(seconds + 0.3, "versand", f"Auftrag etikett_drucken begonnen ({told})")
    world.log(seconds + 0.9, "versand", f"Auftrag etikett_drucken erledigt ({told})")
    printed(world, seconds, thing)


@pytest.mark.parametrize("work", [sidekiq, sqs, german])
def test_two_jobs_about_one_thing_that_did_it_twice_are_likely(work: Work) -> None:
    world = ordinary(World(), work)
    for place in range(3):
        for again in range(2):
            work(world, WHEN + 20 * place + 2 * again, 900 + 2 * place + again, 8000 + place)
    (finding,) = found(world)
    assert finding.verdict is Verdict.LIKELY
    assert at(WHEN) <= finding.began <= finding.ended <= at(WHEN) + 60 * SECOND
    assert {f"parcel:{8000 + place}" for place in range(3)} <= set(finding.keys)
    assert len(finding.cases) == 3
    assert "not started" not in finding.sentence()


def one_job_comes_again(world: World, work: Work) -> None:
    for again in range(2):
        work(world, WHEN + 4 * again, 900, 8000)


def two_kinds_of_work(world: World, work: Work) -> None:
    work(world, WHEN, 900, 8000)
    world.log(WHEN + 1, "sidekiq", "start BookPickup job_id=b901 parcel_id=8000")
    world.log(WHEN + 2, "sidekiq", "done BookPickup job_id=b901 parcel_id=8000")


def a_minute_later(world: World, work: Work) -> None:
    for again in range(2):
        work(world, WHEN + 60 * again, 900 + again, 8000)


def always_in_pairs(world: World, work: Work) -> None:
    for place in range(30):
        for again in range(2):
            work(world, 25 + 40 * place + again, 900 + 2 * place + again, 8000 + place)


@pytest.mark.parametrize(
    "confuser", [one_job_comes_again, two_kinds_of_work, a_minute_later, always_in_pairs]
)
def test_confusers_stay_silent(confuser: Callable[[World, Work], None]) -> None:
    world = ordinary(World(), sidekiq)
    confuser(world, sidekiq)
    assert found(world) == []


def test_lines_that_show_no_double_effect_are_possible() -> None:
    world = healthy(World())
    for number in range(40):
        told = f"job_id=n{number} parcel_id={5000 + number}"
        world.log(20 + number * 30, "web", f"enqueued notify_owner {told}")
    for again in range(2):
        told = f"job_id=n9{again} parcel_id=8000"
        world.log(WHEN + again, "web", f"enqueued notify_owner {told} request_id=r{again}")
    (finding,) = found(world)
    assert finding.verdict is Verdict.POSSIBLE
    assert "may not show all arguments" in finding.weakest_link


def test_a_class_that_repeats_itself_only_since_is_no_routine() -> None:
    world = World()
    for number in range(70):
        told = f"parcel_id={5000 + number}"
        world.run(f"o{number}", told, 10 + number * 15, 11 + number * 15, 12 + number * 15)
    for place in range(20):
        for again in range(2):
            seconds = 1100 + 40 * place + again
            world.job(seconds, Kind.JOB_ENQUEUED, f"d{place}-{again}", f"parcel_id={8000 + place}")
    assert sum(len(finding.cases) for finding in found(world)) == 20
