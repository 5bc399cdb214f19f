"""No record lost, none told twice, no reading context left behind, every gap said."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from connectors.elasticsearch import ElasticsearchConnector, ElasticsearchOptions, paging, transport
from tests.conformance.collecting import Collected, fetched, looked_up
from tests.connectors.stub_search import SearchStub, Seen, error
from timeline.batch import Batch
from timeline.coverage import Asked, CoverageMap, Sight
from timeline.keys import KeyRules
from timeline.problems import BadAnswer, Overloaded, Unreachable
from timeline.window import Budget, Window

SECOND = 1_000_000_000
NOW = time.time_ns() // SECOND * SECOND - 30 * SECOND
WINDOW = Window(NOW, NOW - 60 * SECOND, NOW + 20 * SECOND)
GENERATIONS = pytest.mark.parametrize(
    ("opensearch", "version"),
    [(False, "8.19.21"), (True, "3.8.0"), (True, "2.19.1"), (False, "7.10.2")],
)


def connector(stub: SearchStub, **options: Any) -> ElasticsearchConnector:
    settings = {"url": stub.url, "index": "logs-*", **options}
    validated = ElasticsearchOptions.model_validate(settings)
    return ElasticsearchConnector("logs", validated, KeyRules())


def filled(count: int = 300, step_ms: int = 100, **about: Any) -> SearchStub:
    """`count` records that end 10 s after T, and one after the window: the log goes on."""
    stub = SearchStub(types={"level": "keyword"}, **about)
    stub.add(count, NOW // 1_000_000 + 10_000 - count * step_ms, step_ms, level="info")
    stub.add(1, (NOW + 25 * SECOND) // 1_000_000, level="info")
    return stub


def read(stub: SearchStub, budget: Budget | None = None, **options: Any) -> Collected:
    with stub.serving():
        return fetched(connector(stub, **options), WINDOW, budget)


def refs(collected: Collected) -> list[str]:
    return sorted(event.ref for event in collected.events)


def expected(stub: SearchStub) -> list[str]:
    return sorted(
        f"{index}/{name}"
        for index, name, _, stamp in stub.documents
        if WINDOW.contains(stamp * 1_000_000)
    )


def gaps(collected: Collected) -> tuple[str, ...]:
    """Why nothing could be said to be absent from the window."""
    found = CoverageMap(tuple(collected.coverage)).limits(["logs"], WINDOW.start, WINDOW.end)
    return tuple(entry.reason for entry in found)


def turns_a_page(seen: Seen) -> bool:
    return seen.pages


# Completeness


@GENERATIONS
@pytest.mark.parametrize("page_size", [1, 7, 1_000])
def test_pages_add_up(*, opensearch: bool, version: str, page_size: int) -> None:
    stub = filled(60, opensearch=opensearch, version=version)
    stub.documents = [d for d in stub.documents if d[1] != "d0"]
    collected = read(stub, page_size=page_size)
    assert refs(collected) == expected(stub)
    assert stub.open == set()


@GENERATIONS
def test_a_thousand_records_of_one_millisecond(*, opensearch: bool, version: str) -> None:
    stub = SearchStub(opensearch=opensearch, version=version)
    stub.add(1_000, NOW // 1_000_000 - 5_000, 0)
    collected = read(stub, page_size=64)
    assert refs(collected) == expected(stub)


def test_oldest_and_newest_bound_what_is_claimed() -> None:
    stub = filled(300)
    collected = read(stub)
    oldest = stub.documents[0][3] * 1_000_000
    claimed = [entry for entry in collected.coverage if entry.sight is Sight.FULL]
    assert [(entry.start, entry.end) for entry in claimed] == [(oldest, WINDOW.end)]
    assert ["oldest record kept" in reason for reason in gaps(collected)] == [True]


def test_the_last_minute_that_has_not_arrived_is_not_claimed() -> None:
    stub = filled(300)
    del stub.documents[-1]
    (later,) = [e for e in read(stub).coverage if e.end == WINDOW.end]
    assert later.sight is Sight.PARTIAL
    assert later.start == stub.documents[-1][3] * 1_000_000 + 1
    assert "complete to" in later.reason


def test_the_preview_is_part_of_the_pages_and_nearest_to_t() -> None:
    stub = filled(900, 50)
    collected = read(stub)
    (preview,) = collected.previews
    by_ref = {event.ref: event for event in collected.events}
    assert len(preview.events) == 200
    assert [by_ref[event.ref] for event in preview.events] == list(preview.events)
    before = [event for event in preview.events if event.timestamp < NOW]
    nearest = sorted(e.timestamp for e in collected.events if e.timestamp < NOW)[-100:]
    assert [event.timestamp for event in before] == nearest


# Reading contexts


def test_the_newest_id_is_used_and_closed() -> None:
    stub = filled(50)
    read(stub, page_size=10)
    used = [seen.body["pit"]["id"] for seen in stub.seen if "pit" in seen.body]
    assert len(set(used)) == len(used) > 5
    assert stub.open == set()


@GENERATIONS
def test_an_expired_context_is_opened_once_more(*, opensearch: bool, version: str) -> None:
    stub = filled(80, 7, opensearch=opensearch, version=version)
    lost = error("search_context_missing_exception", "No search context found for id [7]", 404)
    stub.fail(turns_a_page, status=404, body=lost, skip=4)
    collected = read(stub, page_size=5)
    assert refs(collected) == expected(stub)
    assert stub.open == set()


def test_ties_at_the_page_break_survive_an_expired_context() -> None:
    stub = SearchStub()
    stub.add(100, NOW // 1_000_000 - 5_000, 0)
    lost = error("search_context_missing_exception", "No search context found for id [7]", 404)
    stub.fail(turns_a_page, status=404, body=lost, skip=2)
    assert refs(read(stub, page_size=9)) == expected(stub)


def test_a_context_that_expires_twice_ends_the_reading_and_says_so() -> None:
    stub = filled(100)
    lost = error("search_context_missing_exception", "No search context found for id [7]", 404)
    stub.fail(turns_a_page, status=404, body=lost, skip=2, times=99)
    collected = read(stub, page_size=10)
    assert 0 < len(collected.events) < 100
    assert any(remark.topic == "cut" for remark in collected.remarks)
    assert any("reading ended early" in reason for reason in gaps(collected))


def test_an_account_that_may_not_open_a_point_in_time_scrolls() -> None:
    stub = filled(100)
    denied = error("security_exception", "action [indices:data/read/open_point_in_time]", 403)
    stub.fail(lambda seen: seen.opens, status=403, body=denied)
    assert refs(read(stub, page_size=10)) == expected(stub)
    assert stub.open == set()


@GENERATIONS
def test_cancelling_gives_the_context_back(*, opensearch: bool, version: str) -> None:
    stub = filled(500, opensearch=opensearch, version=version)
    stub.fail(turns_a_page, delay_s=2, body={}, skip=3)

    async def cancel() -> float:
        reader = connector(stub, page_size=10)

        async def consume() -> None:
            async for _ in reader.fetch(WINDOW, Budget()):
                pass

        task = asyncio.create_task(consume())
        while sum(map(turns_a_page, stub.seen)) < 4:  # noqa: ASYNC110  # another thread counts
            await asyncio.sleep(0.01)
        assert stub.open
        started = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - started

    with stub.serving():
        assert asyncio.run(cancel()) < 1
        assert stub.open == set()


def test_closing_the_connector_gives_abandoned_contexts_back() -> None:
    stub = filled(200)

    async def abandon() -> None:
        reader = connector(stub, page_size=10)
        answers = reader.fetch(WINDOW, Budget())
        async for answer in answers:
            if isinstance(answer, Batch):
                break
        assert stub.open
        await reader.close()
        assert stub.open == set()

    with stub.serving():
        asyncio.run(abandon())


# Gaps that the cluster admits


ADMISSIONS: tuple[tuple[dict[str, Any], str], ...] = (
    (
        {
            "_shards": {
                "total": 5,
                "failed": 2,
                "failures": [{"reason": {"type": "es_rejected_execution_exception"}}],
            }
        },
        "2 of 5 shards failed (es_rejected_execution_exception)",
    ),
    ({"timed_out": True}, "timed out"),
    ({"_clusters": {"total": 3, "successful": 2, "skipped": 1}}, "1 of 3 remote clusters"),
)


@pytest.mark.parametrize(("merge", "words"), ADMISSIONS)
def test_what_the_cluster_admits_is_not_full(merge: dict[str, Any], words: str) -> None:
    stub = filled(100)
    stub.fail(turns_a_page, merge=merge)
    collected = read(stub)
    assert not [entry for entry in collected.coverage if entry.sight is Sight.FULL]
    assert any(words in reason for reason in gaps(collected))
    assert any(words in remark.sentence for remark in collected.remarks)


def test_a_failure_half_way_keeps_what_was_read() -> None:
    stub = filled(200)
    body = error("circuit_breaking_exception", "[parent] Data too large", 429)
    stub.fail(turns_a_page, status=429, body=body, skip=5, times=99)
    collected = read(stub, page_size=10)
    assert len(collected.events) == 50
    stamps = sorted(event.timestamp for event in collected.events)
    whole = [entry for entry in collected.coverage if entry.sight is Sight.FULL]
    assert [e.start <= stamps[1] and stamps[-2] < e.end for e in whole] == [True]
    assert any("circuit_breaking_exception" in reason for reason in gaps(collected))


def test_a_failure_at_once_is_the_sources_failure() -> None:
    stub = filled(20)
    body = error("circuit_breaking_exception", "[parent] Data too large", 429)
    stub.fail(turns_a_page, status=429, body=body, times=99)
    with pytest.raises(Overloaded):
        read(stub)


# Budgets


@GENERATIONS
def test_rows_are_a_limit_and_the_neighbourhood_is_whole(*, opensearch: bool, version: str) -> None:
    stub = filled(500, 20, opensearch=opensearch, version=version)
    collected = read(stub, Budget(rows=60), page_size=8)
    assert 0 < len(collected.events) <= 60
    full = [entry for entry in collected.coverage if entry.sight is Sight.FULL]
    (whole,) = [entry for entry in full if entry.start <= WINDOW.pin <= entry.end]
    inside = [
        f"{index}/{name}"
        for index, name, _, stamp in stub.documents
        if whole.start <= stamp * 1_000_000 < whole.end
    ]
    assert set(inside) <= set(refs(collected))
    assert len(inside) >= 10


def test_what_is_left_out_is_counted_by_severity() -> None:
    stub = filled(500, 20)
    for number, (_, _, source, _) in enumerate(stub.documents):
        source["level"] = "error" if number % 100 == 3 else "info"
    collected = read(stub, Budget(rows=60))
    assert len(set(refs(collected))) == len(refs(collected))
    errors = [event for event in collected.events if event.severity_number >= 17]
    assert len(errors) == 5, "warnings and worse of the whole window travel"
    left = 500 - len(collected.events)
    (counted,) = [remark for remark in collected.remarks if remark.topic == "counted"]
    assert counted.count == left
    assert "of 500 records" in counted.sentence
    assert "warning or worse" in counted.sentence
    assert f"counted, not fetched: {left} INFO records" in gaps(collected)


def test_bytes_are_a_limit() -> None:
    stub = filled(500)
    collected = read(stub, Budget(bytes=12_000), page_size=25)
    assert 0 < len(collected.events) < 500
    assert sum(batch.bytes_read for batch in collected.batches) < 16_000
    assert any(remark.topic == "cut" for remark in collected.remarks)


def test_seconds_are_a_limit_and_the_account_is_still_given() -> None:
    stub = filled(500)
    stub.fail(turns_a_page, delay_s=0.4, merge={"_shards": {"failed": 0}}, times=99)
    started = time.monotonic()
    collected = read(stub, Budget(seconds=2), page_size=10)
    assert time.monotonic() - started < 2
    assert 0 < len(collected.events) < 500
    assert any("2 s it may take" in reason for reason in gaps(collected))


def test_bytes_are_those_that_travelled() -> None:
    stub = filled(500)
    collected = read(stub)
    decoded = sum(len(str(source)) for _, _, source, _ in stub.documents)
    travelled = sum(batch.bytes_read for batch in collected.batches)
    assert 0 < travelled < decoded / 2, "gzip was asked for and counted"


def test_pages_shrink_to_what_the_documents_weigh() -> None:
    stub = SearchStub()
    stub.add(400, NOW // 1_000_000 - 40_000, 100, payload="x" * 6_000)
    read(stub)
    sizes = {seen.body["size"] for seen in stub.seen if seen.pages}
    assert max(sizes) * 6_000 < 2 * paging.PAGE_BYTES


def test_an_answer_that_is_too_large_is_asked_for_in_pieces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport, "MAX_BODY_BYTES", 300_000)
    stub = filled(40)
    for number, (_, _, source, _) in enumerate(stub.documents):
        source["payload"] = "x" * (60_000 if number in (20, 21, 22, 23, 24, 25) else 10)
    stub.documents = stub.documents[5:]
    with stub.serving():
        reader = connector(stub)

        async def pages_only() -> list[str]:
            told: list[str] = []
            async for answer in reader.fetch(WINDOW, Budget()):
                if isinstance(answer, Batch):
                    told += answer.events.get_column("ref").to_list()
            await reader.close()
            return sorted(told)

        assert asyncio.run(pages_only()) == expected(stub)


# Look-ups


@GENERATIONS
def test_a_look_up_finds_fields_and_words_and_only_real_keys(
    *, opensearch: bool, version: str
) -> None:
    stub = filled(50, opensearch=opensearch, version=version)
    stub.types["user_id"] = "long"
    stub.documents[3][2]["user_id"] = 4711
    stub.documents[4][2]["message"] = "welcome_mail(user_id=4711) failed"
    stub.documents[5][2]["message"] = "took 4711 ms"
    with stub.serving():
        collected = looked_up(connector(stub, page_size=2), ("user:4711", "user:4712"), WINDOW)
    assert [event.body for event in collected.events] == [
        "welcome_mail(user_id=4711) failed",
        "record 3",
    ]
    (missing,) = [remark for remark in collected.remarks if remark.topic == "not-found"]
    assert "user:4712" in missing.sentence
    assert "user:4711" not in missing.sentence
    assert [asked for batch in collected.batches for asked in batch.asked] == [
        Asked("logs", WINDOW.start, WINDOW.end, ("user:4711",))
    ]
    assert stub.open == set()


def test_rows_of_a_table_are_not_looked_for_in_logs() -> None:
    stub = filled(5)
    with stub.serving():
        collected = looked_up(connector(stub), ("row:users/4711", "peer:redis:6379"), WINDOW)
    assert collected.batches == []
    assert not [seen for seen in stub.seen if seen.pages]


def test_a_look_up_that_finds_too_much_is_cut_and_says_so() -> None:
    stub = filled(0)
    stub.add(300, NOW // 1_000_000 - 40_000, 100, user_id=4711)
    stub.types["user_id"] = "long"
    with stub.serving():
        reader = connector(stub, page_size=10)

        async def look() -> tuple[int, list[str]]:
            found, topics = 0, []
            async for batch in reader.lookup(("user:4711",), WINDOW, Budget(rows=25)):
                found += batch.events.height
                assert batch.asked == (), "it was not answered in full"
                topics += [remark.topic for remark in batch.remarks]
            await reader.close()
            return found, topics

        assert asyncio.run(look()) == (25, ["cut"])


def test_the_errors_of_a_look_up_are_ours() -> None:
    for body, kind in ((b"<html>", BadAnswer), ({"hits": "none"}, None)):
        stub = filled(5)
        stub.types["user_id"] = "long"
        stub.fail(turns_a_page, body=body, times=9)
        with stub.serving():
            if kind is None:
                assert looked_up(connector(stub), ("user:1",), WINDOW).events == []
            else:
                with pytest.raises(kind):
                    looked_up(connector(stub), ("user:1",), WINDOW)


def test_nothing_listens() -> None:
    stub = SearchStub()
    with stub.serving():
        pass
    with pytest.raises(Unreachable, match="refused"):
        fetched(connector(stub), WINDOW)
