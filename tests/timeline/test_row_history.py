"""What is known of one database row: versions where they are kept, and honest words where not."""

from __future__ import annotations

from dataclasses import replace

from timeline.event import Event, Kind
from timeline.row_history import Change, RowHistory, history_of

from .recorded import version
from .worlds import World, iso


def history(world: World, event: Event) -> RowHistory:
    found = history_of(world.incident(), event)
    assert found is not None
    return found


def test_versions_tell_only_what_changed_by_whom_in_which_transaction() -> None:
    world = World()
    version(world, 1000, "orders", 77, {"state": (None, "new")}, action="created", actor="ann")
    last = version(
        world, 1010, "orders", 77, {"state": ("new", "paid"), "total": (10, 12)},
        actor="bob", txn="734", request="q1",
    )  # fmt: skip
    version(world, 1005, "orders", 78, {"state": ("new", "lost")}, actor="eve")
    found = history(world, last)
    assert found.kept and "paper_trail" in found.sentence
    assert [(v.action, v.actor) for v in found.versions] == [("created", "ann"), ("updated", "bob")]
    paid = found.versions[1]
    assert (paid.transaction, paid.request) == ("734", "q1")
    assert paid.changes == (Change("state", "new", "paid"), Change("total", "10", "12"))
    assert found.versions[0].changes == (Change("state", None, "new"),)


def test_a_value_that_is_not_told_is_never_shown_as_one() -> None:
    world = World()
    event = version(world, 1000, "users", 7, {"email": ("(not shown)", "(not shown)")})
    (change,) = history(world, event).versions[0].changes
    assert change.hidden


def test_a_source_without_versions_says_so_and_names_no_old_value() -> None:
    world = World()
    event = world.row(1000, "orders", 77, columns={"state": "paid"})
    found = history(world, event)
    assert not found.kept
    assert found.sentence.startswith("No version is kept by this source (postgres)")
    assert [v.changes for v in found.versions] == [()]


def test_two_reads_that_differ_tell_a_change_between_them() -> None:
    world = World()
    world.row(1000, "orders", 77, columns={"state": "new", "total": 5}, seen=1100)
    last = world.row(
        1200, "orders", 77, kind=Kind.ROW_UPDATED, columns={"state": "paid", "total": 5}, seen=1300
    )
    updated = history(world, last).versions[1]
    assert updated.changes == (Change("state", "new", "paid"),)
    assert updated.note == f"changed between the reads at {iso(1100)} and {iso(1300)}"


def test_events_of_one_read_tell_no_change() -> None:
    world = World()
    world.row(1000, "orders", 77, columns={"state": "paid"})
    last = world.row(1200, "orders", 77, kind=Kind.ROW_UPDATED, columns={"state": "paid"})
    found = history(world, last)
    assert [v.action for v in found.versions] == ["inserted", "updated"]
    assert [v.changes for v in found.versions] == [(), ()]


def test_a_line_of_a_log_has_no_row_history() -> None:
    world = World()
    event = world.log(1000, "web", "order 77 paid", keys=("row:orders/77",))
    assert history_of(world.incident(), event) is None


def test_the_transaction_that_a_read_names_is_that_of_the_last_write() -> None:
    world = World()
    for seconds, kind in ((1000, Kind.ROW_INSERTED), (1200, Kind.ROW_UPDATED)):
        event = world.row(seconds, "orders", 77, kind=kind)
        told = event.attributes or "{}"
        with_xmin = told.replace("{", '{"xmin": "901", ', 1)
        world.events[-1] = replace(event, attributes=with_xmin)
    found = history(world, world.events[-1])
    assert [v.transaction for v in found.versions] == ["", "901"]
