"""partial-batch without a configured set: children, stated numbers, and items named beforehand."""

from __future__ import annotations

import pytest

from timeline.detectors.partial_batch import PartialBatch, PartialBatchDetector
from timeline.event import Kind
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .test_partial_batch import letters, only, silent
from .worlds import World, healthy


@pytest.mark.parametrize("name", ["batch_id", "parent_id"])
def test_children_of_one_parent(name: str) -> None:
    import json
    from dataclasses import replace

    world = healthy(World(), every=35)
    for number in range(30):
        job, args = f"c{number}", f"user_id={number}"
        world.job(100 + number * 0.01, Kind.JOB_ENQUEUED, job, args, job_class="letters.send")
        event = world.events[-1]
        told = json.loads(event.attributes or "{}") | {name: "b77"}
        world.events[-1] = replace(event, attributes=json.dumps(told))
        if number < 18:
            world.job(110 + number, Kind.JOB_STARTED, job, args, job_class="letters.send")
            kind = Kind.JOB_FAILED if number == 5 else Kind.JOB_FINISHED
            world.job(110.5 + number, kind, job, args, job_class="letters.send")
    finding = only(world)
    assert (finding.total, finding.done, finding.failed, finding.never) == (30, 17, 1, 12)
    assert finding.resume[0] == "job:c18"
    assert finding.shape is not None
    assert finding.shape.name == "prefix"
    assert any("paused" in words for words in finding.alternatives)


@pytest.mark.parametrize(
    ("opening", "progress"),
    [
        ("processing 5,000 users", "{} of 5,000 users mailed"),
        ("import of 5000 rows", "batch: {} of 5000 written"),
    ],
)
def test_a_stated_number_and_its_progress(opening: str, progress: str) -> None:
    world = healthy(World(), every=35)
    world.log(300, "importer", opening)
    for number in range(100, 1300, 100):
        world.log(300 + number / 20, "importer", progress.format(number))
    finding = only(world)
    assert (finding.total, finding.done, finding.never) == (5000, 1200, 3800)
    assert finding.verdict is Verdict.LIKELY
    assert "1 200 of 5 000" in finding.sentence()


def test_a_stated_number_and_the_items_named_after_it() -> None:
    world = healthy(World(), every=35)
    world.log(300, "mailer-2", "processing 80 users")
    letters(world, range(33), begun=301)
    finding = only(world)
    assert (finding.total, finding.done, finding.never) == (80, 33, 47)


@pytest.mark.parametrize(
    "lines",
    [
        ["attempt 1 of 30 failed"],
        ["loaded 250 classes in 2 seconds", "found 40 workers"],
        ["page 2 of 90 rendered"],
        ["processing 60 users", "60 of 60 users done"],
        ["sending 45 mails", "all 45 mails done, finished"],
        ["batch of 900 bytes"],
        ["disk 81 of 100 % used"],
        [
            "12 of 64 slots used",
            "15 of 64 slots used",
            "13 of 64 slots used",
            "20 of 64 slots used",
        ],
        ["33 of 64 seats taken"],
    ],
)
def test_numbers_that_state_no_batch(lines: list[str]) -> None:
    world = healthy(World(), every=35)
    for number, line in enumerate(lines):
        world.log(300 + number, "api", line)
    assert silent(world)


def announced(world: World, done: list[int], *, parts: int = 1, burst: float = 2.0) -> World:
    """A run names eighty tenants, then tells of each that is `done`, one every two seconds."""
    for number in range(80):
        part = f" strang={number % parts}" if parts > 1 else ""
        body = f"Abrechnung geplant tenant_id={700 + number}{part}"
        world.log(900 + number * burst / 80, "rechnung-2", body)
    for place, number in enumerate(done):
        body = f"Abrechnung versandt tenant_id={700 + number} posten={place % 9}"
        world.log(910 + place * 2, "rechnung-2", body)
    return world


@pytest.mark.parametrize(
    ("done", "parts"), [(list(range(33)), 1), (list(range(0, 80, 2)), 2)], ids=["stopped", "part"]
)
def test_items_that_the_run_itself_named_beforehand_are_likely(done: list[int], parts: int) -> None:
    result = PartialBatchDetector().detect(announced(World(), done, parts=parts).incident())
    assert not isinstance(result, NotEvaluated)
    (finding,) = result
    assert isinstance(finding, PartialBatch)
    assert finding.verdict is Verdict.LIKELY
    assert (finding.total, finding.done, finding.never) == (80, len(done), 80 - len(done))


CHOSEN = [number for number in range(80) if number * number % 7 in (1, 4)]
"""Here and there, as a filter picks them."""


@pytest.mark.parametrize(
    ("done", "burst"),
    [(list(range(80)), 2.0), (CHOSEN, 2.0), (list(range(33)), 400.0)],
    ids=["all", "chosen here and there", "named as they come"],
)
def test_what_was_named_and_not_meant_for_all_is_silent(done: list[int], burst: float) -> None:
    result = PartialBatchDetector().detect(announced(World(), done, burst=burst).incident())
    assert isinstance(result, NotEvaluated) or not list(result)
