"""The shape that all queues share: transitions, the present, and what an account lets us claim."""

from __future__ import annotations

import json

import pytest

from connectors.queues.account import CLOCKS_APART_NS, Account, Memory
from connectors.queues.present import QueueNow, depth_event, due_by_minute
from connectors.queues.transitions import JobFacts, Moment, epoch_ns, headline, transition
from timeline.coverage import CoverageMap, Sight
from timeline.event import SEVERITY_ERROR, Event, Kind, Meaning
from timeline.window import SECOND_NS, Budget, Window

NOW = 1_790_000_000 * SECOND_NS
JOB = JobFacts(
    "8f2c", "welcome_mail(4711)", "welcome_mail", "mailers", keys=("job:8f2c", "user:4711")
)


def moment(kind: Kind, **changes: object) -> Moment:
    return Moment(kind, NOW, "went on", f"ref#{kind}", **changes)  # type: ignore[arg-type]  # named


def test_a_transition_names_the_job_its_error_and_its_speaker() -> None:
    failed = moment(Kind.JOB_FAILED, worker="w1", error="Traceback\u240aLookupError: User 4711")
    event = transition("queue", JOB, failed)
    assert event.body == "welcome_mail(4711) went on: LookupError: User 4711\u240aTraceback"
    assert (event.actor, event.severity_number) == ("w1", SEVERITY_ERROR)
    told = json.loads(event.attributes or "")
    assert (told["job_id"], told["queue"]) == ("8f2c", "mailers")
    assert (told["error"], told["worker"]) == ("LookupError: User 4711", "w1")
    assert "attempt" not in told


def test_transitions_of_one_instant_stand_in_the_order_of_a_life() -> None:
    kinds = (Kind.JOB_FINISHED, Kind.JOB_ENQUEUED, Kind.JOB_STARTED)
    events = sorted((transition("q", JOB, moment(kind)) for kind in kinds), key=lambda e: e.seq)
    assert [event.kind for event in events] == [
        Kind.JOB_ENQUEUED,
        Kind.JOB_STARTED,
        Kind.JOB_FINISHED,
    ]


def test_a_derived_stamp_keeps_its_meaning() -> None:
    event = transition("q", JOB, moment(Kind.JOB_RETRIED, meaning=Meaning.DERIVED))
    assert (event.meaning, event.timestamp) == (Meaning.DERIVED, NOW)


def test_the_headline_of_an_error_is_what_was_raised() -> None:
    assert headline("Traceback\u240a  File x\u240aKeyError: 1\u240a ") == "KeyError: 1"
    assert headline("") == ""


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        ("1790000000.25", SECOND_NS, NOW + SECOND_NS // 4),
        (1_790_000_000_250, 1_000_000, NOW + SECOND_NS // 4),
        (1_790_000_000_250, SECOND_NS, None),
        (1_790_000_000, 1_000_000, None),
        ("soon", SECOND_NS, None),
        (b"nan", SECOND_NS, None),
        (None, SECOND_NS, None),
        (-5, SECOND_NS, None),
    ],
)
def test_a_number_in_a_wrong_unit_is_no_instant(
    value: float | str | bytes | None, unit: int, expected: int | None
) -> None:
    assert epoch_ns(value, unit) == expected


def test_due_jobs_are_counted_by_minute() -> None:
    seconds = (5, 30, 61, -5, 10**7)
    assert due_by_minute((NOW + s * SECOND_NS for s in seconds), NOW) == {"0": 2, "1": 1}


def test_a_depth_says_that_it_is_of_now() -> None:
    due = [("a", NOW + SECOND_NS)]
    event = depth_event("q", QueueNow("mailers", "rq:queue:mailers", 3, 1, 7, due), NOW)
    assert (
        event.body == "mailers now: 3 waiting, 1 running, 7 scheduled (1 come due in the next "
        "30 min)"
    )
    told = json.loads(event.attributes or "")
    assert told["now"] is True
    assert [entry["job_id"] for entry in told["next_due"]] == ["a"]


def closing(window: Window, memory: Memory, *cuts: str) -> CoverageMap:
    account = Account.opened("q", NOW, Budget())
    for cut in cuts:
        account.cut(cut)
    batch = account.closing(window, memory)
    assert [remark.sentence for remark in batch.remarks] == list(cuts)
    return CoverageMap(batch.coverage)


def test_what_a_queue_forgets_is_never_full_sight() -> None:
    window = Window(NOW, NOW - 600 * SECOND_NS, NOW + 1)
    horizon = NOW - 60 * SECOND_NS
    coverage = closing(window, Memory(horizon, "forgets"))
    assert not coverage.limits(["q"], horizon, window.end)
    (limit,) = coverage.limits(["q"], window.start, horizon)
    assert (limit.sight, limit.reason) == (Sight.NOW_ONLY, "forgets")


def test_a_window_before_the_horizon_is_covered_by_words_alone() -> None:
    window = Window(NOW - 500 * SECOND_NS, NOW - 600 * SECOND_NS, NOW - 400 * SECOND_NS)
    coverage = closing(window, Memory(NOW, "forgets"), "too many")
    sights = [entry.sight for entry in coverage.limits(["q"], window.start, window.end)]
    assert sorted(sights) == [Sight.NOW_ONLY, Sight.PARTIAL]


def test_a_queue_that_keeps_all_sees_all() -> None:
    window = Window(NOW, NOW - 600 * SECOND_NS, NOW + 1)
    assert not closing(window, Memory(None, "")).limits(["q"], window.start, window.end)
    cut = closing(window, Memory(None, ""), "one list was too long")
    (limit,) = cut.limits(["q"], window.start, window.end)
    assert limit.reason == "one list was too long"


@pytest.mark.parametrize("horizon", [None, NOW - 60 * SECOND_NS, NOW, NOW + 10 * SECOND_NS])
def test_what_lies_after_the_reading_was_not_seen(horizon: int | None) -> None:
    window = Window(NOW, NOW - 600 * SECOND_NS, NOW + 300 * SECOND_NS)
    coverage = closing(window, Memory(horizon, "forgets"), "too many")
    (limit,) = coverage.limits(["q"], NOW, window.end)
    assert (limit.start, limit.end, limit.sight) == (NOW, window.end, Sight.BLIND)
    assert "it was read at 20" in limit.reason
    before = coverage.limits(["q"], window.start, NOW)
    assert "too many" in {entry.reason for entry in before}
    assert all(entry.end <= NOW for entry in before)


def test_a_window_that_has_not_begun_was_not_seen() -> None:
    window = Window(NOW + 60 * SECOND_NS, NOW + 30 * SECOND_NS, NOW + 90 * SECOND_NS)
    (limit,) = closing(window, Memory(None, "")).limits(["q"], window.start, window.end)
    assert (limit.start, limit.end, limit.sight) == (window.start, window.end, Sight.BLIND)


@pytest.mark.parametrize(("ahead", "seen"), [(CLOCKS_APART_NS, True), (CLOCKS_APART_NS + 1, False)])
def test_a_window_that_ends_now_by_another_clock_was_seen(ahead: int, seen: bool) -> None:
    window = Window(NOW, NOW - 600 * SECOND_NS, NOW + ahead)
    limits = closing(window, Memory(None, "")).limits(["q"], window.start, window.end)
    assert (not limits) is seen


def test_what_does_not_fit_the_budget_is_said() -> None:
    account = Account.opened("q", NOW, Budget(rows=2))
    events: list[Event] = [
        transition("q", JOB, moment(Kind.JOB_STARTED, details={"n": n})) for n in range(3)
    ]
    assert account.batch(events).events.height == 2
    assert account.exhausted
    assert account.batch(events).events.height == 0
    assert len(account.cuts) == 1
