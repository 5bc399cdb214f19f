"""duplicate-create: two rows for one thing, attempts that had worked, constraints that held."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from timeline.clock import ClockBound
from timeline.detectors.duplicate_create import DuplicateCreate, DuplicateCreateDetector
from timeline.finding import NotEvaluated
from timeline.keys import KeyRules, KeyType
from timeline.order import Verdict

from .findings import findings_of
from .worlds import SECOND, World, at, healthy

TRIED = 1200.0
PSQL = 'duplicate key value violates unique constraint "{table}_{column}_key"'
TIMED_OUT = "could not save: psycopg.OperationalError: server closed the connection unexpectedly"


def found(world: World) -> list[DuplicateCreate]:
    return findings_of(DuplicateCreateDetector(), world.incident(), DuplicateCreate)


def only(world: World) -> DuplicateCreate:
    (finding,) = found(world)
    return finding


def seats(world: World, *, number: int = 40) -> World:
    """Bookings of different seats, one a quarter of a minute."""
    for index in range(number):
        told = {"seat_id": index, "user_id": 1000 + index, "status": "held"}
        world.row(10 + index * 15, "bookings", index, columns=told)
    return world


def tried_again(
    world: World, *, key: str = "order_id=77", detail: str = "", wrote: bool = True
) -> None:
    """A request whose insert ended open, and a second one that hit the constraint."""
    world.log(TRIED, "shop", f"POST /orders request_id=q1 {key}")
    if wrote:
        world.row(TRIED + 0.1, "orders", 77)
    world.error(TRIED + 1, "shop", f"{TIMED_OUT} request_id=q1")
    world.log(TRIED + 8, "shop", f"POST /orders request_id=q2 {key}")
    text = PSQL.format(table="orders", column="number")
    world.error(TRIED + 8.1, "shop", f"{text}{detail} request_id=q2")


def test_a_rejected_duplicate_proves_that_the_first_attempt_wrote_its_row() -> None:
    world = healthy(World())
    tried_again(world)
    finding = only(world)
    assert finding.verdict is Verdict.CERTAIN
    assert finding.form == "written after all"
    assert finding.keys == ("order:77", "row:orders/77")
    assert finding.sentence() == (
        "1 attempt that ended in an error (closed at 02:20:01.000) had written its row after all: "
        "a later one hit the constraint orders_number_key at 02:20:08.100 (77)."
    )
    assert finding.next_action.startswith("Take 77 as created: continue after the insert")
    assert [step.role for step in finding.steps] == ["outcome open", "already there"]


def test_without_the_row_in_sight_it_is_inferred() -> None:
    world = healthy(World())
    tried_again(world, wrote=False)
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert "both are about order:77" in finding.weakest_link


@pytest.mark.parametrize(
    "wording",
    [
        "Duplicate entry 'ada@example.org' for key 'users.email'",
        'duplicate key value violates unique constraint "users_email_key" '
        "DETAIL: Key (email)=(ada@example.org) already exists.",
    ],
)
def test_the_rejected_value_joins_two_attempts_and_is_not_told(wording: str) -> None:
    world = healthy(World())
    world.log(TRIED, "web", "sign-up of ada@example.org request_id=q1")
    world.error(TRIED + 1, "web", f"{TIMED_OUT} request_id=q1")
    world.log(TRIED + 30, "web", "sign-up of ada@example.org request_id=q2")
    world.error(TRIED + 30.1, "web", f"{wording} request_id=q2")
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert "ada" not in finding.sentence() + str(finding.evidence()["cases"])


def test_the_server_and_the_client_tell_of_one_rejection_once() -> None:
    world = healthy(World())
    tried_again(world)
    world.error(TRIED + 8.05, "postgres", PSQL.format(table="orders", column="number"))
    assert len(only(world).cases) == 1


def test_two_equal_rows_a_moment_apart_are_likely_one_thing() -> None:
    world = seats(healthy(World()))
    for pk, later in ((900, 0.0), (901, 0.3)):
        told = {"seat_id": 7000, "user_id": 5, "status": f"s{pk}", "created_at": f"t{pk}"}
        world.row(TRIED + later, "bookings", pk, columns=told)
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert finding.sentence() == (
        "1 row of bookings was created twice, 300 ms apart at 02:20:00.000: "
        "bookings/900 and bookings/901."
    )
    assert set(finding.keys) >= {"row:bookings/900", "row:bookings/901"}


def test_an_equal_public_id_is_certain() -> None:
    rules = KeyRules((KeyType("parcel", table="parcels", public_id="label"),))
    world = healthy(World(rules=rules))
    for pk, later in ((1, 0.0), (2, 0.3)):
        world.row(TRIED + later, "parcels", pk, columns={"label": "P-77", "weight": pk})
    assert only(world).verdict is Verdict.CERTAIN


def test_too_few_rows_of_the_table_make_it_possible() -> None:
    world = healthy(World())
    for pk, later in ((900, 0.0), (901, 0.3)):
        world.row(TRIED + later, "bookings", pk, columns={"seat_id": 7000})
    assert only(world).verdict is Verdict.POSSIBLE


def test_a_constraint_that_held_is_a_qualifier() -> None:
    world = healthy(World())
    world.row(TRIED, "orders", 77)
    text = PSQL.format(table="orders", column="number")
    world.error(TRIED + 0.2, "shop", f"{text} order_id=77 request_id=q2")
    finding = only(world)
    assert finding.qualifier
    assert finding.form == "stopped"


def rows_of_one_transaction(world: World) -> None:
    seats(world)
    for pk in (900, 901):
        world.row(TRIED, "bookings", pk, columns={"seat_id": 7000, "user_id": 5})


def rows_that_repeat_all_the_time(world: World) -> None:
    for index in range(80):
        for half in (0, 1):
            told: dict[str, object] = {"user_id": index % 9}
            world.row(10 + index * 20 + half, "visits", index * 2 + half, columns=told)


def rows_written_by_two_jobs(world: World) -> None:
    seats(world)
    for number in (0, 1):
        begun = TRIED + number
        world.run(f"d{number}", "user_id=5", begun - 1, begun, begun + 0.5)
        told: dict[str, object] = {"seat_id": 7000, "user_id": 5}
        world.row(begun + 0.2, "bookings", 900 + number, columns=told)


def rows_of_jobs_that_the_queue_forgot(world: World) -> None:
    seats(world)
    for number in (0, 1):
        begun = TRIED + number
        world.log(begun, "clerk", f"start book job_id=d{number} user_id=5")
        world.log(begun + 0.5, "clerk", f"end book job_id=d{number} user_id=5")
        told: dict[str, object] = {"seat_id": 7000, "user_id": 5}
        world.row(begun + 0.2, "bookings", 900 + number, columns=told)


def rows_that_say_nothing(world: World) -> None:
    for pk in range(40):
        told: dict[str, object] = {"status": "new", "created_at": "x", "note": None}
        world.row(TRIED + pk / 10, "pings", pk, columns=told)


def violations_at_a_routine_rate(world: World) -> None:
    for index in range(200):
        world.row(10 + index * 10, "orders", index)
        text = PSQL.format(table="orders", column="number")
        world.error(10.5 + index * 10, "shop", f"{text} order_id={index}")


def another_thing_timed_out_before(world: World) -> None:
    world.error(TRIED, "shop", f"{TIMED_OUT} request_id=q1 order_id=76")
    text = PSQL.format(table="orders", column="number")
    world.error(TRIED + 5, "shop", f"{text} request_id=q2 order_id=77")


def a_person_does_many_things(world: World) -> None:
    world.error(TRIED, "shop", f"{TIMED_OUT} request_id=q1 user_id=5")
    text = PSQL.format(table="orders", column="number")
    world.error(TRIED + 5, "shop", f"{text} request_id=q2 user_id=5")


def the_error_said_that_nothing_was_done(world: World) -> None:
    refused = "Error 111 connecting to db:5432. Connection refused."
    world.error(TRIED, "shop", f"{refused} request_id=q1 order_id=77")
    text = PSQL.format(table="orders", column="number")
    world.error(TRIED + 5, "shop", f"{text} request_id=q2 order_id=77")


@pytest.mark.parametrize(
    "confuser",
    [
        rows_of_one_transaction,
        rows_that_repeat_all_the_time,
        rows_written_by_two_jobs,
        rows_of_jobs_that_the_queue_forgot,
        rows_that_say_nothing,
        violations_at_a_routine_rate,
        another_thing_timed_out_before,
        a_person_does_many_things,
        the_error_said_that_nothing_was_done,
    ],
)
def test_confusers_stay_silent(confuser: Callable[[World], None]) -> None:
    world = healthy(World())
    confuser(world)
    assert found(world) == []


def test_a_healthy_night_is_silent() -> None:
    assert found(seats(healthy(World()))) == []


def test_a_wider_clock_only_weakens() -> None:
    world = healthy(World())
    tried_again(world)
    for event in list(world.events):
        if event.actor == "shop" and "q2" in event.body:
            world.events.remove(event)
    text = PSQL.format(table="orders", column="number")
    world.error(TRIED + 8.1, "admin", f"{text} order_id=77")
    assert only(world).verdict is Verdict.CERTAIN
    world.bound = ClockBound(10 * SECOND, 10 * SECOND, "assumed")
    assert only(world).verdict in (Verdict.LIKELY, Verdict.POSSIBLE)


def test_order_of_arrival_and_shift() -> None:
    world = seats(healthy(World()))
    tried_again(world)
    first = only(world)
    world.events.reverse()
    assert only(world) == first
    world.shift = 90 * SECOND
    assert only(world).began == at(TRIED + 1) + 90 * SECOND


def test_needs_rows_or_logs() -> None:
    world = World()
    world.run("a", "user_id=1", 1, 2, 3)
    assert isinstance(DuplicateCreateDetector().detect(world.incident()), NotEvaluated)


def test_unrelated_lines_change_nothing() -> None:
    world = healthy(World())
    tried_again(world)
    first = only(world)
    for number in range(50):
        world.log(100 + number * 30, "weather", f"station_id={number} reports 4 degrees")
    assert only(world).sentence() == first.sentence()
    assert only(world).keys == first.keys


def test_rows_that_carry_only_their_campaign_are_not_the_same() -> None:
    """Sign-ups come in waves, and all that the source carries of them is a foreign key."""
    world = healthy(World())
    for wave in range(30):
        for number in range(4):
            told = {"campaign_id": 7, "status": "active"}
            world.row(20 + wave * 60 + number * 0.3, "members", wave * 10 + number, columns=told)
    assert not found(world)
