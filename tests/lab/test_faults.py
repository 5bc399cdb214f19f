"""Each real fault is told by its name, on the first screen, and its look-alikes are not."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

import pytest

import tests.lab.faults
from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard

pytestmark = pytest.mark.servers

HELPERS = ("jobs", "wrong")
FIRST_SCREEN = 7


def scenarios() -> list[ModuleType]:
    names = [item.name for item in pkgutil.iter_modules(tests.lab.faults.__path__)]
    return [
        importlib.import_module(f"tests.lab.faults.{name}")
        for name in sorted(names)
        if name not in HELPERS
    ]


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda module: module.__name__[17:])
def test_a_real_fault_is_told_and_nothing_else_is(scenario: ModuleType, tmp_path: Path) -> None:
    with Yard(tmp_path, **getattr(scenario, "SETTINGS", {})) as yard:
        wrong: Wrong = scenario.break_it(yard)
        telling = yard.ask()
    told = [one for one in telling.findings() if not one.qualifier][:FIRST_SCREEN]
    silent = frozenset(getattr(scenario, "SILENT", ()))
    loud = {one.term for one in told if one.verdict != "possible"}
    assert loud <= {wrong.term} | wrong.also, telling.terms()
    assert not {one.term for one in told} & silent, telling.terms()
    if wrong.term:
        found = [one for one in told if one.term == wrong.term]
        assert found, telling.terms()
        words = str([one.told for one in found])
        assert [name for name in wrong.named if name not in words] == []
