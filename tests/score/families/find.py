"""Where a family lies: a file moves from `kept_aside` to `developed` once it has been read."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from types import ModuleType

PLACES = ("kept_aside", "developed")


def family_module(name: str) -> ModuleType:
    """The module of that file name. Raises `LookupError` if it lies in neither place."""
    for place in PLACES:
        path = f"tests.score.families.{place}.{name}"
        if find_spec(path) is not None:
            return importlib.import_module(path)
    raise LookupError(f"no family {name}.py in tests/score/families/{{{','.join(PLACES)}}}")
