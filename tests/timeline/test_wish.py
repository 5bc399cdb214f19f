"""What is wished to be seen first: it narrows, orders and marks, and never leaves anything out."""

from __future__ import annotations

import pytest

from tests.export.world import ANALYSIS, EVENTS, HICCUP, QUIET, incident
from timeline.event import SEVERITY_WARN
from timeline.filter_terms import Field, Filter, Part
from timeline.filters import rows_of
from timeline.wish import (
    ROWS_OF_A_SERVICE,
    Wish,
    belongs,
    filter_of,
    first_of,
    involves,
    rows_of_services,
    service_parts,
)

WORLD = incident(EVENTS)
SNAPSHOT = WORLD.snapshot


@pytest.mark.parametrize(
    ("name", "service", "expected"),
    [
        ("web", "web", True), ("web-1", "web", True), ("Web.7f9c", "web", True),
        ("web@host", "web", True), ("website", "web", False), ("my-web", "web", False),
        ("", "web", False), ("web", "web-1", False),
    ],
)  # fmt: skip
def test_instances_belong_to_their_service(name: str, service: str, expected: bool) -> None:
    assert belongs(name, service) is expected


def test_a_service_is_shown_by_the_actors_there_are() -> None:
    parts = service_parts(SNAPSHOT, ["web"])
    rows = rows_of(SNAPSHOT, Filter(parts))
    assert rows is not None
    shown = SNAPSHOT.events_at(rows.to_list())
    assert shown
    assert all(belongs(event.actor, "web") for event in shown)
    told = sum(belongs(event.actor, "web") for event in EVENTS)
    assert len(shown) == told


def test_a_source_stands_in_where_no_actor_is_called_so() -> None:
    assert service_parts(SNAPSHOT, ["mailers"]) == (Part(Field.SOURCE, "mailers"),)


@pytest.mark.parametrize("services", [["nosuch"], ["web", "nosuch"]])
def test_what_nobody_is_called_narrows_nothing(services: list[str]) -> None:
    assert service_parts(SNAPSHOT, services) == ()


def test_a_text_that_no_row_holds_is_left_out_of_the_filter() -> None:
    wanted = filter_of(SNAPSHOT, Wish(texts=("sign-up", "never said")))
    assert [part.value for part in wanted.parts] == ["sign-up"]


def test_findings_of_the_service_come_first_and_none_is_lost() -> None:
    ordered = first_of(ANALYSIS, ["worker-3"])
    assert {id(one) for one in ordered.findings} == {id(one) for one in ANALYSIS.findings}
    assert ordered.findings[0] is ANALYSIS.findings[1]
    assert not involves(HICCUP, ["worker-3"])
    assert first_of(ANALYSIS, []) is ANALYSIS


def test_an_export_shows_what_went_wrong_in_it_nearest_to_t() -> None:
    rows = rows_of_services(WORLD, ["web"])
    assert len(rows) == ROWS_OF_A_SERVICE
    assert all(event.severity_number >= SEVERITY_WARN for event in rows)
    assert not any(event in QUIET for event in rows)
    assert rows_of_services(WORLD, ["nosuch"]) == ()
