"""Finds the families, the confusers and the detectors; a new file takes part by being there."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

import tests.score.confusers
import tests.score.families.developed
import tests.score.families.kept_aside
import timeline.detectors
from tests.score.healthy import healthy
from tests.score.truth import Truth
from tests.score.world import World
from timeline.finding import Detector

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
GROUPS = {
    "developed": tests.score.families.developed,
    "kept-aside": tests.score.families.kept_aside,
}


@dataclass(frozen=True)
class Scenario:
    """One fault family or one confuser. A confuser has a `term` and no truth."""

    name: str
    group: str
    brands: tuple[str, ...]
    prepare: Callable[[World], None] | None
    inject: Callable[[World], Truth] | None
    disturb: Callable[[World], None] | None
    terms: tuple[str, ...] = ()

    def world(self, seed: int) -> tuple[World, Truth | None]:
        """A healthy world of this seed with the fault or the look-alike in it."""
        world = healthy(f"{self.name}/{seed}", self.brands, self.prepare)
        if self.disturb is not None:
            self.disturb(world)
        return world, self.inject(world) if self.inject is not None else None


def _scenario(module: ModuleType, group: str) -> Scenario:
    name = module.__name__.rpartition(".")[2].replace("_", "-")
    terms = getattr(module, "TERMS", ())
    return Scenario(
        name=name,
        group=group,
        brands=tuple(getattr(module, "BRANDS", ())),
        prepare=getattr(module, "prepare", None),
        inject=getattr(module, "inject", None),
        disturb=getattr(module, "disturb", None),
        terms=tuple(terms),
    )


def _modules(package: ModuleType) -> list[ModuleType]:
    found = sorted(item.name for item in pkgutil.iter_modules(package.__path__))
    return [importlib.import_module(f"{package.__name__}.{name}") for name in found]


@cache
def families_in(group: str) -> tuple[Scenario, ...]:
    """The fault families of one group, by name."""
    return tuple(_scenario(module, group) for module in _modules(GROUPS[group]))


def told_by(company: str, family: Scenario) -> bool:
    """Whether the family happens in that company: its module uses something of the package."""
    of_company = f"{tests.score.__name__}.{company}"
    used = vars(inspect.getmodule(family.inject)).values() if family.inject else ()
    return any(str(getattr(one, "__module__", "")).startswith(of_company) for one in used)


def families() -> tuple[Scenario, ...]:
    """All fault families, developed on first."""
    return tuple(family for group in GROUPS for family in families_in(group))


@cache
def confusers() -> tuple[Scenario, ...]:
    return tuple(_scenario(module, "confuser") for module in _modules(tests.score.confusers))


def scenario(name: str) -> Scenario:
    """The family or confuser of that name. Raises `KeyError` with all names."""
    known = {item.name: item for item in (*families(), *confusers())}
    if name not in known:
        raise KeyError(f"{name!r} is none of {', '.join(sorted(known))}")
    return known[name]


@cache
def detectors(*, unregistered: bool = False) -> tuple[Detector, ...]:
    """The detectors that the project registers, or all that lie in `timeline.detectors`."""
    points = tomllib.loads(PROJECT.read_text("utf-8"))["project"]["entry-points"]
    targets = dict(points["halfawake.detectors"])
    if unregistered:
        targets |= {found[0]: found[1] for found in _lying_about()}
    return tuple(_load(targets[term]) for term in sorted(targets))


def _load(target: str) -> Detector:
    module, _, name = target.partition(":")
    made: Detector = getattr(importlib.import_module(module), name)()
    return made


def _lying_about() -> list[tuple[str, str]]:
    """Term and target of every class that looks like a detector, registered or not."""
    found = []
    for item in pkgutil.iter_modules(timeline.detectors.__path__):
        try:
            module = importlib.import_module(f"timeline.detectors.{item.name}")
        except Exception:
            continue
        for name, thing in inspect.getmembers(module, inspect.isclass):
            if name.endswith("Detector") and thing.__module__ == module.__name__:
                found.append((str(getattr(thing, "term", name)), f"{module.__name__}:{name}"))
    return found
