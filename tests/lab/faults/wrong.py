"""What a scenario says must be told of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wrong:
    """The expected finding: its term, words that its sentence or evidence must carry."""

    term: str
    named: tuple[str, ...] = ()
    """Identifiers of what was hit; each must stand in the finding."""
    also: frozenset[str] = frozenset()
    """Other terms that are true in this yard."""
    before: str = "5m"
    """How far the window reaches back. A fault is seconds old; where a rhythm is what tells it,
    minutes in which the yard did not stand yet would be minutes without a run."""
