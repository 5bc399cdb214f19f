"""Finds connectors, detectors and exporters by entry point; a stranger's register the same way.

Names are listed without importing anything; a class is imported only when its name is asked for.
"""

from __future__ import annotations

import difflib
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectors.contract import Connector
    from timeline.export.contract import Exporter
    from timeline.finding import Detector

CONNECTORS = "halfawake.connectors"
DETECTORS = "halfawake.detectors"
EXPORTERS = "halfawake.exporters"


class UnknownPlugin(ValueError):
    """Nothing is registered under that name; the message offers the nearest one."""


@cache
def _registered(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=group)}


def names(group: str) -> tuple[str, ...]:
    """Registered names of a group, sorted; imports none of them."""
    return tuple(sorted(_registered(group)))


def _load(group: str, name: str) -> object:
    point = _registered(group).get(name)
    if point is None:
        near = difflib.get_close_matches(name, names(group), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else f" Known: {', '.join(names(group))}."
        raise UnknownPlugin(f"{name!r} is not one of the {group.rpartition('.')[2]}.{hint}")
    return point.load()


def connector_class(name: str) -> type[Connector]:
    """The connector registered as `name`. Raises `UnknownPlugin`."""
    return _load(CONNECTORS, name)  # type: ignore[return-value]  # the registry's promise


def exporter(name: str) -> Exporter:
    """A fresh exporter for the format `name`. Raises `UnknownPlugin`."""
    return _load(EXPORTERS, name)()  # type: ignore[operator,no-any-return]  # a class by contract


def detectors() -> tuple[Detector, ...]:
    """One instance of every registered detector, in name order."""
    return tuple(
        _load(DETECTORS, name)()  # type: ignore[operator]  # a class by contract
        for name in names(DETECTORS)
    )
