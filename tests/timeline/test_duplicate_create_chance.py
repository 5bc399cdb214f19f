"""duplicate-create: equal neighbours that chance would bring about as well."""

from __future__ import annotations

import random

import pytest

from timeline.detectors.duplicate_create import DuplicateCreate, DuplicateCreateDetector
from timeline.facts.same_rows import WITHIN_NS
from timeline.order import Verdict

from .worlds import SECOND, World, at

TWINS = 1300.0
APART = 2.0


def only(world: World) -> DuplicateCreate:
    (finding,) = DuplicateCreateDetector().detect(world.incident())  # type: ignore[misc]
    assert isinstance(finding, DuplicateCreate)
    return finding


def tickets(values: list[int], *, every: float, column: str = "agent_id") -> World:
    """One row for each of `values`, evenly spaced, and two equal ones close together."""
    world = World()
    for number, value in enumerate(values):
        world.row(10 + every * number, "tickets", number, columns={column: value, "state": "new"})
    for again in range(2):
        told = {column: 999_001, "state": "new"}
        world.row(TWINS + APART * again, "tickets", 90_000 + again, columns=told)
    return world


@pytest.mark.parametrize(("agents", "rows"), [(24, 40), (60, 60), (35, 50)])
def test_a_column_of_few_values_makes_equal_rows_by_chance(agents: int, rows: int) -> None:
    drawn = random.Random(agents)
    values = [drawn.randrange(agents) for _ in range(rows)]
    spaced = 1.2 * WITHIN_NS / SECOND
    world = tickets(values, every=spaced)
    crowd = [drawn.randrange(10_000, 90_000) for _ in range(12)]
    for number, value in enumerate(crowd):
        world.row(1700 + number * 0.9, "tickets", 5_000 + number, columns={"agent_id": value})
    finding = only(world)
    assert finding.verdict is Verdict.POSSIBLE
    assert "by chance" in finding.weakest_link
    assert at(TWINS) == finding.began


@pytest.mark.parametrize("rows", [40, 60, 120])
def test_values_that_never_come_again_are_no_chance(rows: int) -> None:
    world = tickets([*range(rows)], every=1200 / rows, column="customer_id")
    assert only(world).verdict is Verdict.LIKELY


def test_one_customer_who_comes_again_much_later_is_no_chance() -> None:
    values = [*range(60), 7, *range(60, 119)]
    world = tickets(values, every=10, column="customer_id")
    assert only(world).verdict is Verdict.LIKELY
