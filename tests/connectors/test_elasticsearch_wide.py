"""Wide mode: the cluster counts, little travels, and what is found is what a full read finds."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from itertools import pairwise
from typing import Any

import polars as pl
import pytest

from connectors.elasticsearch import ElasticsearchConnector, ElasticsearchOptions, plan
from connectors.elasticsearch.counting import Bar, Count, Survey, bars_in, counts_frame
from connectors.elasticsearch.queries import MOST_BARS, Bars, Stretch
from tests.conformance.collecting import Collected, fetched
from tests.connectors.stub_search import SearchStub, Seen, error
from timeline.coverage import Sight
from timeline.event import SEVERITY_WARN
from timeline.keys import KeyRules
from timeline.window import SECOND_NS, Budget, Window
from timeline.words import grouped


def connector(url: str, index: str, **options: Any) -> ElasticsearchConnector:
    settings = {"url": url, "index": index, **options}
    return ElasticsearchConnector("logs", ElasticsearchOptions.model_validate(settings), KeyRules())


def counts_of(collected: Collected) -> pl.DataFrame:
    (frame,) = [b.counts for b in collected.batches if b.counts is not None and b.counts.height]
    return frame


# Where to look, from counts alone


def heights(*errors: int, calm: int = 50) -> list[Bar]:
    """Bars of a second, with so many errors each."""
    return [
        Bar(
            Stretch(n * 1_000, (n + 1) * 1_000),
            (Count(17, "web", number, exact=True), Count(9, "web", calm, exact=True)),
        )
        for n, number in enumerate(errors)
    ]


def test_the_first_bar_that_stands_out_and_the_worst_are_looked_at() -> None:
    quiet = [1, 0, 2, 1] * 10
    bars = heights(*quiet, 12, 9, *quiet, 40, 38, *quiet)
    window = Stretch(0, len(bars) * 1_000)
    found = plan.places(bars, window, 50_000)
    first, worst = len(quiet) * 1_000, (2 * len(quiet) + 2) * 1_000
    assert [place.at for place in found] == [first, worst, 0, window.end]
    assert found[0].stretch == Stretch(first - plan.MARGIN_MS, first + 2_000 + plan.MARGIN_MS)
    assert plan.onset(bars) == first


@pytest.mark.parametrize("rows", [3, 60, 2_000, 50_000])
def test_places_leave_rows_for_the_errors_of_the_rest(rows: int) -> None:
    bars = heights(*[0] * 40, *[900] * 30, calm=5_000)
    window = Stretch(0, 70_000)
    found = [plan.around(69_000, window, rows), *plan.places(bars, window, rows)]
    assert sum(place.rows for place in found) <= max(rows * 0.75, len(found))


def test_a_window_without_errors_has_no_onset() -> None:
    assert plan.onset(heights(*[0] * 60)) is None
    assert plan.onset([]) is None
    assert [place.at for place in plan.places([], Stretch(0, 10), 100)] == [0, 10]
    assert [plan.around(pin, Stretch(0, 10), 100).at for pin in (-3, 5, 99)] == [0, 5, 10]


@pytest.mark.parametrize("pin", [0, 999, 1_000, 123_456])
@pytest.mark.parametrize("most", [1, 7, MOST_BARS])
def test_bars_cover_the_window_and_t_stands_on_a_border(pin: int, most: int) -> None:
    window = Stretch(-5_000, 200_123)
    bars = Bars.over(window, pin, most)
    parts = [stretch for _, stretch in bars.stretches()]
    assert (parts[0].start, parts[-1].end) == (window.start, window.end)
    assert all(one.end == other.start for one, other in pairwise(parts))
    assert len(parts) <= most + 1
    assert any(part.start == pin for part in parts)


def test_what_the_engine_doubts_is_not_exact() -> None:
    def bucket(key: object, count: int, **more: object) -> dict[str, object]:
        return {"key": key, "doc_count": count, **more}

    services = {"doc_count_error_upper_bound": 2, "buckets": [bucket("web", 5)]}
    levels = {"buckets": [bucket("ERROR", 7, services=services)]}
    answer: Any = {"aggregations": {"bars": {"buckets": [bucket(0, 9, levels=levels)]}}}
    bars = bars_in(answer, Bars(Stretch(0, 2_000), 1_000, 0), whole_answer=True)
    frame = counts_frame("logs", bars, 0, 2 * SECOND_NS).sort("start", "severity_number", "actor")
    told = frame.select("severity_number", "actor", "count", "exact").rows()
    assert told == [(0, "", 2, True), (17, "", 2, True), (17, "web", 5, False), (0, "", 0, True)]
    doubted = bars_in(answer, Bars(Stretch(0, 2_000), 1_000, 0), whole_answer=False)
    assert not counts_frame("logs", doubted, 0, 2 * SECOND_NS)["exact"].any()


def test_only_a_field_that_every_record_has_tells_all_errors() -> None:
    def told(total: int, **more: int) -> Survey:
        levels = {"buckets": [{"key": "info", "doc_count": 5}], **more}
        hits = {"total": {"value": total}}
        answer: Any = {"hits": hits, "aggregations": {"levels": levels}}
        return Survey.of(answer)

    assert told(5).tells_severity
    assert not told(6).tells_severity
    assert not told(7, sum_other_doc_count=2).tells_severity
    assert not told(5, doc_count_error_upper_bound=1).tells_severity


# What the cluster may do to it


NOW = time.time_ns() // SECOND_NS * SECOND_NS - 60 * SECOND_NS
NEAR = Window(NOW, NOW - 50 * SECOND_NS, NOW + 10 * SECOND_NS)


def crowded(**about: Any) -> SearchStub:
    """1 200 records in a minute, an error in fifty, and one record after the window."""
    stub = SearchStub(types={"level": "keyword", "service": "keyword"}, **about)
    stub.add(1_200, NEAR.start // 1_000_000, 50, level="info", service="web")
    for number, (_, _, source, _) in enumerate(stub.documents):
        if number % 50 == 7:
            source["level"] = "error"
    stub.add(1, NEAR.end // 1_000_000 + 5_000, level="info", service="web")
    return stub


def read(stub: SearchStub, rows: int = 200, **options: Any) -> Collected:
    with stub.serving():
        return fetched(connector(stub.url, "logs-*", **options), NEAR, Budget(rows=rows))


def counting(seen: Seen) -> bool:
    return "bars" in seen.body.get("aggs", {})


def paging(seen: Seen) -> bool:
    return "pit" in seen.body


def kind_of(seen: Seen) -> str:
    """`bars`, `errors` for a page of them alone, `page` for one of everything; else empty."""
    if counting(seen):
        return "bars"
    if not paging(seen):
        return ""
    return "errors" if "error" in str(seen.body["query"]) else "page"


def test_what_travelled_and_what_was_only_counted_add_up() -> None:
    collected = read(crowded())
    refs = [event.ref for event in collected.events]
    assert len(set(refs)) == len(refs) <= 200
    (remark,) = [remark for remark in collected.remarks if remark.topic == "counted"]
    assert remark.count + len(refs) == 1_200
    frame = counts_of(collected)
    assert frame["count"].sum() == 1_200
    assert frame["exact"].all()
    by_severity = dict(frame.group_by("severity_number").agg(pl.col("count").sum()).rows())
    held = Counter(event.severity_number for event in collected.events)
    assert by_severity[17] == held[17] == 24
    assert f"Counted, not fetched: {grouped(1_176 - held[9])} INFO" in remark.sentence
    counted = [entry for entry in collected.coverage if entry.complete_from]
    assert {entry.sight for entry in counted} == {Sight.PARTIAL}
    assert {entry.complete_from for entry in counted} == {SEVERITY_WARN}


def test_counting_and_reading_near_t_go_on_at_once() -> None:
    stub = crowded()
    stub.fail(paging, delay_s=0.3, times=1, merge={"took": 300})
    collected = read(stub, page_size=10)
    kinds = [kind for seen in stub.seen if (kind := kind_of(seen))]
    assert kinds.index("bars") < kinds.index("page", kinds.index("page") + 1)
    assert counts_of(collected)["exact"].all()


def test_the_first_errors_travel_before_what_surrounds_them() -> None:
    stub = crowded()
    read(stub)
    kinds = [kind for seen in stub.seen if (kind := kind_of(seen)) not in ("", "bars")]
    first = kinds.index("errors")
    assert kinds[:first] == ["page"], "nothing but the neighbourhood of T comes before them"
    assert "page" in kinds[first:], "what surrounds them"


@pytest.mark.parametrize("left_after", [1, 2, 3])
def test_a_reading_that_is_left_leaves_no_count_running(left_after: int) -> None:
    stub = crowded()
    stub.fail(counting, delay_s=1.0, merge={"took": 1_000})

    async def leave() -> float:
        reader = connector(stub.url, "logs-*")
        answers = reader.fetch(NEAR, Budget(rows=200))
        for _ in range(left_after):
            await anext(answers)
        began = time.monotonic()
        await answers.aclose()  # type: ignore[attr-defined]  # a generator, as the collector knows
        await reader.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return time.monotonic() - began

    with stub.serving():
        assert asyncio.run(leave()) < 1.0


def test_more_errors_than_may_travel_are_a_cut() -> None:
    stub = crowded()
    for number, (_, _, source, _) in enumerate(stub.documents):
        source["level"] = ("error", "warn", "info")[number % 3]
    collected = read(stub)
    assert len(collected.events) <= 200
    (cut,) = [remark for remark in collected.remarks if remark.topic == "cut"]
    assert cut.count + len(collected.events) == 1_200
    assert not any(remark.topic == "counted" for remark in collected.remarks)
    held = Counter(event.severity_number for event in collected.events)
    assert held[17] > 2 * held[13], "errors go first"
    complete = {entry.complete_from for entry in collected.coverage}
    assert 0 in complete, "not all of the window was read for errors"


def test_a_cluster_that_refuses_to_count_by_service_counts_without() -> None:
    stub = crowded()
    refused = error("too_many_buckets_exception", "Trying to create too many buckets", 400)
    stub.fail(counting, status=400, body=refused)
    collected = read(stub)
    frame = counts_of(collected)
    assert frame["count"].sum() == 1_200
    assert frame["actor"].unique().to_list() == [""]


def test_a_cluster_that_refuses_to_count_at_all_still_gives_t_and_the_errors() -> None:
    stub = crowded()
    body = error("circuit_breaking_exception", "[request] Data too large", 429)
    stub.fail(counting, status=429, body=body, headers={"retry-after": "60"}, times=99)
    collected = read(stub)
    assert not [b for b in collected.batches if b.counts is not None and b.counts.height]
    assert any("could not be counted" in remark.sentence for remark in collected.remarks)
    assert sum(event.severity_number == 17 for event in collected.events) == 24
    assert any(event.timestamp // SECOND_NS == NOW // SECOND_NS for event in collected.events)


def test_an_answer_that_is_not_whole_is_not_exact() -> None:
    stub = crowded()
    stub.fail(counting, merge={"_shards": {"total": 5, "failed": 1}})
    collected = read(stub)
    assert not counts_of(collected)["exact"].any()
    assert any("not counted in full" in remark.sentence for remark in collected.remarks)


def test_records_without_a_level_are_chosen_by_words_and_that_is_a_guess() -> None:
    stub = crowded()
    for number, (_, _, source, _) in enumerate(stub.documents):
        if number % 2:
            del source["level"]
            source["message"] = f"{'ERROR' if number % 100 == 61 else 'INFO'} worker: step {number}"
    collected = read(stub)
    (guess,) = [remark for remark in collected.remarks if remark.topic == "level-guessed"]
    assert guess.count == 600
    assert "guess" in guess.sentence
    told = [event.body for event in collected.events]
    assert sum("step" in body and "ERROR" in stub_line(stub, body) for body in told) >= 12
    assert any(remark.topic == "cut" for remark in collected.remarks)
    assert {entry.complete_from for entry in collected.coverage} == {0}


def stub_line(stub: SearchStub, body: str) -> str:
    """The message as it was indexed."""
    return next((d[2]["message"] for d in stub.documents if d[2]["message"].endswith(body)), "")


def test_services_are_kept_to_in_every_search() -> None:
    stub = crowded()
    for number, (_, _, source, _) in enumerate(stub.documents):
        source["service"] = ("web", "mailer")[number % 2]
    collected = read(stub, services=("mailer",))
    assert {event.actor for event in collected.events} == {"mailer"}
    assert counts_of(collected)["count"].sum() == 600
    searches = [seen for seen in stub.seen if "query" in seen.body]
    assert len(searches) > 8
    assert all("mailer" in str(seen.body["query"]) for seen in searches)


def test_a_window_that_fits_is_read_and_not_counted() -> None:
    collected = read(crowded(), rows=5_000)
    assert len(collected.events) == 1_200
    assert all(batch.counts is None for batch in collected.batches)


def test_a_survey_that_is_not_whole_promises_nothing() -> None:
    stub = crowded()
    stub.fail(lambda seen: "services" in seen.body.get("aggs", {}), merge={"timed_out": True})
    collected = read(stub)
    assert any(remark.topic == "cut" for remark in collected.remarks)
    assert {entry.complete_from for entry in collected.coverage} == {0}
    assert not any(entry.sight is Sight.FULL for entry in collected.coverage)


def test_a_count_that_takes_too_long_does_not_keep_t_from_being_read() -> None:
    stub = crowded()
    stub.fail(counting, delay_s=30.0, times=2)
    with stub.serving():
        began = time.monotonic()
        collected = fetched(connector(stub.url, "logs-*"), NEAR, Budget(rows=200, seconds=6))
    assert time.monotonic() - began < 6
    assert sum(event.severity_number == 17 for event in collected.events) == 24
    assert any("could not be counted" in remark.sentence for remark in collected.remarks)
