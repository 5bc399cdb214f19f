"""The shared facts: errors, jobs, records, executions, failing calls, bursts, victims."""

from __future__ import annotations

import polars as pl
import pytest

from timeline.event import Kind, Meaning
from timeline.facts.bursts import clusters, placebo, without_routine
from timeline.facts.errors import HIT_SCHEMA, error_hits, network_errors
from timeline.facts.executions import EXECUTION_SCHEMA
from timeline.facts.failures import victims_of
from timeline.facts.follow_ups import missing_follow_ups
from timeline.facts.jobs import RUN_SCHEMA, TRANSITION_SCHEMA
from timeline.facts.operations import failing_operations
from timeline.facts.words import counted, instant, length, listed
from timeline.store import empty_snapshot

from .worlds import CLOSED, HICCUP, SECOND, World, at, failed_push, healthy, shop


def test_errors_come_with_their_context_in_time_order() -> None:
    hits = error_hits(shop().incident())
    assert dict(hits.schema) == dict(pl.DataFrame(schema=HIT_SCHEMA).schema)
    assert hits["timestamp"].is_sorted()
    assert network_errors(hits).height == 7
    assert set(hits.filter(pl.col("error_class") == "not_found")["lane"]) == {"log", "queue"}


def test_a_line_shipped_twice_is_one_error() -> None:
    world = World()
    for source in ("a", "b"):
        world.error(5, "web", CLOSED, source=source)
    world.error(6, "web", CLOSED)
    assert error_hits(world.incident()).height == 2


def test_notes_rows_and_job_arguments_are_no_errors() -> None:
    world = World()
    world.change(5, "rolled back because of Connection refused")
    world.row(6, "users", 1, columns={"note": "Connection reset by peer"})
    world.run("j", "reason='Connection refused'", 7, 8, 9)
    assert error_hits(world.incident()).is_empty()


@pytest.mark.parametrize(
    ("body", "severity", "known"),
    [
        ("LookupError: User 4711 not found", 17, True),
        ("order #77 does not exist", 17, True),
        ("no such user 4711", 17, True),
        ("could not find account id=9a-7", 17, True),
        ("User 4711 not found in cache, loading", 9, False),
        ("not found", 17, False),
        ("404 page not found", 17, False),
        ("4711 users found", 17, False),
    ],
)
def test_missing_rows_in_an_applications_own_words(body: str, severity: int, known: bool) -> None:
    world = World()
    world.log(5, "web", body, severity=severity)
    hits = error_hits(world.incident())
    assert (hits.height == 1) is known


def test_runs_pair_each_start_with_the_next_end_of_its_job() -> None:
    world = World()
    for seconds, kind in (
        (1, Kind.JOB_ENQUEUED),
        (2, Kind.JOB_STARTED),
        (3, Kind.JOB_FAILED),
        (9, Kind.JOB_STARTED),
        (10, Kind.JOB_FINISHED),
    ):
        world.job(seconds, kind, "a", "user_id=1")
    world.job(2.5, Kind.JOB_STARTED, "b", "user_id=2")
    jobs = world.incident().jobs
    assert dict(jobs.runs.schema) == dict(pl.DataFrame(schema=RUN_SCHEMA).schema)
    assert dict(jobs.transitions.schema) == dict(pl.DataFrame(schema=TRANSITION_SCHEMA).schema)
    told = jobs.runs.select("job", "start", "end", "outcome").rows()
    assert told == [
        ("job:a", at(2), at(3), "failed"),
        ("job:a", at(9), at(10), "finished"),
        ("job:b", at(2.5), None, "open"),
    ]
    assert jobs.with_entity("user:1") == ["job:a"]
    assert jobs.entities_of("job:b") == ["user:2"]


def test_records_keep_creation_commit_and_sight_apart() -> None:
    world = World()
    world.row(10, "users", 4711, commit=10.5, seen=900)
    world.row(12, "mails", 1, columns={"user_id": 4711})
    records = world.incident().records
    record = records.of_entity("user:4711")
    assert record is not None
    assert (record.created, record.commit, record.seen) == (at(10), at(10.5), at(900))
    assert not record.rewritten
    assert [effect.table for effect in records.referring_to(["user:4711"])["user:4711"]] == [
        "mails"
    ]
    assert records.of_entity("user:1") is None


def test_a_commit_event_is_taken_like_a_commit_attribute() -> None:
    from dataclasses import replace

    world = World()
    insert = world.row(10, "users", 1)
    world.events.append(
        replace(
            insert,
            timestamp=at(10.4),
            kind=Kind.TXN_COMMIT,
            meaning=Meaning.COMMITTED,
            ref="users/1#commit",
            seq=insert.seq + 1,
        )
    )
    record = world.incident().records.of_entity("user:1")
    assert record is not None
    assert record.commit == at(10.4)
    assert record.commit_row is not None


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-03-14T02:00:10.500000+00:00",
        "2026-03-14 02:00:10.5+00",
        "2026-03-14T02:00:10.500Z",
        "2026-03-14T04:00:10.5+02:00",
    ],
)
def test_commit_stamps_in_every_usual_spelling(stamp: str) -> None:
    import json
    from dataclasses import replace

    world = World()
    event = world.row(10, "users", 1)
    told = json.loads(event.attributes or "{}") | {"commit_timestamp": stamp}
    world.events[-1] = replace(event, attributes=json.dumps(told))
    record = world.incident().records.of_entity("user:1")
    assert record is not None
    assert record.commit == at(10.5)


def test_executions_are_per_key_and_actor() -> None:
    world = World()
    world.log(1, "web", "start request_id=a")
    world.log(2, "stock", "asked request_id=a")
    world.log(3, "web", "end request_id=a trace_id=t")
    world.log(4, "mailer", "run job_id=j")
    world.log(5, "mailer", "done job_id=j")
    executions = world.incident().executions
    names = list(EXECUTION_SCHEMA)
    assert executions.frame.columns[: len(names)] == names
    told = executions.frame.select("id", "kind", "actor", "start", "end").rows()
    assert told == [
        ("request:a", "request", "web", at(1), at(3)),
        ("request:a", "request", "stock", at(2), at(2)),
        ("job:j", "job", "mailer", at(4), at(5)),
    ]


def test_a_run_the_queue_tells_replaces_the_one_its_log_lines_tell() -> None:
    world = World()
    world.log(4, "mailer", "run job_id=j")
    world.run("j", "user_id=1", 3, 3.9, 5.1)
    frame = world.incident().executions.frame
    assert frame.select("id", "start", "end").rows() == [("job:j", at(3.9), at(5.1))]


def test_members_lead_from_rows_to_executions_and_back() -> None:
    world = World()
    first = world.log(1, "web", "start request_id=a")
    world.log(3, "web", "end request_id=a")
    world.log(3, "web", "other request_id=b")
    incident = world.incident()
    row = next(row for row in range(3) if incident.snapshot.event(row).id == first.id)
    pairs = incident.executions.of_rows(pl.Series([row]))
    rows = incident.executions.rows_of(pairs["execution"])["row"].sort().to_list()
    assert {incident.snapshot.event(row).body for row in rows} == {
        "start request_id=a",
        "end request_id=a",
    }


def test_calls_that_waited_equally_long_tell_their_timeout() -> None:
    world = World()
    failed_push(world, 1, 100, waited=1.0)
    failed_push(world, 2, 200, waited=1.05)
    incident = world.incident()
    calls = failing_operations(incident, network_errors(incident.errors))
    assert calls["how"].to_list() == ["inferred", "inferred"]
    assert all(abs(waited - 1.001 * SECOND) < SECOND // 10 for waited in calls["waited"])
    assert all(calls["sent"] > calls["previous"])


def test_calls_that_waited_differently_tell_nothing() -> None:
    world = World()
    failed_push(world, 1, 100, waited=1.0)
    failed_push(world, 2, 200, waited=3.0)
    incident = world.incident()
    calls = failing_operations(incident, network_errors(incident.errors))
    assert calls["how"].to_list() == [None, None]
    assert calls["sent"].to_list() == calls["timestamp"].to_list()


def test_routine_templates_are_subtracted_and_bursts_are_not() -> None:
    world = healthy(World())
    for number in range(210):
        world.error(5 + number * 10, "web", CLOSED)
    for number in range(20):
        world.error(HICCUP + number * 0.1, "billing", CLOSED)
    incident = world.incident()
    left = without_routine(incident, network_errors(incident.errors))
    assert left["actor"].unique().to_list() == ["billing"]


def test_clusters_break_at_the_gap() -> None:
    hits = pl.DataFrame({"timestamp": [0, 1, 2, 10, 11, 30]})
    assert [part.height for part in clusters(hits, gap=5, least=2)] == [3, 2]


def test_control_windows_count_only_where_somebody_looked() -> None:
    world = healthy(World())
    world.blind("web.log", 0, 1000)
    incident = world.incident()
    stamps = pl.Series([at(HICCUP)], dtype=pl.Int64)
    everywhere = placebo(incident, stamps, ("rq",), at(HICCUP), at(HICCUP + 2))
    half = placebo(incident, stamps, ("rq", "web.log"), at(HICCUP), at(HICCUP + 2))
    assert everywhere.highest == half.highest == 0
    assert 0 < half.windows < everywhere.windows


def test_victims_are_entities_first() -> None:
    world = World()
    world.log(1, "web", "start request_id=a user_id=7")
    world.error(2, "web", "boom request_id=a")
    world.job(3, Kind.JOB_FAILED, "j", "user_id=8", error="boom")
    world.error(4, "mailer", "boom job_id=j")
    world.error(5, "web", "boom request_id=b")
    world.error(6, "web", "boom without anything")
    incident = world.incident()
    told = victims_of(incident, incident.failures)
    assert told["key"].to_list() == ["user:7", "user:8", "user:8", "request:b"]


def test_follow_ups_prefer_rows_to_jobs() -> None:
    world = healthy(World())
    world.row(700, "users", 4711)
    told = missing_follow_ups(world.incident())
    assert told is not None
    assert (told.table, told.effect, told.missing) == ("users", "mails", ("user:4711",))


def test_follow_ups_by_jobs_when_no_table_follows() -> None:
    world = healthy(World())
    world.events = [event for event in world.events if event.actor != "mails"]
    world.row(700, "users", 4711)
    told = missing_follow_ups(world.incident())
    assert told is not None
    assert (told.effect, told.missing) == ("job", ("user:4711",))


def test_facts_of_nothing_are_empty() -> None:
    from dataclasses import replace

    incident = replace(World(events=[]).incident(), snapshot=empty_snapshot())
    assert incident.errors.is_empty()
    assert incident.jobs.runs.is_empty()
    assert incident.records.summary.is_empty()
    assert incident.executions.frame.is_empty()
    assert incident.silences == ()
    assert incident.workers == frozenset()


@pytest.mark.parametrize(
    ("nanoseconds", "words"),
    [
        (340_000_000, "340 ms"),
        (2_100_000_000, "2.1 s"),
        (371 * SECOND, "6 min 11 s"),
        (120 * SECOND, "2 min"),
    ],
)
def test_lengths_read_as_people_say_them(nanoseconds: int, words: str) -> None:
    assert length(nanoseconds) == words


def test_words() -> None:
    assert instant(at(HICCUP + 0.1175)) == "02:24:00.117"
    assert (counted(0, "job"), counted(1, "job"), counted(2, "job")) == (
        "no job",
        "1 job",
        "2 jobs",
    )
    assert listed(["a", "b", "c"], 2) == "a, b and 1 more"
    assert listed(["a", "b", "c"]) == "a, b and c"
