"""A proof as a sequence of steps between actors, ready to be drawn: the model of its diagrams.

Made of the redacted document alone. An arrow claims what the step's order claims and runs from the
step before it; where no order is claimed there is none. It must add nothing to what the proof says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from timeline.actors import columns
from timeline.export.document import Document, Evidence, Moment, Proof
from timeline.window import SECOND_NS
from timeline.words import FAILED_KINDS, LANE_WORDS, count_of

ACTORS_SHOWN = 6
"""Columns of one diagram; beyond them the least busy share the last one."""
STEPS_SHOWN = 24
"""Steps of one diagram; the table of the proof goes on."""
GAP_NS = SECOND_NS
"""From this distance on the time between two steps is drawn: as on the screen."""
_FAILED = ("ERROR", "FATAL")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acted, and in which lane: a queue and a service may bear one name."""

    name: str
    lane: str


@dataclass(frozen=True, slots=True)
class Beat:
    """One step: when and by whom, and how it follows the one before it."""

    moment: Moment
    clock: str
    actor: int
    """Number of its column."""
    who: str
    """Its actor's name where the column is shared, else empty."""
    role: str
    why: str
    cites: str
    order: str | None
    """`certain`, `likely`, `possible`, `contradicted`, or None where no order is claimed."""
    gap: int
    """From the step before it, ns; negative when it is stamped earlier. 0 below `GAP_NS`."""
    is_failed: bool


@dataclass(frozen=True, slots=True)
class Sequence:
    """The diagram of one proof."""

    actors: tuple[Actor, ...]
    beats: tuple[Beat, ...]
    folded: tuple[str, ...]
    """Names that share the last column."""
    left_out: int
    """Steps that are not drawn."""


def sequence_of(proof: Proof, records: Mapping[str, Evidence]) -> Sequence | None:
    """The diagram, or None where a list says as much: fewer than two steps, or one actor."""
    drawn = [records[step.cites] for step in proof.steps[:STEPS_SHOWN]]
    acted = [Actor(record.actor or record.source, LANE_WORDS[record.lane]) for record in drawn]
    if len(set(acted)) < 2:
        return None
    kept, rest = columns(acted, ACTORS_SHOWN)
    actors = [*kept, Actor(count_of(len(rest), "other"), "")] if rest else kept
    beats: list[Beat] = []
    for place, (step, record, actor) in enumerate(zip(proof.steps, drawn, acted, strict=False)):
        between = record.moment.timestamp - drawn[place - 1].moment.timestamp if place else 0
        is_own = actor in kept
        beats.append(
            Beat(
                moment=record.moment,
                clock=record.clock,
                actor=kept.index(actor) if is_own else len(kept),
                who="" if is_own else actor.name,
                role=step.role,
                why=step.why,
                cites=step.cites,
                order=step.order,
                gap=between if abs(between) >= GAP_NS else 0,
                is_failed=record.severity in _FAILED or record.kind in FAILED_KINDS,
            )
        )
    folded = tuple(actor.name for actor in rest)
    return Sequence(tuple(actors), tuple(beats), folded, len(proof.steps) - len(drawn))


def records_of(document: Document) -> dict[str, Evidence]:
    """Evidence by its label."""
    return {record.label: record for record in document.evidence}
