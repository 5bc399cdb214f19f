"""Reading answers whose shape is only promised: small typed looks into decoded JSON.

Every function gives an empty value for what is not there, so that an answer of an unexpected
shape never ends in a traceback.
"""

from __future__ import annotations

from collections.abc import Mapping

from connectors.logs.jsonshape import JsonValue


def at(value: JsonValue | Mapping[str, JsonValue], *path: str) -> JsonValue:
    """The value at a path of keys, or None."""
    found: JsonValue | Mapping[str, JsonValue] = value
    for name in path:
        if not isinstance(found, Mapping):
            return None
        found = found.get(name)
    return dict(found) if isinstance(found, Mapping) and not isinstance(found, dict) else found


def members(value: JsonValue) -> dict[str, JsonValue]:
    """The members of an object; none for anything else."""
    return value if isinstance(value, dict) else {}


def items(value: JsonValue) -> list[JsonValue]:
    """The items of an array; none for anything else."""
    return value if isinstance(value, list) else []


def text(value: JsonValue) -> str:
    """A string as it is, "" for anything else."""
    return value if isinstance(value, str) else ""


def whole(value: JsonValue) -> int:
    """A whole number, 0 for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
