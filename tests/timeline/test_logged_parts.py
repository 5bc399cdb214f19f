"""duplicate-enqueue by logs alone: parts of one piece of work are not the same work twice."""

from __future__ import annotations

import pytest

from timeline.detectors.duplicate_enqueue import DuplicateEnqueue, DuplicateEnqueueDetector
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World

WHEN = 1500.0
PARTS = (
    "ExportPages begins customer_id=700 page={part} job_id={job}",
    '{{"msg":"ExportPages begins","customerId":"700","chunk":{part},"jobId":"{job}"}}',
    "ExportPages begins (customer_id: 700, partitionNo: {part}, total: 6, job_id: {job})",
    "ExportPages begins run_id=march-14 slice={part} rows={rows} job_id={job}",
)
SAME = (
    "ExportPages begins customer_id=700 depth={part} job_id={job}",
    '{{"msg":"ExportPages begins","customerId":"700","queueDepth":{part},"jobId":"{job}"}}',
    "ExportPages begins run_id=march-14 slice=2 took_ms={rows} job_id={job}",
)


def found(world: World) -> list[DuplicateEnqueue]:
    result = DuplicateEnqueueDetector().detect(world.incident())
    if isinstance(result, NotEvaluated):
        return []
    return [one for one in result if isinstance(one, DuplicateEnqueue)]


def several(words: str, jobs: int) -> World:
    """Forty exports of forty customers, then `jobs` told in `words`; each writes two lines."""
    world = World()
    for number in range(40):
        done(world, 20 + 30 * number, f"a{number}z", 5000 + number)
        begun = words.replace("700", str(5000 + number)).replace("march-14", f"usual-{number}")
        world.log(19 + 30 * number, "exporter", begun.format(part=1, job=f"a{number}z", rows=12))
    for part in range(jobs):
        job = f"b{part}y"
        world.log(WHEN + part * 0.4, "exporter", words.format(part=part, job=job, rows=31 + part))
        done(world, WHEN + 1 + part * 0.4, job, 700)
    return world


def done(world: World, seconds: float, job: str, customer: int) -> None:
    world.log(seconds, "exporter", f"pages written customer_id={customer} job_id={job}")


@pytest.mark.parametrize("words", PARTS)
def test_jobs_that_are_each_given_a_part_of_their_own_are_no_duplicates(words: str) -> None:
    assert found(several(words, 6)) == []


@pytest.mark.parametrize("words", SAME)
def test_what_is_measured_of_two_equal_jobs_is_no_part(words: str) -> None:
    (finding,) = found(several(words, 2))
    assert finding.verdict in (Verdict.LIKELY, Verdict.POSSIBLE)
    assert {"job:b0y", "job:b1y"} <= set(finding.keys)
