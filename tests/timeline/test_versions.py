"""Recorded versions column by column: values as awkward as people's data."""

from __future__ import annotations

import json

import pytest

from timeline.facts.versions import changes_in, details_of, missing_versions

from .recorded import Value, version
from .worlds import SECOND, World, healthy

MINUTE = 60 * SECOND
AWKWARD: list[tuple[Value, Value]] = [
    ("a", "b"),
    (None, "now there"),
    (3, -4.5),
    (True, False),
    ("with, comma", "with [brackets] and {braces}"),
    ('said "yes"', "back\\slash"),
    ('{"nested": ["document", 1]}', "[]"),
    ("", "ünï → cödé"),
    ('"changed": {"state": ["x", "y"]}', "no member of that name"),
]


@pytest.mark.parametrize(("old", "new"), AWKWARD)
def test_every_value_is_read_as_it_was_recorded(old: Value, new: Value) -> None:
    world = World()
    for seconds in (100, 101):
        changed: dict[str, tuple[Value, Value]] = {"first": (1, 2), "state": (old, new)}
        version(world, seconds, "orders", 7, changed)
    told = changes_in(world.incident(), MINUTE).filter(column="state")
    assert [json.loads(text) for text in told.get_column("old")] == [old, old]
    assert [json.loads(text) for text in told.get_column("new")] == [new, new]


def test_values_that_are_not_told_are_left_out_and_their_columns_are_known() -> None:
    world = World()
    hidden = ("(not shown)", "(not shown)")
    for seconds in (100, 101):
        version(world, seconds, "orders", 7, {"state": ("a", "b"), "notes": hidden})
    incident = world.incident()
    told = changes_in(incident, MINUTE)
    assert told.get_column("column").unique().to_list() == ["state"]
    details = details_of(incident, told.get_column("row"))
    assert details.get_column("columns").to_list() == [["state", "notes"]] * 2


def test_the_locking_counter_is_no_column_but_is_told() -> None:
    world = World()
    for seconds in (100, 101):
        version(world, seconds, "orders", 7, {"state": ("a", "b")}, lock=(4, 5), number=9)
    incident = world.incident()
    told = changes_in(incident, MINUTE)
    assert told.get_column("column").unique().to_list() == ["state"]
    (detail, _) = details_of(incident, told.get_column("row")).to_dicts()
    assert (detail["lock"], detail["number"]) == ("4", "9")


def test_versions_that_stand_alone_are_not_read() -> None:
    world = World()
    version(world, 100, "orders", 7, {"state": ("a", "b")})
    version(world, 101, "orders", 8, {"state": ("a", "b")})
    version(world, 190, "orders", 7, {"state": ("b", "c")})
    assert changes_in(world.incident(), MINUTE).is_empty()


def test_two_tools_and_two_rows_are_different_chains() -> None:
    world = World()
    for tool in ("paper_trail", "audited"):
        for seconds in (100, 101):
            event = version(world, seconds, "orders", 7, {"state": ("a", "b")}, tool=tool)
            if tool == "audited":
                position = world.events.index(event)
                moved = event.ref.replace("versions/", "audits/")
                world.events[position] = type(event)(
                    **{name: getattr(event, name) for name in event.__slots__} | {"ref": moved}
                )
    told = changes_in(world.incident(), MINUTE)
    assert told.get_column("chain").n_unique() == 2
    assert told.height == 4


def test_a_class_without_a_table_names_the_thing() -> None:
    world = World()
    for seconds in (100, 101):
        version(world, seconds, "", 7, {"state": ("a", "b")}, item_type="Shop::OrderItem")
    incident = world.incident()
    rows = changes_in(incident, MINUTE).get_column("row")
    (detail, _) = details_of(incident, rows).to_dicts()
    assert (detail["thing"], detail["table"]) == ("order_item:7", "Shop::OrderItem")


def test_what_is_lacking_to_compare_versions() -> None:
    world = healthy(World())
    assert missing_versions(world.incident()).startswith("row versions (")
    version(world, 100, "orders", 7, {})
    assert "empty or could not be read" in missing_versions(world.incident())
    version(world, 101, "orders", 7, {"notes": ("(not shown)", "(not shown)")})
    assert "configure the columns" in missing_versions(world.incident())
    version(world, 102, "orders", 8, {"state": ("new", "paid")})
    assert missing_versions(world.incident()) == ""
    assert changes_in(world.incident(), MINUTE).is_empty()
