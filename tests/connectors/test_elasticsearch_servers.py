"""The connector against real Elasticsearch and OpenSearch: many pages, ties, nanoseconds, cuts."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from connectors.elasticsearch import ElasticsearchConnector, ElasticsearchOptions
from tests.conformance.collecting import fetched, looked_up
from tests.connectors.search_data import (
    create_index,
    delete_index,
    ecs,
    iso,
    json_string,
    open_contexts,
)
from tests.servers.process import RunningServer
from timeline.batch import Batch
from timeline.coverage import CoverageMap, Sight
from timeline.event import Precision
from timeline.keys import KeyRules
from timeline.problems import BadAnswer, Misconfigured
from timeline.window import Budget, Window

SECOND = 1_000_000_000
MANY = 12_000
"""More than `index.max_result_window`, which bounds a search that is paged by offset."""
PER_MILLISECOND = 40

pytestmark = pytest.mark.servers
MakeConnector = Callable[..., ElasticsearchConnector]


@pytest.fixture(scope="module", params=["elasticsearch_server", "opensearch_server"])
def server(request: pytest.FixtureRequest) -> RunningServer:
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]  # untyped


@pytest.fixture
def index(server: RunningServer) -> Iterator[str]:
    name = f"shop-{secrets.token_hex(4)}"
    yield name
    for suffix in ("", "-nanos"):
        delete_index(server.url, name + suffix)


@pytest.fixture(scope="module")
def many(server: RunningServer) -> Iterator[tuple[str, Window]]:
    """`MANY` records of two services, `PER_MILLISECOND` of them sharing each millisecond."""
    name = f"many-{secrets.token_hex(4)}"
    pin = time.time_ns() // SECOND * SECOND - 60 * SECOND
    start = pin - MANY // PER_MILLISECOND // 2 * 1_000_000
    documents = [
        ecs(start + n // PER_MILLISECOND * 1_000_000, f"sign-up {n}", "info", user_id=n)
        if n % 2
        else json_string(start + n // PER_MILLISECOND * 1_000_000, f"mail {n}", job_id=f"job{n}")
        for n in range(MANY)
    ]
    after_it = ecs(pin + 40 * SECOND, "the log goes on", "error")
    create_index(server.url, name, [*documents, after_it])
    yield name, Window(pin, pin - 30 * SECOND, pin + 30 * SECOND)
    delete_index(server.url, name)


@pytest.fixture
def connector(server: RunningServer) -> MakeConnector:
    def make(name: str, **options: object) -> ElasticsearchConnector:
        settings = {"url": server.url, "index": name, **options}
        return ElasticsearchConnector(
            "logs", ElasticsearchOptions.model_validate(settings), KeyRules()
        )

    return make


def test_every_record_once(connector: MakeConnector, many: tuple[str, Window]) -> None:
    name, window = many
    collected = fetched(connector(name), window, Budget(seconds=60))
    bodies = [event.body for event in collected.events]
    assert len(bodies) == MANY
    assert set(bodies) == {f"sign-up {n}" if n % 2 else f"mail {n}" for n in range(MANY)}
    oldest = min(event.timestamp for event in collected.events)
    limits = CoverageMap(tuple(collected.coverage)).limits(["logs"], oldest, window.end)
    assert limits == ()


def test_a_cut_keeps_the_neighbourhood_whole(
    connector: MakeConnector, many: tuple[str, Window]
) -> None:
    name, window = many
    collected = fetched(connector(name, page_size=300), window, Budget(rows=2_000, seconds=60))
    assert len(collected.events) <= 2_000
    full = [entry for entry in collected.coverage if entry.sight is Sight.FULL]
    (whole,) = [entry for entry in full if entry.start <= window.pin < entry.end]
    inside = [e for e in collected.events if whole.start <= e.timestamp < whole.end]
    step = 1_000_000
    stamps = {event.timestamp for event in inside}
    assert stamps == set(range(min(stamps), max(stamps) + step, step))
    assert len(inside) == len(stamps) * PER_MILLISECOND, "every record of every millisecond"
    (cut,) = [remark for remark in collected.remarks if remark.topic == "cut"]
    assert f"of {MANY} records" in cut.sentence


def test_a_slow_line_carries_little(connector: MakeConnector, many: tuple[str, Window]) -> None:
    name, window = many
    collected = fetched(connector(name), window, Budget(seconds=60))
    travelled = sum(batch.bytes_read for batch in collected.batches)
    assert travelled < 100 * MANY, "at 10 Mbit/s, 50 000 records are 5 MB or four seconds"


def test_cancelling_closes_the_context(
    server: RunningServer, connector: MakeConnector, many: tuple[str, Window]
) -> None:
    name, window = many
    assert open_contexts(server.url) == 0

    async def cancel() -> float:
        reader = connector(name, page_size=50)
        reading = asyncio.Event()

        async def consume() -> None:
            async for answer in reader.fetch(window, Budget()):
                if isinstance(answer, Batch):
                    reading.set()

        task = asyncio.create_task(consume())
        await reading.wait()
        assert open_contexts(server.url) > 0
        started = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - started

    assert asyncio.run(cancel()) < 1.25
    assert open_contexts(server.url) == 0


def test_look_ups_by_field_and_by_word(connector: MakeConnector, many: tuple[str, Window]) -> None:
    name, window = many
    collected = looked_up(connector(name), ("user:4711", "job:job4712", "user:999999"), window)
    assert {event.body for event in collected.events} == {"sign-up 4711", "mail 4712"}
    (missing,) = [remark for remark in collected.remarks if remark.topic == "not-found"]
    assert "user:999999" in missing.sentence


def test_nanoseconds_in_one_index_and_milliseconds_in_another(
    server: RunningServer, connector: MakeConnector, index: str
) -> None:
    second = time.time_ns() // SECOND * SECOND - 10 * SECOND
    stamps = [second + 123_456_000 + n for n in range(700, 760)]
    precise = [{"@timestamp": iso(stamp, 9), "message": f"ns {stamp}"} for stamp in stamps]
    coarse = [{"@timestamp": iso(second + n * 10**6, 6), "message": f"us {n}"} for n in range(40)]
    whole = [{"@timestamp": iso(second, 0), "message": "a second"}]
    create_index(server.url, f"{index}-nanos", precise, time_type="date_nanos")
    create_index(server.url, index, [*coarse, *whole])
    window = Window(second, second - SECOND, second + 2 * SECOND)
    collected = fetched(connector(f"{index}*", page_size=7), window)
    by_body = {event.body: event for event in collected.events}
    assert len(by_body) == len(collected.events) == 101
    for stamp in stamps:
        event = by_body[f"ns {stamp}"]
        assert (event.timestamp, event.precision) == (stamp, Precision.NANOSECOND)
    assert by_body["us 3"].precision is Precision.MICROSECOND
    assert by_body["a second"].precision is Precision.SECOND
    split = Window(second + 1, second, stamps[30])
    inside = fetched(connector(f"{index}*"), split).events
    assert sum(event.body.startswith("ns") for event in inside) == 30


def test_records_without_a_time_are_counted(
    server: RunningServer, connector: MakeConnector, index: str
) -> None:
    second = time.time_ns() // SECOND * SECOND - 10 * SECOND
    dated = [ecs(second + n * 10**6, f"m{n}") for n in range(5)]
    create_index(server.url, index, [*dated, {"message": "when?"}, {"message": "then?"}])
    window = Window(second, second - SECOND, second + SECOND)
    collected = fetched(connector(index), window)
    assert len(collected.events) == 5
    (undated,) = [remark for remark in collected.remarks if remark.topic == "undated"]
    assert undated.count == 2


def test_records_that_only_tell_when_they_arrived(
    server: RunningServer, connector: MakeConnector, index: str
) -> None:
    second = time.time_ns() // SECOND * SECOND - 10 * SECOND
    late = {"event": {"ingested": iso(second + 5 * 10**6)}, "message": "no time of its own"}
    create_index(server.url, index, [*(ecs(second, f"m{n}") for n in range(3)), late])
    window = Window(second, second - SECOND, second + SECOND)
    events = fetched(connector(index), window).events
    assert {event.meaning.value for event in events} == {"occurred", "ingested"}
    assert len(events) == 4


def test_a_missing_index_names_its_neighbours(
    server: RunningServer, connector: MakeConnector, index: str
) -> None:
    create_index(server.url, index, [ecs(time.time_ns(), "m")])
    wrong = index[:-1] + "x"
    with pytest.raises(Misconfigured) as caught:
        fetched(connector(wrong), Window(SECOND, 0, 2 * SECOND))
    assert "not exist" in caught.value.sentence()
    assert index in caught.value.remedy
    with pytest.raises(Misconfigured, match="No index matches"):
        fetched(connector(f"{wrong}*"), Window(SECOND, 0, 2 * SECOND))


def test_a_server_that_is_none(server: RunningServer, connector: MakeConnector) -> None:
    with pytest.raises((Misconfigured, BadAnswer)):
        fetched(connector("any", url=f"{server.url}/deeper"), Window(SECOND, 0, 2 * SECOND))


def test_check_tells_what_there_is(
    server: RunningServer, connector: MakeConnector, many: tuple[str, Window]
) -> None:
    name, _ = many

    async def check() -> None:
        reader = connector(name)
        try:
            report = await reader.check()
        finally:
            await reader.close()
        assert server.version in report.system
        told = " ".join(report.facts)
        assert name in told
        assert "@timestamp" in told
        assert "user_id" in told
        assert report.writes_refused is False, "no security is switched on"
        assert any("no security" in said for said in report.rights)
        (cost,) = report.cost
        assert cost.rows is not None
        assert report.retention
        assert report.clock is not None
        assert report.clock.error < SECOND

    asyncio.run(check())


def test_nothing_was_changed(
    server: RunningServer, connector: MakeConnector, many: tuple[str, Window]
) -> None:
    name, window = many

    def counters() -> tuple[object, ...]:
        stats = httpx.get(f"{server.url}/{name}/_stats").json()["_all"]["total"]
        return stats["docs"], stats["indexing"]["index_total"], stats["refresh"]["external_total"]

    before = counters()
    fetched(connector(name), window, Budget(seconds=60))
    looked_up(connector(name), ("user:7",), window)
    assert counters() == before


def test_lines_in_documents_are_read_counted_and_looked_up(
    connector: MakeConnector, server: RunningServer, index: str
) -> None:
    pin = time.time_ns() // SECOND * SECOND - 60 * SECOND
    line = f'ts={iso(pin)} level=warning svc=inventory msg="sold out" order_id="o-%d" sku=AB'
    documents = [ecs(pin + n * 1_000_000, line % n, "warn") for n in range(300)]
    prose = ecs(pin, 'order_id="o-999" is what the caller sent', "warn")
    create_index(server.url, index, [*documents, prose])
    window = Window(pin, pin - 10 * SECOND, pin + 10 * SECOND)
    collected = fetched(connector(index), window, Budget(seconds=60))
    said = [event.body for event in collected.events]
    assert sorted(said) == sorted(["sold out"] * 300 + ['order_id="o-999" is what the caller sent'])
    (preview,) = collected.previews
    assert {event.body for event in preview.events} <= set(said)
    assert {event.severity_number for event in collected.events} == {13}
    assert {event.actor for event in collected.events} == {"web"}, "the document names its service"
    assert {e.timestamp for e in collected.events} == {pin + n * 1_000_000 for n in range(300)}
    found = looked_up(connector(index), ("order:o-7",), window)
    (event,) = found.events
    assert (event.body, event.timestamp) == ("sold out", pin + 7 * 1_000_000)
    assert 'order_id=\\"o-7\\" sku=AB' in (event.attributes or "")
