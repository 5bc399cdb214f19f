"""What one detector finds in a world, with the type of its findings."""

from __future__ import annotations

from typing import TypeVar

from timeline.finding import Detector, Finding, NotEvaluated
from timeline.incident import Incident

F = TypeVar("F", bound=Finding)


def findings_of(detector: Detector, incident: Incident, kind: type[F]) -> list[F]:
    """All its findings, each of which must be a `kind`; an answer of "cannot look" is a failure."""
    result = detector.detect(incident)
    assert not isinstance(result, NotEvaluated), result.sentence()
    mine = [one for one in result if isinstance(one, kind)]
    assert len(mine) == len(result), [type(one).__name__ for one in result]
    return mine
