"""stale-read where a row is found, and found as it had been before."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from timeline.detectors.stale_read import StaleReadDetector
from timeline.detectors.stale_values import StaleValue
from timeline.event import Event, Kind, Lane, Meaning
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .test_stale_read import lag
from .worlds import World, at, healthy

WHEN = 1500.0


def found(world: World) -> list[StaleValue]:
    result = StaleReadDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated), result.sentence()
    return [finding for finding in result if isinstance(finding, StaleValue)]


def moved(
    world: World, table: str, pk: str, column: str, old: object, new: object, *, seconds: float
) -> None:
    """A row that is written and changed a moment later, both with their commits."""
    world.row(seconds - 20, table, pk, columns={column: old}, commit=seconds - 19.9)
    world.row(
        seconds, table, pk, kind=Kind.ROW_UPDATED, columns={column: new}, commit=seconds + 0.01
    )


def audited(world: World, table: str, pk: str, change: dict[str, list[str]], second: float) -> None:
    """One line of an audit table."""
    told = {"table": table, "pk": pk, "action": "updated", "changed": change}
    world.events.append(
        Event(
            timestamp=at(second),
            source="postgres",
            lane=Lane.DATABASE,
            kind=Kind.ROW_VERSION,
            body=f"{table} {pk} changed",
            ref=f"{table}_versions/{pk}{second}",
            seq=int(second * 1000),
            actor=table,
            meaning=Meaning.COMMITTED,
            keys=world.rules.row_keys(table, pk),
            attributes=json.dumps(told),
        )
    )


def behind(world: World, seconds: float = 9.0) -> None:
    for sample in range(0, 2100, 15):
        lag(world, sample, seconds if WHEN - 60 < sample < WHEN + 120 else 0.02)


def a_job_skips_a_draft(world: World) -> None:
    behind(world)
    moved(world, "offers", "831", "state", "draft", "submitted", seconds=WHEN)
    world.log(WHEN + 2, "mailer", "offer_id=831 is still draft, skipped", severity=13)


def an_audit_table_knows_better(world: World) -> None:
    behind(world)
    audited(world, "payments", "77", {"status": ["authorized", "captured"]}, WHEN)
    world.log(WHEN + 3, "ledger", '{"payment_id": 77, "status": "authorized"} nothing to book')


def a_number_of_the_version(world: World) -> None:
    behind(world)
    moved(world, "carts", "55", "revision", 3, 4, seconds=WHEN)
    world.log(WHEN + 1, "web", "cart_id=55 loaded revision=3 from storage")


def the_line_names_the_replica(world: World) -> None:
    moved(world, "offers", "831", "state", "draft", "submitted", seconds=WHEN)
    world.log(WHEN + 2, "mailer", "read offer_id=831 state: draft (standby db-2)")


@pytest.mark.parametrize(
    "night",
    [
        a_job_skips_a_draft,
        an_audit_table_knows_better,
        a_number_of_the_version,
        the_line_names_the_replica,
    ],
)
def test_an_old_value_from_a_copy_that_was_behind_is_likely(night: Callable[[World], None]) -> None:
    world = healthy(World())
    night(world)
    (finding,) = found(world)
    assert finding.verdict is Verdict.LIKELY
    assert finding.term == "stale-read"
    assert at(WHEN) <= finding.began <= finding.ended <= at(WHEN + 3)
    assert finding.old in finding.sentence()


def test_a_state_in_another_language_is_read_by_what_stands_before_it() -> None:
    world = healthy(World())
    moved(world, "bestellungen", "831", "zustand", "entwurf", "bestaetigt", seconds=WHEN)
    key = world.rules.row_keys("bestellungen", "831")[1]
    behind(world)
    world.log(WHEN + 2, "versand", "Bestellung ist noch entwurf, warte", keys=(key,), severity=13)
    (finding,) = found(world)
    assert (finding.reader, finding.old, finding.new) == ("versand", "entwurf", "bestaetigt")


def test_without_the_commit_it_is_possible() -> None:
    world = healthy(World())
    for columns, seconds in (({"state": "draft"}, WHEN - 20), ({"state": "submitted"}, WHEN)):
        kind = Kind.ROW_INSERTED if seconds < WHEN else Kind.ROW_UPDATED
        world.row(seconds, "offers", "831", kind=kind, columns=dict(columns))
    behind(world)
    world.log(WHEN + 2, "mailer", "offer_id=831 is still draft, skipped", severity=13)
    (finding,) = found(world)
    assert finding.verdict is Verdict.POSSIBLE
    assert "not on record" in finding.weakest_link


def it_tells_of_the_change(world: World) -> None:
    world.log(WHEN + 0.1, "web", "offer_id=831 state: draft -> submitted")


def it_was_read_before(world: World) -> None:
    world.log(WHEN - 1, "mailer", "offer_id=831 is still draft, skipped")


def a_word_of_everyday(world: World) -> None:
    world.log(WHEN + 2, "mailer", "sent draft of the reminder for offer_id=831")


def another_thing(world: World) -> None:
    world.log(WHEN + 2, "mailer", "offer_id=832 is still draft, skipped")


def the_request_had_begun_before(world: World) -> None:
    world.log(WHEN - 0.5, "web", "GET /offers/831 started request_id=q1")
    world.log(WHEN + 0.2, "web", "offer_id=831 state=draft request_id=q1")


def it_is_told_much_later(world: World) -> None:
    world.log(WHEN + 40, "mailer", "offer_id=831 is still draft, skipped")


@pytest.mark.parametrize(
    "night",
    [
        it_tells_of_the_change,
        it_was_read_before,
        a_word_of_everyday,
        another_thing,
        the_request_had_begun_before,
        it_is_told_much_later,
    ],
)
def test_lines_that_read_nothing_old_are_silent(night: Callable[[World], None]) -> None:
    world = healthy(World())
    behind(world)
    moved(world, "offers", "831", "state", "draft", "submitted", seconds=WHEN)
    night(world)
    assert found(world) == []


def test_no_replica_and_no_lag_is_silent() -> None:
    world = healthy(World())
    moved(world, "offers", "831", "state", "draft", "submitted", seconds=WHEN)
    world.log(WHEN + 2, "mailer", "offer_id=831 is still draft, skipped", severity=13)
    assert found(world) == []


def test_order_of_arrival_and_strangers_change_nothing() -> None:
    plain, other = healthy(World()), healthy(World())
    a_job_skips_a_draft(plain)
    a_job_skips_a_draft(other)
    other.log(WHEN + 1, "search", "index draft refreshed")
    other.events.reverse()
    first, second = (found(world)[0] for world in (plain, other))
    assert (first.sentence(), first.verdict) == (second.sentence(), second.verdict)
