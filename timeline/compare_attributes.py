"""Attributes whose values differ between two sides of a comparison.

Ids and instants always differ and tell nothing: they are left out.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from timeline.compare_sides import own_values
from timeline.difference_counts import SKIPPED, SKIPPED_CAMEL, STAMP
from timeline.templates import HOLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from timeline.compare_sides import Side

MOST_ATTRIBUTES = 12
LONGEST_VALUE = 80
SHOWN_VALUES = 3


def differing(one: Side, other: Side) -> Iterator[tuple[str, str, str]]:
    """Attributes whose values differ; ids and instants always do and are left out."""
    left, right = _attributes(one), _attributes(other)
    names = [name for name in dict.fromkeys((*left, *right)) if left.get(name) != right.get(name)]
    for name in names[:MOST_ATTRIBUTES]:
        yield name, _listed(left.get(name, {})), _listed(right.get(name, {}))


def _attributes(side: Side) -> dict[str, dict[str, None]]:
    found: dict[str, dict[str, None]] = {
        "who": dict.fromkeys(e.actor for e in side.events if e.actor)
    }
    own = own_values(side)
    for event in side.events:
        try:
            told = json.loads(event.attributes or "{}")
        except ValueError:
            continue
        for name, value in _scalars(told):
            skipped = re.search(SKIPPED, name) or re.search(SKIPPED_CAMEL, name)
            if not skipped and not re.search(STAMP, value) and len(value) <= LONGEST_VALUE:
                found.setdefault(name, {})[own.sub(HOLE, value)] = None
    return found


def _scalars(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _scalars(item, f"{name}.{key}" if name else str(key))
    elif name and isinstance(value, (str, int, float, bool)) and value != "":
        yield name, value if isinstance(value, str) else json.dumps(value)


def _listed(values: dict[str, None]) -> str:
    shown = list(values)[:SHOWN_VALUES]
    return ", ".join(shown) + (
        f" and {len(values) - SHOWN_VALUES} more" if len(values) > SHOWN_VALUES else ""
    )
