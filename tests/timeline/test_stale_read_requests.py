"""stale-read by requests: a page asked for right after the form was sent, and look-alikes."""

from __future__ import annotations

import pytest

from timeline.detectors.stale_read import BEHIND, StaleRead, StaleReadDetector
from timeline.finding import Finding, NotEvaluated
from timeline.order import Verdict

from .test_stale_read import lag
from .worlds import World, healthy

WHEN = 1500.0
MISSING = "GET /orders/88 404 request_id=q2 order_id=88: Order 88 not found"


def found(world: World) -> list[Finding]:
    result = StaleReadDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated), result.sentence()
    return list(result)


def read_after_write(
    missing: str = MISSING, *, written: float = WHEN, replica: bool = True, row: bool = True
) -> World:
    """Order 88 is written and answered 40 ms later; 100 ms after that a page of it is asked for."""
    world = healthy(World())
    world.log(written, "shop", "POST /orders started request_id=q1 order_id=88")
    if row:
        world.row(written + 0.01, "orders", 88)
    world.log(written + 0.04, "shop", "POST /orders 201 request_id=q1 order_id=88")
    world.error(WHEN + 0.14, "shop", missing)
    if replica:
        world.systems["postgres"] = "postgresql 16.3 (replica)"
    return world


def test_a_page_that_misses_what_was_just_written_may_have_read_a_replica() -> None:
    (finding,) = found(read_after_write())
    assert isinstance(finding, StaleRead)
    assert finding.verdict is Verdict.POSSIBLE
    assert finding.sentence().startswith(
        "1 request did not find a row of orders that was there: 88"
    )
    assert finding.clause() == "1 request did not find a row that was there"
    assert finding.next_action == "Compare 88 on the primary and on the replica."
    assert "request:q2" in finding.keys


def test_a_measured_lag_makes_it_likely() -> None:
    world = read_after_write()
    lag(world, WHEN - 10, 0.0)
    lag(world, WHEN + 5, 3.0)
    (finding,) = found(world)
    assert isinstance(finding, StaleRead)
    assert (finding.verdict, finding.sign) == (Verdict.LIKELY, BEHIND)
    assert finding.clause() == "1 request read a replica that was behind"


@pytest.mark.parametrize(
    "world",
    [
        read_after_write(replica=False),
        read_after_write(row=False),
        read_after_write(written=WHEN + 0.2),
        read_after_write("GET /orders/89 404 request_id=q2 order_id=89: Order 89 not found"),
        read_after_write("GET /favicon.ico 404 request_id=q2: not found"),
        read_after_write("cart of order_id=88 request_id=q2: Voucher 9 not found"),
    ],
    ids=["no replica", "no row", "written later", "another row", "no key", "another kind"],
)
def test_a_look_alike_is_silent(world: World) -> None:
    assert found(world) == []


def test_an_answer_stamped_in_the_millisecond_of_its_row_came_after_it() -> None:
    world = healthy(World())
    world.log(WHEN, "shop", "POST /orders 201 request_id=q1 order_id=88")
    world.row(WHEN + 0.000_2, "orders", 88)  # the line's stamp has milliseconds, the row's more
    world.error(WHEN + 0.1, "shop", MISSING)
    world.systems["postgres"] = "postgresql 16.3 (replica)"
    (finding,) = found(world)
    assert isinstance(finding, StaleRead)
    assert "after the request that wrote it was answered" in finding.sentence()
