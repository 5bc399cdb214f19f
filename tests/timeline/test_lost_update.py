"""lost-update: two writers that read one row, and everything that only looks like it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from connectors.sql.audit import AuditRow, versions_of
from connectors.sql.audit_events import VersionEvents
from connectors.sql.audit_shapes import shape_of
from connectors.sql.tables import Column
from timeline.clock import ClockBound
from timeline.detectors.lost_update import LostUpdate, LostUpdateDetector
from timeline.facts.overwrites import PUT_BACK, SAME_BASE
from timeline.finding import Finding, NotEvaluated
from timeline.order import Verdict, at_least

from .recorded import request, version
from .worlds import SECOND, World, at, healthy

WHEN = 1500.0


def found(world: World) -> list[Finding]:
    result = LostUpdateDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated), result.sentence()
    return list(result)


def only(world: World) -> LostUpdate:
    (finding,) = found(world)
    assert isinstance(finding, LostUpdate)
    return finding


def stock(
    world: World,
    first: tuple[object, object] = (10, 9),
    second: tuple[object, object] = (10, 8),
    *,
    apart: float = 0.3,
    spans: bool = True,
    column: str = "stock",
) -> World:
    """Two requests that take from one shelf; `spans` writes their log lines, too."""
    if spans:
        request(world, "a1", WHEN - 0.4, WHEN + 0.1, "/products/7")
        request(world, "b2", WHEN - 0.3, WHEN + apart + 0.1, "/products/7")
    pairs = (first, second)
    for place, (name, pair) in enumerate(zip(("a1", "b2"), pairs, strict=True)):
        changed = {column: pair}
        version(world, WHEN + place * apart, "products", 7, changed, request=name)  # type: ignore[arg-type]
    return world


def whole_row(world: World, *, spans: bool = True, others: bool = True) -> World:
    """One request approves the order, the other saves all of it as it had read it."""
    if spans:
        request(world, "r1", WHEN, WHEN + 0.4, "/orders/77")
        request(world, "r2", WHEN + 0.05, WHEN + 0.7, "/orders/77")
    version(world, WHEN + 0.3, "orders", 77, {"state": ("new", "paid")}, actor="101", request="r1")
    undone: dict[str, tuple[object, object]] = {"state": ("paid", "new")}
    if others:
        undone["plan_id"] = (3, 4)
    version(world, WHEN + 0.6, "orders", 77, undone, actor="202", request="r2")  # type: ignore[arg-type]
    return world


def test_one_base_and_a_second_writer_that_had_begun_is_certain() -> None:
    finding = only(stock(healthy(World())))
    assert finding.verdict is Verdict.CERTAIN
    assert finding.sign == SAME_BASE
    (case,) = finding.cases
    assert (case.base, case.first, case.second) == ("10", "9", "8")
    assert finding.sentence() == (
        "1 update of products was lost: products/7 stock was set to 9 at 02:25:00.000 and to 8 "
        "300 ms later, and both had read 10."
    )
    assert finding.clause() == "1 update of products/7 was lost"
    assert finding.keys == ("product:7", "request:a1", "request:b2")
    assert [step.role for step in finding.steps] == [
        "second writer begins",
        "first write",
        "second write",
    ]


def test_both_took_one_of_the_last_ten() -> None:
    finding = only(stock(World(), (10, 9), (10, 9)))
    assert finding.cases[0].first == finding.cases[0].second == "9"


def test_a_whole_row_written_over_is_likely() -> None:
    finding = only(whole_row(healthy(World())))
    assert finding.verdict is Verdict.LIKELY
    assert finding.sign == PUT_BACK
    assert finding.sentence() == (
        "1 update of orders was lost: orders/77 state was set to paid by 101 at 02:25:00.300 and "
        "put back to new 300 ms later by 202 with a change of plan_id."
    )
    assert finding.alternatives == ("the second writer put the old value back on purpose",)


def test_without_their_requests_the_values_alone_are_weaker() -> None:
    assert only(stock(World(), spans=False)).verdict is Verdict.LIKELY
    assert only(whole_row(World(), spans=False)).verdict is Verdict.POSSIBLE


def test_two_people_without_request_ids_are_two_writers() -> None:
    world = World()
    for actor, change in (
        ("7", {"state": ("new", "paid")}),
        ("8", {"state": ("paid", "new"), "plan_id": (1, 2)}),
    ):
        version(world, WHEN + int(actor) / 10, "orders", 77, change, actor=actor)  # type: ignore[arg-type]
    assert only(world).verdict is Verdict.POSSIBLE


def test_a_second_writer_that_began_afterwards_read_an_old_copy() -> None:
    world = stock(World(), apart=10.0, spans=False)
    request(world, "a1", WHEN - 0.4, WHEN + 0.1, "/products/7")
    request(world, "b2", WHEN + 9.8, WHEN + 10.2, "/products/7")
    finding = only(world)
    assert finding.verdict is Verdict.POSSIBLE
    assert "an old copy" in finding.alternatives[-1]


@pytest.mark.parametrize("more", [{"lock": (4, 5)}, {"number": 12}])
def test_the_same_number_read_by_both_needs_no_spans(more: dict[str, object]) -> None:
    world = World()
    for place, left in enumerate(("gold", "silver")):
        changed = {"grade": ("none", left)}
        version(world, WHEN + place, "", 5, changed, item_type="Member", **more)  # type: ignore[arg-type]
    finding = only(world)
    assert finding.verdict is Verdict.CERTAIN
    assert finding.cases[0].key == "member:5"
    assert finding.cases[0].name == "Member/5"


def test_jobs_that_ran_on_the_row_are_inferred_as_writers() -> None:
    world = World()
    world.run("j1", "invoice_id=3", WHEN - 3, WHEN - 2, WHEN + 0.2, job_class="Settle")
    world.run("j2", "invoice_id=3", WHEN - 3, WHEN - 1.9, WHEN + 3, job_class="Remind")
    version(world, WHEN, "invoices", 3, {"total": ("10.0", "12.5")})
    version(world, WHEN + 2, "invoices", 3, {"total": ("10.0", "9.9")})
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert finding.cases[0].writers == ("job:j1", "job:j2")


def test_a_write_told_by_two_tools_is_told_once() -> None:
    world = stock(World())
    version(world, WHEN + 0.01, "products", 7, {"stock": (10, 9)}, tool="audited")
    version(world, WHEN + 0.31, "products", 7, {"stock": (10, 8)}, tool="audited")
    assert len(only(world).cases) == 1


def in_turn(world: World) -> None:
    stock(world, (10, 9), (9, 8))


def the_same_step_twice(world: World) -> None:
    stock(world, ("open", "done"), ("open", "done"), column="state")
    stock(world, (0, 1), (0, 1), column="status")


def counters_and_stamps(world: World) -> None:
    for column in ("comments_count", "seen_at", "lock_version", "position"):
        stock(world, (10, 9), (10, 8), column=column)


def not_shown(world: World) -> None:
    version(world, 60, "products", 9, {"state": ("new", "old")})
    stock(world, ("(not shown)", "(not shown)"), ("(not shown)", "(not shown)"))


def one_request_writes_twice(world: World) -> None:
    version(world, WHEN, "products", 7, {"stock": (10, 9)}, request="a1")
    version(world, WHEN + 0.1, "products", 7, {"stock": (10, 8)}, request="a1")


def one_transaction_writes_twice(world: World) -> None:
    version(world, WHEN, "products", 7, {"stock": (10, 9)}, txn="900", request="a1")
    version(world, WHEN + 0.1, "products", 7, {"stock": (10, 8)}, txn="900", request="b2")


def one_job_writes_twice(world: World) -> None:
    world.run("j1", "product_id=7", WHEN - 3, WHEN - 2, WHEN + 2)
    version(world, WHEN, "products", 7, {"stock": (10, 9)})
    version(world, WHEN + 0.1, "products", 7, {"stock": (10, 8)})


def changed_back_on_purpose(world: World) -> None:
    whole_row(world, others=False)


def changed_back_afterwards(world: World) -> None:
    request(world, "r1", WHEN, WHEN + 0.4, "/orders/77")
    request(world, "r2", WHEN + 2, WHEN + 2.4, "/orders/77")
    version(world, WHEN + 0.3, "orders", 77, {"state": ("new", "paid")}, request="r1")
    undone = {"state": ("paid", "new"), "plan_id": (3, 4)}
    version(world, WHEN + 2.3, "orders", 77, undone, request="r2")  # type: ignore[arg-type]


def much_later(world: World) -> None:
    stock(world, apart=90.0)


def another_row(world: World) -> None:
    version(world, WHEN, "products", 7, {"stock": (10, 9)}, request="a1")
    version(world, WHEN + 0.1, "products", 8, {"stock": (10, 8)}, request="b2")


def deleted_and_created(world: World) -> None:
    version(world, WHEN, "carts", 7, {"state": ("open", None)}, action="deleted", request="a1")
    version(world, WHEN + 1, "carts", 7, {"state": (None, "open")}, action="created", request="b2")


CONFUSERS = [
    in_turn,
    the_same_step_twice,
    counters_and_stamps,
    not_shown,
    one_request_writes_twice,
    one_transaction_writes_twice,
    one_job_writes_twice,
    changed_back_on_purpose,
    changed_back_afterwards,
    much_later,
    another_row,
    deleted_and_created,
]


@pytest.mark.parametrize("confuser", CONFUSERS)
def test_confusers_stay_silent(confuser: Callable[[World], None]) -> None:
    world = World()
    confuser(world)
    assert found(world) == []


def test_without_versions_it_is_not_evaluated() -> None:
    result = LostUpdateDetector().detect(healthy(World()).incident())
    assert isinstance(result, NotEvaluated)
    assert "row versions" in result.sentence()


def test_versions_that_tell_nothing_are_no_clean_bill() -> None:
    world = World()
    for place, name in enumerate(("a1", "b2")):
        version(world, WHEN + place, "products", 7, {}, request=name)
    result = LostUpdateDetector().detect(world.incident())
    assert isinstance(result, NotEvaluated)
    assert "tell what changed" in result.needs


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_arrival_does_not_matter(seed: int) -> None:
    world = stock(whole_row(healthy(World())))
    told = [finding.evidence() for finding in found(world)]
    random.Random(seed).shuffle(world.events)
    assert [finding.evidence() for finding in found(world)] == told


@pytest.mark.parametrize("story", [stock, whole_row])
@pytest.mark.parametrize("milliseconds", [50, 400, 5_000, 90_000])
def test_a_wider_clock_never_makes_it_surer(
    story: Callable[[World], World], milliseconds: int
) -> None:
    bound = ClockBound(milliseconds * 1_000_000, milliseconds * 1_000_000)
    tight, wide = only(story(World())), only(story(World(bound=bound)))
    assert at_least(tight.verdict, wide.verdict)


def test_moving_everything_moves_only_the_times() -> None:
    world = stock(World())
    here = only(world)
    world.shift = 86_400 * SECOND
    there = only(world)
    assert there.began - here.began == 86_400 * SECOND
    assert here.began == at(WHEN)
    assert replace(there.cases[0], first_at=0, second_at=0) == replace(
        here.cases[0], first_at=0, second_at=0
    )


@dataclass(frozen=True)
class Orders:
    """A table as a connector knows it."""

    label: str = "shop.orders"
    key_type: str = "order"
    carried: tuple[Column, ...] = ()


def test_versions_as_a_connector_tells_them() -> None:
    world = World()
    names = ("item_type", "item_id", "event", "whodunnit", "created_at", "object_changes")
    shape = shape_of("versions", dict.fromkeys((*names, "request_id"), "text"))
    assert shape is not None
    rows: list[AuditRow] = [
        {
            "id": place,
            "item_type": "Order",
            "item_id": 77,
            "event": "update",
            "whodunnit": person,
            "created_at": at(WHEN + place) // 1_000,
            "object_changes": json.dumps({"state": ["new", left], "updated_at": [None, place]}),
            "request_id": f"r{place}",
        }
        for place, (person, left) in enumerate((("101", "paid"), ("202", "void")))
    ]
    events = VersionEvents("postgres", "versions", "", "primary", world.rules, [Orders()])
    told = (events.of(recorded, "") for recorded in versions_of(shape, rows))
    world.events += [event for event in told if event is not None]
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert finding.sentence() == (
        "1 update of orders was lost: orders/77 state was set to paid by 101 at 02:25:00.000 and "
        "to void by 202 1.0 s later, and both had read new."
    )
    assert finding.keys == ("order:77",)
