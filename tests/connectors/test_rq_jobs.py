"""From one RQ job to its transitions: clocks, retries, old shapes, hostile payloads. No server."""

from __future__ import annotations

import base64
import json
import zlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.rq.decoding import ERROR_CHARACTERS, nanoseconds, old_error
from connectors.rq.jobs import Attempt, Job, JobEvents, attempt_from
from connectors.rq.reads import job_of
from timeline.clock import ClockTable
from timeline.event import Event, Kind, Meaning, Precision
from timeline.keys import KeyRules
from timeline.order import Verdict, before
from timeline.window import SECOND_NS

BASE = nanoseconds("2026-11-20T02:07:29.000000Z") or 0
CALL = "shop.jobs.welcome_mail(user_id=4711)"
TRACE = 'Traceback (most recent call last):\n  File "x.py"\nLookupError: User 4711 not found\n'


def stamp(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(BASE / 1e9, UTC) + timedelta(milliseconds=milliseconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def job(status: str, *attempts: Attempt, **fields: str) -> Job:
    held = {
        "status": status,
        "origin": "mailers",
        "description": CALL,
        "worker_name": "mailer-1",
        "created_at": stamp(0),
        "enqueued_at": stamp(1),
        **fields,
    }
    return Job("8f2c", held, attempts)


def attempt(kind: str, at_ms: int, *, timed: bool = True, error: str = "") -> Attempt:
    ended = BASE + at_ms * 1_000_000
    return Attempt(
        entry=f"{ended // 1_000_000 + 2}-0",
        kind=kind,
        recorded=ended + 2_000_000,
        started=ended - 50_000_000 if timed else None,
        ended=ended if timed else None,
        worker="mailer-1",
        error=error,
    )


def told(held: Job, hosts: dict[str, str] | None = None) -> list[Event]:
    return list(JobEvents("queue", "rq", KeyRules(), hosts=hosts or {}).of(held))


def kinds(held: Job) -> list[Kind]:
    return [event.kind for event in told(held)]


def test_a_success_is_three_transitions_on_two_clocks() -> None:
    enqueued, started, finished = told(
        job("finished", attempt("1", 200), started_at=stamp(150), ended_at=stamp(200)),
        hosts={"mailer-1": "host-b"},
    )
    assert (enqueued.kind, enqueued.meaning, enqueued.clock) == (
        Kind.JOB_ENQUEUED,
        Meaning.SENT,
        "client?",
    )
    assert (started.kind, started.clock) == (Kind.JOB_STARTED, "host-b")
    assert (finished.kind, finished.meaning) == (Kind.JOB_FINISHED, Meaning.OCCURRED)
    assert finished.timestamp == BASE + 200_000_000
    assert enqueued.body == "welcome_mail(user_id=4711) enqueued on mailers"
    assert enqueued.actor == "mailers"
    assert started.actor == "mailer-1"
    assert set(enqueued.keys) == {"job:8f2c", "user:4711"}
    attributes = json.loads(finished.attributes or "{}")
    assert attributes["job_class"] == "shop.jobs.welcome_mail"
    assert attributes["args"] == "user_id=4711"
    assert attributes["status"] == "finished"
    assert attributes["recorded_at"] > attributes["ended_at"]


def test_enqueues_of_unknown_hosts_are_not_ordered_by_one_clock() -> None:
    """Two processes may enqueue on two hosts: 40 ms apart says little, one clock would say all."""
    (earlier, *_), (later, *_) = (told(job("queued", enqueued_at=stamp(at))) for at in (0, 40))
    assert before(earlier, later, ClockTable()).verdict is Verdict.POSSIBLE
    declared = JobEvents("queue", "rq", KeyRules(), producer_clock="web-1")
    (first, *_), (second, *_) = (
        list(declared.of(job("queued", enqueued_at=stamp(at)))) for at in (0, 40)
    )
    assert before(first, second, ClockTable()).verdict is Verdict.CERTAIN


def test_a_failure_carries_its_error_first_and_its_trace_after() -> None:
    failed = told(
        job(
            "failed",
            attempt_from("1-0", {"type": b"2", "exc_string": _packed(TRACE)}),
            ended_at=stamp(9),
        )
    )[-1]
    assert failed.kind is Kind.JOB_FAILED
    assert failed.severity_number >= 17
    head, _, rest = failed.body.partition("␊")
    assert head.endswith("failed on mailers: LookupError: User 4711 not found")
    assert rest.startswith("Traceback")
    assert json.loads(failed.attributes or "{}")["error"] == "LookupError: User 4711 not found"


def test_an_attempt_that_will_be_retried_is_no_final_failure() -> None:
    for status in ("scheduled", "queued", "started"):
        ends = [
            event
            for event in told(job(status, started_at=stamp(5), ended_at=stamp(9), retries_left="1"))
            if event.timestamp == BASE + 9_000_000
        ]
        assert [event.kind for event in ends] == [Kind.JOB_RETRIED]


def test_a_retried_job_tells_its_first_enqueue_too() -> None:
    held = job("queued", enqueued_at=stamp(60_000), retries_left="2", ended_at=stamp(50))
    first, again, retried = told(held)
    assert (first.kind, first.timestamp) == (Kind.JOB_ENQUEUED, BASE)
    assert "again" in again.body
    assert again.timestamp == BASE + 60 * SECOND_NS
    assert retried.kind is Kind.JOB_RETRIED


def test_a_job_without_retries_is_enqueued_once() -> None:
    assert kinds(job("queued", enqueued_at=stamp(60_000))) == [Kind.JOB_ENQUEUED]


def test_every_attempt_in_the_stream_is_told() -> None:
    held = job(
        "failed",
        attempt("5", 300),
        attempt("4", 200),
        attempt("4", 100),
        started_at=stamp(250),
        ended_at=stamp(300),
    )
    assert kinds(held) == [
        Kind.JOB_ENQUEUED,
        Kind.JOB_STARTED,
        Kind.JOB_DEAD,
        Kind.JOB_RETRIED,
        Kind.JOB_RETRIED,
    ]


def test_the_stream_of_rq_1_has_no_times_and_is_not_told_twice() -> None:
    held = job(
        "failed", attempt("2", 200, timed=False, error="LookupError: x"), ended_at=stamp(200)
    )
    (failed,) = [event for event in told(held) if event.kind is Kind.JOB_FAILED]
    assert failed.timestamp == BASE + 200_000_000
    assert failed.precision is Precision.MICROSECOND


def test_the_hash_of_old_versions_holds_the_error() -> None:
    held = job("failed", ended_at=stamp(9), exc_info=old_error(zlib.compress(TRACE.encode())))
    failed = told(held)[-1]
    assert failed.kind is Kind.JOB_FAILED
    assert "LookupError: User 4711 not found" in failed.body


@pytest.mark.parametrize("status", ["stopped", "canceled"])
def test_jobs_that_were_ended_by_hand(status: str) -> None:
    last = told(job(status, ended_at=stamp(9)))[-1]
    assert status in last.body
    assert last.kind in (Kind.JOB_FAILED, Kind.JOB_DEAD)


def test_two_events_of_a_job_are_two_pieces_of_evidence() -> None:
    events = told(job("failed", attempt("2", 200), started_at=stamp(150), ended_at=stamp(200)))
    assert len({event.id for event in events}) == len(events)
    assert [event.seq for event in events] == sorted(event.seq for event in events)


@pytest.mark.parametrize(
    ("description", "title"),
    [
        ("", "job 8f2c"),
        ("nightly backup", "nightly backup"),
        ("a.b.run()", "run()"),
        ("a.b.run('x(y)', n=1)", "run('x(y)', n=1)"),
        ("run(unfinished", "run(unfinished"),
    ],
)
def test_descriptions_of_any_shape_have_a_title(description: str, title: str) -> None:
    assert job("queued", description=description).title == title


@pytest.mark.parametrize(
    ("description", "keys"),
    [
        ("shop.welcome_mail(4711)", {"job:8f2c", "user:4711"}),
        ("shop.welcome_mail('4711', 'x')", {"job:8f2c", "user:4711"}),
        ("shop.welcome_mail(load(4711))", {"job:8f2c"}),
        ("shop.welcome_mail(4711", {"job:8f2c"}),
        ("shop.other(4711)", {"job:8f2c"}),
        ("shop.welcome_mail(" + "(" * 5_000, {"job:8f2c"}),
    ],
)
def test_positional_arguments_become_keys_where_they_are_named(
    description: str, keys: set[str]
) -> None:
    events = JobEvents("queue", "rq", KeyRules(), arguments={"welcome_mail": ("user_id",)})
    assert set(events.keys(job("queued", description=description))) == keys
    assert set(
        JobEvents("queue", "rq", KeyRules()).keys(job("queued", description=description))
    ) == {"job:8f2c"}


def test_a_small_entry_cannot_fill_the_memory() -> None:
    bomb = base64.b64encode(zlib.compress(b"A" * 50_000_000))
    assert len(bomb) < 100_000
    assert len(attempt_from("1-0", {"exc_string": bomb}).error) <= ERROR_CHARACTERS


@pytest.mark.parametrize("payload", [b"not base64!", b"aGVsbG8=", b"\xff\xfe", b"=", b""])
def test_a_payload_that_is_no_error_text_is_left_empty(payload: bytes) -> None:
    assert attempt_from("1-0", {"exc_string": payload, "type": b"2"}).error == ""


@given(st.dictionaries(st.text(max_size=8), st.binary(max_size=40), max_size=6), st.text())
def test_no_stream_entry_breaks_the_reader(payload: dict[str, bytes], entry: str) -> None:
    read = attempt_from(entry, payload)
    assert read.recorded >= 0


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2262, 1, 1)))  # noqa: DTZ001
def test_stamps_are_read_exactly(moment: datetime) -> None:
    expected = (moment - datetime(1970, 1, 1)) // timedelta(microseconds=1) * 1_000  # noqa: DTZ001
    assert nanoseconds(moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "9999-12-31T00:00:00Z", "1601-01-01T00:00:00Z"])
def test_stamps_that_have_no_place_are_none(text: str) -> None:
    assert nanoseconds(text) is None


@pytest.mark.parametrize(
    ("member", "job_id"),
    [
        ("8f2c", "8f2c"),
        ("8f2c:0123456789abcdef0123456789abcdef", "8f2c"),
        ("tenant:42:mail", "tenant:42:mail"),
        ("tenant:42:0123456789abcdef0123456789abcdef", "tenant:42"),
    ],
)
def test_registry_members_of_both_generations(member: str, job_id: str) -> None:
    assert job_of(member) == job_id


def _packed(text: str) -> bytes:
    return base64.b64encode(zlib.compress(text.encode()))
