"""What rows can be told apart by, starting from one of them: the conditions it meets."""

from __future__ import annotations

from timeline.event import Event, severity_name
from timeline.filter_terms import Field, Part
from timeline.shapes import shape_of

MOST_KEYS = 6
"""Keys offered at most; a row with more is followed by one of them rather than filtered."""


def offers_for(event: Event, *, hides: bool) -> list[Part]:
    """Conditions that `event` meets, to show only such rows or to hide them.

    The lines like it come first, since they are what a noisy window is thinned by.
    """
    parts: list[Part] = []
    if shape := shape_of(event.body):
        parts.append(Part(Field.LIKE, shape, hides))
    if (level := severity_name(event.severity_number).lower()) and not hides:
        parts.append(Part(Field.LEVEL, level))
    parts.append(Part(Field.SOURCE, event.source, hides))
    if event.actor:
        parts.append(Part(Field.ACTOR, event.actor, hides))
    parts.append(Part(Field.LANE, event.lane.value, hides))
    parts += [Part(Field.KEY, key, hides) for key in event.keys[:MOST_KEYS]]
    return parts
