"""What a value holds that redaction must look at, found in one pass over all of its parts.

Ten thousand records hold half a million parts, nearly none of which change: what is walked is told
by its type alone, and one list serves as the queue of what is still to be looked at.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from enum import Enum
from typing import cast

TEXTLESS = frozenset((type(None), bool, int, float))
"""Asked before anything else: half of what a record holds."""

_FIELD_NAMES: dict[type, tuple[str, ...]] = {}
_ENUMS: set[type] = set()
"""Types seen already: to ask a member of an enumeration what else it is takes long."""


class HeldTexts:
    """The texts in `value`: of dataclasses, mappings and sequences, at any depth."""

    def __init__(self, value: object) -> None:
        self.is_usual = True
        """Whether every part is of a type that leaves as it is, when its texts may."""
        self._texts: dict[object, None] = {}
        self._names: dict[str, None] = {}
        self._look(value)

    @property
    def texts(self) -> dict[str, None]:
        """Each once; names of fields are among them."""
        return cast("dict[str, None]", self._texts)

    @property
    def names(self) -> dict[str, None]:
        """What the mappings call their fields: some names alone make a value secret."""
        return self._names

    def _look(self, value: object) -> None:
        waiting = [value]
        for item in waiting:  # grows meanwhile
            kind = type(item)
            if kind is str:
                self._texts[item] = None
            elif kind in TEXTLESS or kind in _ENUMS:
                continue
            elif kind in _FIELD_NAMES:
                waiting.extend([getattr(item, name) for name in _FIELD_NAMES[kind]])
            elif kind is tuple or kind is list:
                waiting.extend(cast("list[object]", item))
            elif kind is dict:
                waiting.extend(self._named(cast("dict[object, object]", item)))
            else:
                waiting.extend(self._met_first(item))
        self._texts.update(self._names)

    def _named(self, item: Mapping[object, object]) -> Collection[object]:
        self._names.update(dict.fromkeys(map(str, item)))
        return item.values()

    def _met_first(self, item: object) -> Collection[object]:
        """The parts of a type not seen before, or of a subclass of a text or a collection."""
        if isinstance(item, Enum):
            _ENUMS.add(type(item))
            return ()
        if _is_dataclass(item):
            return [getattr(item, name) for name in field_names(type(item))]
        self.is_usual = False
        if isinstance(item, str):
            self._texts[item] = None
        elif isinstance(item, Mapping):
            return self._named(item)
        elif isinstance(item, (list, tuple)):
            return item
        return ()


def field_names(kind: type) -> tuple[str, ...]:
    """The fields of a dataclass; asked for once a type, not once a record."""
    if kind not in _FIELD_NAMES:
        _FIELD_NAMES[kind] = tuple(field.name for field in dataclasses.fields(kind))
    return _FIELD_NAMES[kind]


def _is_dataclass(item: object) -> bool:
    return dataclasses.is_dataclass(item) and not isinstance(item, type)
