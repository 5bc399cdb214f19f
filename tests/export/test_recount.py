"""Which query counts the keys of a claim again, and when there is honestly none."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from tests.export.world import ANALYSIS, EVENTS, OPTIONS, WINDOW, at, incident
from timeline.batch import BatchExtras, Remark, batch_of
from timeline.columns import frame_from
from timeline.event import Event, Kind, Lane, Meaning
from timeline.export.document import Counted
from timeline.export.jira import JiraExporter
from timeline.export.json_ import JsonExporter
from timeline.export.list_ import ListExporter
from timeline.export.markdown import MarkdownExporter
from timeline.export.recount import MOST_KEYS, counted_of
from timeline.export.recount_words import QUERY_CHARACTERS, count_lines, counted_sentence
from timeline.incident import Incident, SourceInfo
from timeline.store import Store

SHOP = SourceInfo("shop", Lane.DATABASE, "postgresql 15.18 (primary)")
ELASTIC = SourceInfo("logs", Lane.LOG, "elasticsearch")


def row(
    user: int | str, *, table: str = "users", columns: Mapping[str, object] | None = None,
    keys: Sequence[str] = (), clock: str = "02:07:29", source: str = "shop",
) -> Event:  # fmt: skip
    told = {"id": user, "created_at": f"2026-03-14T{clock}+00:00"} if columns is None else columns
    attributes = {"table": table, "pk": user, "columns": told}
    return Event(
        at(clock), source, Lane.DATABASE, Kind.ROW_INSERTED, f"{table}/{user} inserted",
        f"{table}/{user}#created_at", abs(hash(user)) % 10**9, actor=table,
        meaning=Meaning.TRANSACTION_START, attributes=json.dumps(attributes),
        keys=(f"row:{table}/{user}", f"user:{user}", *keys),
    )  # fmt: skip


def record(number: int, keys: Sequence[str], **fields: object) -> Event:
    stamp = at("02:07:30") + number * 1_000_000
    told = {"@timestamp": f"2026-03-14T02:07:{30 + number / 1000:06.3f}Z", **fields}
    return Event(
        stamp, "logs", Lane.LOG, Kind.LOG, "could not enqueue", f"shop-1/d{number}", number,
        severity_number=17, keys=tuple(keys), attributes=json.dumps(told),
    )  # fmt: skip


def world(
    events: Sequence[Event], *sources: SourceInfo, remarks: Sequence[Remark] = ()
) -> Incident:
    store = Store()
    for info in sources:
        own = [event for event in events if event.source == info.name]
        said = tuple(remark for remark in remarks if remark.source == info.name)
        store.add(batch_of(info.name, own, BatchExtras(remarks=said)))
    return Incident(WINDOW, store.snapshot(), sources=sources)


def counted(of: Incident, *keys: str) -> Counted:
    found = counted_of(of, keys, "state.victims")
    assert found is not None
    return found


def test_rows_are_counted_by_their_primary_key_within_absolute_times() -> None:
    found = counted(world([row(4711), row(4712), row(4713)], SHOP), "user:4711", "user:4713")
    (query,) = found.queries
    assert (query.count, query.many, query.keys) == (2, "rows of users", ("user:4711", "user:4713"))
    assert query.query == (
        'SELECT count(*) FROM "users" WHERE "id" IN (4711, 4713)'
        " AND \"created_at\" >= '2026-03-14 01:43:40+00'"
        " AND \"created_at\" < '2026-03-14 02:18:40+00';"
    )
    assert not found.unasked


def test_an_old_row_that_was_looked_up_widens_the_stretch() -> None:
    old = row(4711, clock="00:00:01")
    (query,) = counted(world([old], SHOP), "user:4711").queries
    assert "'2026-03-14 00:00:01+00'" in query.query


def test_a_row_that_only_refers_to_the_key_is_not_counted_for_it() -> None:
    mail = row(9, table="mails", columns={"id": 9, "user_id": 4711}, keys=("user:4711",))
    found = counted(world([mail], SHOP), "user:4711")
    assert not found.queries
    assert found.unasked == ("user:4711",)


@pytest.mark.parametrize("columns", [{}, {"a": 7, "b": 7}, {"status": "open"}])
def test_where_the_key_column_is_not_decided_there_is_no_statement(
    columns: dict[str, object],
) -> None:
    found = counted(world([row(7, columns=columns)], SHOP), "user:7")
    assert not found.queries
    assert "No single query" in counted_sentence(found)


@pytest.mark.parametrize(
    ("system", "quoted", "literal"),
    [
        ("postgresql", '"users"', "'o''brien\\'"),
        ("sqlite", '"users"', "'o''brien\\'"),
        ("mysql 8.0.36", "`users`", "'o''brien\\\\'"),
    ],
)
def test_values_cannot_leave_their_quotes(system: str, quoted: str, literal: str) -> None:
    hostile = row("o'brien\\")
    source = replace(SHOP, system=system)
    (query,) = counted(world([hostile], source), "user:o'brien\\").queries
    assert f"FROM {quoted} WHERE" in query.query
    assert f"IN ({literal})" in query.query


def test_records_are_counted_by_the_field_that_holds_the_key() -> None:
    events = [record(n, [f"request:r{n % 3}"], request_id=f"r{n % 3}") for n in range(9)]
    (query,) = counted(world(events, ELASTIC), "request:r0", "request:r2").queries
    method, path, body = query.query.split(" ", 2)
    told = json.loads(body)["query"]["bool"]["filter"]
    assert (query.count, query.one, method, path) == (
        6, "record that carries 2 keys", "GET", "shop-1/_count",
    )  # fmt: skip
    assert told[0]["range"]["@timestamp"]["gte"] == "2026-03-14T01:43:40Z"
    assert told[1]["bool"]["should"] == [
        {"match_phrase": {"request_id": "r0"}},
        {"match_phrase": {"request_id": "r2"}},
    ]


def test_records_whose_text_holds_the_key_are_named_by_their_ids() -> None:
    events = [record(n, ["user:4711"]) for n in range(3)]
    (query,) = counted(world(events, ELASTIC), "user:4711").queries
    assert '{"ids": {"values": ["d0", "d1", "d2"]}}' in query.query
    assert query.count == 3


def test_of_a_source_that_was_cut_the_count_is_a_lower_bound() -> None:
    cut = Remark("logs", "cut", "more records hold these words than may be read")
    events = [record(0, ["request:r0"], request_id="r0")]
    (query,) = counted(world(events, ELASTIC, remarks=[cut]), "request:r0").queries
    assert query.at_least
    (line,) = count_lines(Counted(1, "state.victims", (query,)))
    assert line.what.startswith("at least 1 record")


def test_no_key_is_counted_twice_and_its_own_source_comes_first() -> None:
    events = [row(4711), record(0, ["user:4711"], user_id=4711), record(1, ["request:r1"])]
    found = counted(world(events, SHOP, ELASTIC), "user:4711", "request:r1", "tenant:9")
    assert [(one.source, one.keys) for one in found.queries] == [
        ("shop", ("user:4711",)),
        ("logs", ("request:r1",)),
    ]
    assert found.unasked == ("tenant:9",)
    assert "No query counts tenant:9" in counted_sentence(found)


def _job(ref: str, job: str, **told: object) -> Event:
    return Event(
        at("02:07:29"), "queue", Lane.QUEUE, Kind.JOB_FAILED, "failed", ref, 1,
        keys=(f"job:{job}",), attributes=json.dumps({"job_id": job, **told}),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("system", "ref", "told", "query"),
    [
        ("rq", "rq:job:8f2c#enqueued_at", {}, "redis-cli EXISTS rq:job:8f2c"),
        ("rq", "rq:results:8f2c@17-0", {}, "redis-cli EXISTS rq:job:8f2c"),
        ("bullmq", "bull:mail:8f2c#failed", {}, "redis-cli EXISTS bull:mail:8f2c"),
        ("celery", "celery-task-meta-8f2c#FAILURE", {}, "redis-cli EXISTS celery-task-meta-8f2c"),
        ("good-job", "public.good_jobs/8f2c#finished_at@1", {"kept_in": "public.good_jobs"},
         "SELECT count(*) FROM \"public\".\"good_jobs\" WHERE \"id\" IN ('8f2c');"),
        ("river", "public.river_job/17#finalized_at@1", {"kept_in": "public.river_job"},
         'SELECT count(*) FROM "public"."river_job" WHERE "id" IN (17);'),
        ("sidekiq", "sidekiq/8f2c#failed_at@1", {}, None),
        ("rq", "rq:job:other#enqueued_at", {}, None),
    ],
)  # fmt: skip
def test_a_job_is_counted_where_its_queue_keeps_it_under_its_name(
    system: str, ref: str, told: dict[str, object], query: str | None
) -> None:
    source = SourceInfo("queue", Lane.QUEUE, system)
    found = counted(world([_job(ref, "8f2c", **told)], source), "job:8f2c")
    assert [one.query for one in found.queries] == ([] if query is None else [query])


def test_a_file_is_asked_for_the_bytes_that_were_read() -> None:
    lines = [(100, "user:4711"), (300, "user:4712"), (600, "user:4713"), (900, "user:4714")]
    frame, keys = frame_from(
        Event(at("02:07:29") + n, "web", Lane.LOG, Kind.LOG, "sign-up", "", n, keys=(key,))
        for n, (_, key) in enumerate(lines)
    )
    frame = frame.with_columns(
        **{
            "ref": None,
            "file": frame.get_column("ref").replace_strict({"": "/srv/shop/web it's.log"}),
            "offset": frame.get_column("seq").replace_strict(dict(enumerate(o for o, _ in lines))),
            "length": frame.get_column("seq") * 0 + 50,
        }
    ).cast(frame.schema)  # fmt: skip
    store = Store()
    store.add(replace(batch_of("web", ()), events=frame, keys=keys))
    of = Incident(WINDOW, store.snapshot(), sources=(SourceInfo("web", Lane.LOG, "file"),))
    found = counted_of(of, ["user:4712", "user:4713"], "state.victims", "/srv/shop")
    assert found is not None
    (query,) = found.queries
    words = shlex.split(query.query)
    assert words[:4] == ["tail", "-c", "+301", "web it's.log"]
    assert words[words.index("head") + 2] == "350"
    assert (query.count, query.many) == (2, "ids in web it's.log")


def test_more_keys_than_a_query_can_name_are_said_to_be_too_many() -> None:
    keys = [f"user:{n}" for n in range(MOST_KEYS + 1)]
    found = counted(world([row(1)], SHOP), *keys)
    assert found.too_many
    assert not found.queries
    assert "more than a query can name" in counted_sentence(found)


def test_no_keys_need_no_count_and_odd_ones_do_no_harm() -> None:
    assert counted_of(world([row(1)], SHOP), [], "state.victims") is None
    assert counted(world([row(1)], SHOP), "user:\udc00").unasked == ("user:\udc00",)


def test_a_query_that_is_too_long_for_a_page_stands_in_the_json() -> None:
    users = list(range(10_000, 10_000 + MOST_KEYS))
    found = counted(world([row(user) for user in users], SHOP), *(f"user:{n}" for n in users))
    (line,) = count_lines(found)
    assert len(found.queries[0].query) > QUERY_CHARACTERS
    assert line.query == ""
    assert "JSON export" in line.why_not


MADE = incident((*EVENTS, row(4715, clock="02:07:29")))
SELECTED = 'SELECT count(*) FROM "users" WHERE "id" IN (4715)'


@pytest.mark.parametrize("kind", [MarkdownExporter, ListExporter, JiraExporter, JsonExporter])
def test_the_impact_prints_the_query_as_it_runs(
    kind: type[MarkdownExporter | ListExporter | JiraExporter | JsonExporter],
) -> None:
    text = kind().render(MADE, ANALYSIS, OPTIONS)
    shown = json.dumps(SELECTED)[1:-1] if kind is JsonExporter else SELECTED
    assert shown in text
    assert "halfawake findings FILE.halfawake" in text.replace("\\", "")


def test_a_query_that_redaction_would_break_is_left_out() -> None:
    columns = {"id": "ada@example.com", "created_at": "2026-03-14T02:07:29+00:00"}
    of = incident((*EVENTS, row("ada@example.com", columns=columns)))
    state = replace(ANALYSIS.state, victims=("user:ada@example.com",))
    told = json.loads(JsonExporter().render(of, replace(ANALYSIS, state=state), OPTIONS))
    (query,) = told["impact"]["counted"]["queries"]
    assert query["query"] is None
    assert query["count"] == 1
    text = MarkdownExporter().render(of, replace(ANALYSIS, state=state), OPTIONS)
    assert "names what was taken out" in text
    assert "ada@" not in text


def test_with_stand_ins_for_ids_no_query_names_one() -> None:
    hidden = replace(OPTIONS, pseudonymise_ids=True)
    text = MarkdownExporter().render(MADE, ANALYSIS, hidden)
    assert "4715" not in text
    assert "SELECT count" not in text


def test_the_same_incident_gives_the_same_queries_in_any_order_of_arrival() -> None:
    events = [row(n) for n in range(20)]
    keys = [f"user:{n}" for n in range(20)]
    one, other = world(events, SHOP), world(events[::-1], SHOP)
    assert counted(one, *keys) == counted(other, *keys[::-1])
