"""Keys to pick from: grouped, counted, dated, and completed from what is typed."""

from __future__ import annotations

from timeline.known_keys import completions, described, group_of

from .worlds import World, at


def world() -> World:
    made = World()
    made.log(1000, "web", "sign-up user_id=4711 request_id=c0ffee")
    made.log(1003, "web", "mailed user_id=4711")
    made.log(1001, "web", "sign-up user_id=4712 request_id=c0de")
    made.row(1000, "orders", 4713)
    return made


def test_keys_stand_by_what_they_name_the_rarest_first() -> None:
    found = described(
        world().incident().snapshot, ["user:4711", "row:orders/4713", "user:4712", "request:c0ffee"]
    )
    assert [one.key for one in found] == [
        "request:c0ffee", "user:4712", "user:4711", "row:orders/4713",
    ]  # fmt: skip
    assert [one.group for one in found] == ["requests", "things", "things", "database rows"]
    assert (found[2].rows, found[2].first, found[2].last) == (2, at(1000), at(1003))


def test_a_key_that_nobody_holds_is_told_with_no_rows() -> None:
    (one,) = described(world().incident().snapshot, ["order:9"])
    assert (one.rows, one.first, one.last, one.broad) == (0, None, None, False)


def test_typing_completes_types_and_values() -> None:
    snapshot = world().incident().snapshot
    assert [one.key for one in completions(snapshot, "user:471")] == ["user:4712", "user:4711"]
    assert {one.key for one in completions(snapshot, "4713")} == {"order:4713"}
    assert [one.key for one in completions(snapshot, "request:c0f")] == ["request:c0ffee"]
    assert completions(snapshot, "  ") == []
    assert completions(snapshot, "(") == []


def test_every_type_has_a_group() -> None:
    assert [group_of(key) for key in ("trace:1", "message:2", "txn:3", "peer:redis:6379", "x")] == [
        "requests", "jobs", "transactions", "hosts and peers", "things",
    ]  # fmt: skip
