"""bad-data: what a sanity query found now, and nothing about then."""

from __future__ import annotations

from dataclasses import replace

import pytest

from timeline.analysis import analyse
from timeline.detectors.bad_data import MAX_KEYS, BadData, BadDataDetector, BadDataHere
from timeline.finding import NotEvaluated
from timeline.knowledge import Knowledge, SanityAnswer
from timeline.order import Verdict

from .worlds import World, at, healthy

ORPHANS = SanityAnswer(
    "orphans",
    "paid orders without an invoice",
    "db",
    rows=2,
    keys=("order:7", "order:9"),
    sample=("id=7, paid=true", "id=9, paid=true"),
    asked_at=at(2110),
)


def world(*answers: SanityAnswer) -> World:
    return healthy(World(knowledge=Knowledge(sanity=answers)))


def found(night: World) -> list[BadData]:
    result = BadDataDetector().detect(night.incident())
    assert not isinstance(result, NotEvaluated), result.sentence()
    assert all(isinstance(finding, BadData) for finding in result)
    return [finding for finding in result if isinstance(finding, BadData)]


def test_rows_are_told_as_the_team_calls_them_and_as_of_now() -> None:
    (finding,) = found(world(ORPHANS))
    assert finding.verdict is Verdict.CERTAIN
    assert finding.sentence() == (
        "Paid orders without an invoice: 2 rows in db at 02:35:10.000, now and not then (7 and 9); "
        "no event that was read for this window speaks of them."
    )
    assert finding.keys == ("order:7", "order:9")
    assert (finding.began, finding.ended) == (at(2110), at(2110))


def test_rows_that_this_window_speaks_of_belong_to_the_incident() -> None:
    night = world(ORPHANS)
    night.log(1500, "web", "charged order_id=9")
    (finding,) = found(night)
    assert isinstance(finding, BadDataHere)
    assert (finding.here, finding.keys) == (("order:9",), ("order:9",))
    assert "among them 9; events of this window speak of 1 of them" in finding.sentence()


def test_an_event_before_the_window_does_not_count() -> None:
    night = world(ORPHANS)
    night.log(-500, "web", "charged order_id=9")
    (finding,) = found(night)
    assert type(finding) is BadData


def test_no_row_is_no_finding() -> None:
    assert found(world(replace(ORPHANS, rows=0, keys=(), sample=()))) == []


def test_rows_without_keys_are_shown_and_nothing_is_said_of_the_window() -> None:
    (finding,) = found(world(replace(ORPHANS, keys=())))
    assert "(the first is id=7, paid=true)" in finding.sentence()
    assert "no keys by which this window could be searched" in finding.sentence()
    assert finding.keys == ()


def test_more_rows_than_were_read_is_said() -> None:
    many = tuple(f"order:{number}" for number in range(1000))
    (finding,) = found(world(replace(ORPHANS, rows=1000, keys=many, complete=False)))
    assert "more than 1 000 rows in db" in finding.sentence()
    assert len(finding.keys) == MAX_KEYS
    assert "and 15 more" not in finding.sentence()


def test_a_query_that_failed_is_not_evaluated_and_never_a_clean_bill() -> None:
    broken = replace(ORPHANS, name="broken", rows=0, keys=(), problem="db does not answer")
    result = BadDataDetector().detect(world(broken).incident())
    assert isinstance(result, NotEvaluated)
    assert "“broken” did not answer: db does not answer" in result.sentence()
    (finding,) = found(world(broken, ORPHANS))
    assert finding.query == "orphans"
    assert finding.would_decide[-1] == "“broken” did not answer: db does not answer."


def test_without_a_query_it_says_what_it_needs() -> None:
    result = BadDataDetector().detect(healthy(World()).incident())
    assert isinstance(result, NotEvaluated)
    assert "a sanity query" in result.needs


def test_two_queries_about_the_same_row_are_two_findings() -> None:
    night = world(ORPHANS, replace(ORPHANS, name="unpaid", means="orders nobody paid"))
    night.log(1500, "web", "charged order_id=9")
    analysis = analyse(night.incident(), [BadDataDetector()])
    assert [f.term for f in analysis.findings] == ["bad-data", "bad-data"]


@pytest.mark.parametrize("seconds", [1500.0, -500.0])
def test_old_bad_rows_date_no_onset(seconds: float) -> None:
    night = world(ORPHANS)
    night.log(seconds, "web", "charged order_id=9")
    assert analyse(night.incident(), [BadDataDetector()]).onset is None


def test_untouched_bad_rows_step_back_behind_what_explains() -> None:
    from timeline.detectors.network_hiccup import NetworkHiccupDetector

    from .worlds import shop

    night = shop(knowledge=Knowledge(sanity=(ORPHANS,)))
    analysis = analyse(night.incident(), [BadDataDetector(), NetworkHiccupDetector()])
    told = {finding.term: finding.qualifier for finding in analysis.findings}
    assert told == {"network-hiccup": False, "bad-data": True}
    assert "invoice" not in analysis.headline
