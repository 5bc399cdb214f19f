"""One world in words: what was injected and what was found, for a person who looks into it."""

from __future__ import annotations

from collections.abc import Iterator

from tests.score.catalogue import detectors
from tests.score.collection import View, collected
from tests.score.observe import Task, world_of
from tests.score.truth import Truth
from timeline.analysis import analyse
from timeline.finding import Finding
from timeline.window import SECOND_NS

SHOWN_KEYS = 8


def show(
    name: str,
    seed: int,
    without: str,
    clock_error: int,
    share: float,
    *,
    unregistered: bool = False,
) -> str:
    """The findings of one world, with the truth beside them."""
    dropped = frozenset((without,)) if without else frozenset[str]()
    view = View(dropped, clock_error, share)
    world, truth = world_of(Task(name, seed, view))
    incident = collected(world, view)
    analysis = analyse(incident, detectors(unregistered=unregistered))
    lines = [
        f"{name} seed {seed}: {len(incident.snapshot)} events, queue {world.brand.name}, "
        f"sources {', '.join(world.sources())}",
        *_truth(truth, world.start),
        f"headline: {analysis.headline}",
    ]
    for finding in analysis.findings:
        lines += _finding(finding, truth, world.start)
    lines += [f"  - {skipped.sentence()}" for skipped in analysis.not_evaluated]
    return "\n".join(lines) + "\n"


def _truth(truth: Truth | None, start: int) -> Iterator[str]:
    if truth is None:
        yield "truth: nothing is wrong here"
        return
    began, ended = (truth.onset - start) / SECOND_NS, (truth.ended - start) / SECOND_NS
    yield f"truth: {truth.term} from {began:.1f} s to {ended:.1f} s, effect seen: {truth.effect}"
    yield f"       also true: {', '.join(sorted(truth.also)) or 'nothing'}"
    named = [min(entity) for entity in truth.entities][:SHOWN_KEYS]
    yield f"       {len(truth.entities)} entities: {named}"


def _finding(finding: Finding, truth: Truth | None, start: int) -> Iterator[str]:
    judged = "false" if truth is None else "TRUE" if truth.found_by(finding) else ""
    judged = judged or ("also true" if truth is not None and truth.holds(finding) else "false")
    mark = "qualifier" if finding.qualifier else judged
    began = (finding.began - start) / SECOND_NS
    yield f"  [{mark}] {finding.term} ({finding.verdict.value}) at {began:.1f} s"
    yield f"      {finding.sentence()}"
    yield f"      weakest link: {finding.weakest_link}"
    yield f"      keys: {list(finding.keys)[:SHOWN_KEYS]} ({len(finding.keys)})"
