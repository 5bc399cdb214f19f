"""A table of pastes: each gives its one instant, its question or its refusal, never another."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import pytest

from tests.timeline.pasted_alerts import ALERTS, Case
from tests.timeline.pasted_traces import CASES
from timeline.pasted.contract import Pasted
from timeline.pasted.readings import Here
from timeline.pasted.registry import understand
from timeline.pasted.settle import Undecided, settle
from timeline.pin import PinProblem
from timeline.window import MINUTE_NS

BERLIN = ZoneInfo("Europe/Berlin")
TABLE = (*ALERTS, *CASES)


def ns(text: str) -> int:
    whole, _, fraction = text.partition(".")
    moment = datetime.fromisoformat(whole).replace(tzinfo=UTC)
    return int(moment.timestamp()) * 10**9 + int(fraction.ljust(9, "0") or 0)


def region(name: str) -> tzinfo | None:
    return ZoneInfo(name)


HERE = Here(ns("2026-03-14T02:52:00"), BERLIN, region=region)


def understood(text: str) -> Pasted:
    found = understand(text)
    assert found is not None, text
    return found


def pins(text: str, here: Here = HERE) -> tuple[tuple[int, ...], str]:
    """Instants that a paste can mean and what is said about it."""
    try:
        settled = settle(understood(text), here)
    except PinProblem as problem:
        return (), str(problem)
    meant = settled.meant
    if isinstance(meant, Undecided):
        return tuple(reading.ns for reading in meant.readings), meant.sentence()
    return (meant.ns,), "; ".join(settled.notes)


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.name)
def test_what_is_pinned(case: Case) -> None:
    found, said = pins(case.text)
    assert sorted(found) == sorted(map(ns, case.pins)), said
    assert case.says in said


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.name)
def test_what_is_read_beside_the_time(case: Case) -> None:
    found = understood(case.text)
    assert found.kind == case.kind
    if case.service:
        assert found.service == case.service
    if case.environment:
        assert found.environment == case.environment
    assert set(case.keys) <= set(found.keys)
    if case.before is not None:
        before = settle(found, HERE).before
        assert case.before - 1 < before / MINUTE_NS <= case.before


def test_the_table_has_its_questions_and_refusals() -> None:
    """A table of pins alone could not tell a guess from an answer."""
    assert len(TABLE) >= 40
    assert sum(not case.pins for case in TABLE) >= 15
    assert sum(len(case.pins) > 1 for case in TABLE) >= 10


def test_names_are_not_repeated() -> None:
    assert len({case.name for case in TABLE}) == len(TABLE)
