"""Groups of keys with many things under them are found in one search, none less and none more."""

from __future__ import annotations

import pytest

from timeline.facts.batches import signs_under
from timeline.facts.keys_under import with_many_things
from timeline.incident import Incident

from .worlds import World

LEAST = 3
GROUPS: tuple[list[str], ...] = (
    ["job:run1"],
    ["job:run2"],
    ["job:run3"],
    ["job:run1", "job:run2"],
    ["job:other"],
    [],
)


@pytest.fixture
def incident() -> Incident:
    """Run 1 worked on four users, run 2 on two of one kind and two of another, run 3 on one."""
    world = World()
    worked = [
        *((1, f"user_id={5000 + n}") for n in range(4)),
        *((2, f"user_id={6000 + n}") for n in range(2)),
        *((2, f"order_id={7000 + n}") for n in range(2)),
        *((3, "user_id=5000") for _ in range(5)),
    ]
    for place, (run, thing) in enumerate(worked):
        world.log(place, "letters", f"letter for {thing} sent job_id=run{run}")
    return world.incident()


def test_groups_with_enough_things_of_one_kind(incident: Incident) -> None:
    assert with_many_things(incident, GROUPS, LEAST) == {0, 3}


def test_no_group_is_left_out_that_has_as_many_signs(incident: Incident) -> None:
    told = with_many_things(incident, GROUPS, LEAST)
    for place, keys in enumerate(GROUPS):
        if place not in told:
            assert signs_under(incident, keys).get_column("key").n_unique() < LEAST


def test_nobody_asks_and_nothing_is_there(incident: Incident) -> None:
    assert with_many_things(incident, [], LEAST) == frozenset()
    assert with_many_things(World().incident(), GROUPS, LEAST) == frozenset()
