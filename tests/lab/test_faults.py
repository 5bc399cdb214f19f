"""Each real fault is told by its name, on the first screen, and its look-alikes are not."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

import tests.lab.faults
from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard
from tests.servers.process import ServerMissing
from tests.servers.pytest_fixtures import skip_or_fail

if TYPE_CHECKING:
    from _pytest.mark import ParameterSet

pytestmark = pytest.mark.servers

HELPERS = (
    "account_table",
    "celery_jobs",
    "celery_yard",
    "jobs",
    "mariadb_client",
    "parcel_yard",
    "parcels",
    "releases",
    "wrong",
)
FIRST_SCREEN = 7


def scenarios() -> list[ParameterSet]:
    """Every fault of the folder; one that says `NOT_YET` is known not to be told, and why."""
    names = [item.name for item in pkgutil.iter_modules(tests.lab.faults.__path__)]
    modules = [
        importlib.import_module(f"tests.lab.faults.{name}")
        for name in sorted(names)
        if name not in HELPERS
    ]
    return [pytest.param(one, id=one.__name__[17:], marks=_gap(one)) for one in modules]


def _gap(scenario: ModuleType) -> list[pytest.MarkDecorator]:
    why = getattr(scenario, "NOT_YET", "")
    return [pytest.mark.xfail(reason=why, strict=True)] if why else []


@pytest.mark.parametrize("scenario", scenarios())
def test_a_real_fault_is_told_and_nothing_else_is(scenario: ModuleType, tmp_path: Path) -> None:
    with Yard(tmp_path, **getattr(scenario, "SETTINGS", {})) as yard:
        try:
            wrong: Wrong = scenario.break_it(yard)
        except ServerMissing as missing:
            skip_or_fail(missing)
        telling = yard.ask(wrong.before)
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
