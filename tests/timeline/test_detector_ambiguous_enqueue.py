"""ambiguous-enqueue: each outcome from its own witnesses, and every negative from its coverage."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from timeline.coverage import Sight
from timeline.detectors.ambiguous_enqueue import AmbiguousEnqueue, AmbiguousEnqueueDetector
from timeline.detectors.push_outcomes import PushCase
from timeline.event import Kind
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import HICCUP, REFUSED, World, failed_push, healthy, shop


def found(world: World) -> list[AmbiguousEnqueue]:
    result = AmbiguousEnqueueDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated)
    return [finding for finding in result if isinstance(finding, AmbiguousEnqueue)]


def only(world: World) -> AmbiguousEnqueue:
    (finding,) = found(world)
    return finding


def case(world: World, key: str = "user:4711") -> PushCase:
    (told,) = [told for told in only(world).cases if told.key == key]
    return told


def lost(**more: object) -> World:
    """One sign-up whose push timed out, among healthy ones; nothing was heard of it again."""
    world = healthy(World())
    failed_push(world, 4711, HICCUP, **more)  # type: ignore[arg-type]
    return world


def test_shop_is_split_by_key() -> None:
    finding = only(shop())
    told = {case.key: (case.outcome, case.verdict) for case in finding.cases}
    assert told == {
        "user:4711": ("lost", Verdict.CERTAIN),
        "user:4716": ("not sent", Verdict.CERTAIN),
        "user:4715": ("executed", Verdict.CERTAIN),
    }
    assert finding.broker == "redis:6379"
    assert finding.producers == ("web",)


def test_accounts_without_their_mail_are_listed() -> None:
    finding = only(shop())
    assert finding.follow_up == "mails"
    assert set(finding.without_follow_up) == {"user:4711", "user:4716", "user:4712"}
    assert finding.follow_up_verdict is Verdict.CERTAIN
    assert "3 users have no row in mails" in finding.sentence()


def test_executed_when_the_job_is_there() -> None:
    world = lost()
    world.run("jx", "user_id=4711", HICCUP + 0.005, HICCUP + 0.02, HICCUP + 0.1)
    told = case(world)
    assert (told.outcome, told.verdict) == ("executed", Verdict.CERTAIN)
    assert told.jobs == ("job:jx",)


def test_a_job_pushed_a_minute_later_only_likely_answers_this_push() -> None:
    world = lost()
    world.run("jx", "user_id=4711", HICCUP + 61, HICCUP + 62, HICCUP + 63)
    assert (case(world).outcome, case(world).verdict) == ("executed", Verdict.LIKELY)


def test_executed_by_its_effect_alone_is_likely() -> None:
    world = lost()
    world.row(HICCUP + 0.5, "mails", 9, columns={"user_id": 4711})
    told = case(world)
    assert (told.outcome, told.verdict) == ("executed", Verdict.LIKELY)
    assert "mails" in told.because


def test_another_job_for_the_same_entity_proves_nothing() -> None:
    """A digest for the same user, with its row and its lines, is not the welcome mail."""
    world = lost()
    world.run("d", "user_id=4711", HICCUP + 5, HICCUP + 6, HICCUP + 7, job_class="digest_mail")
    assert case(world).outcome == "lost"
    world.row(HICCUP + 6.5, "mails", 9, columns={"user_id": 4711})
    world.log(HICCUP + 6.6, "mailer", "sent digest_mail job_id=d user_id=4711")
    assert case(world).verdict is not Verdict.CERTAIN


def test_an_error_that_names_no_job_is_likely_answered_by_the_job_that_is_there() -> None:
    world = lost(body="enqueue failed: Redis::TimeoutError: Connection timed out")
    world.run("jx", "user_id=4711", HICCUP + 0.005, HICCUP + 0.02, HICCUP + 0.1)
    assert (case(world).outcome, case(world).verdict) == ("executed", Verdict.LIKELY)


def test_a_row_of_the_same_transaction_is_no_effect() -> None:
    world = lost()
    world.row(HICCUP + 0.002, "profiles", 9, columns={"user_id": 4711})
    assert case(world).outcome == "lost"


def test_doubled_when_the_client_pushed_twice() -> None:
    world = lost()
    for job, later in (("a", 0.0), ("b", 1.0)):
        sent = HICCUP + 0.005 + later
        world.run(job, "user_id=4711", sent, sent + 0.02, sent + 0.1)
    told = case(world)
    assert (told.outcome, told.verdict) == ("doubled", Verdict.CERTAIN)
    assert told.jobs == ("job:a", "job:b")


def test_two_kinds_of_job_for_one_entity_are_not_a_double() -> None:
    world = lost()
    for title in ("welcome_mail", "sync_crm"):
        world.run(title, "user_id=4711", HICCUP, HICCUP + 0.02, HICCUP + 0.1, job_class=title)
    told = case(world)
    assert told.outcome == "executed"
    assert told.jobs == ("job:welcome_mail",)


def test_a_job_without_its_row_was_rolled_back() -> None:
    world = lost()
    world.events = [e for e in world.events if not e.ref.startswith("users/4711#")]
    world.run("jx", "user_id=4711", HICCUP + 0.005, HICCUP + 0.02, HICCUP + 0.1)
    line = f"enqueue failed user_id=4711 request_id=r4711 {REFUSED}"
    world.error(HICCUP + 1.0061, "web", line)
    told = case(world)
    assert (told.outcome, told.verdict) == ("rolled back", Verdict.LIKELY)


def test_a_refused_connection_is_good_news() -> None:
    told = case(lost(body=REFUSED, waited=0.001))
    assert (told.outcome, told.verdict) == ("not sent", Verdict.CERTAIN)
    assert "Push again" in only(lost(body=REFUSED, waited=0.001)).next_action


def test_a_refused_try_after_a_timeout_leaves_it_open() -> None:
    world = lost()
    world.error(HICCUP + 1.006, "web", f"{REFUSED} request_id=r4711")
    told = case(world)
    assert told.outcome == "lost"
    assert len(told.error_rows) == 2


@pytest.mark.parametrize("source", ["rq", "mailer.log"])
def test_a_witness_that_saw_less_makes_lost_only_possible(source: str) -> None:
    world = lost()
    world.blind(source, HICCUP - 10, HICCUP + 30)
    told = case(world)
    assert (told.outcome, told.verdict) == ("lost", Verdict.POSSIBLE)
    assert "not missing" in told.because


def test_a_queue_that_keeps_present_state_only_makes_lost_only_possible() -> None:
    world = lost()
    world.blind("rq", 0, 2105, Sight.NOW_ONLY)
    assert case(world).verdict is Verdict.POSSIBLE
    assert "unknown" in only(world).clause()


def test_without_the_queue_lost_is_only_possible() -> None:
    world = lost()
    world.dropped.add("rq")
    told = case(world)
    assert (told.outcome, told.verdict) == ("lost", Verdict.POSSIBLE)
    assert "no queue" in told.because


def test_without_queue_and_workers_nobody_can_say() -> None:
    world = lost()
    world.dropped |= {"rq", "mailer.log"}
    told = case(world)
    assert (told.outcome, told.verdict) == ("unknown", Verdict.POSSIBLE)


def test_a_worker_log_that_ends_early_is_good_up_to_its_last_line() -> None:
    world = lost()
    world.blind("mailer.log", HICCUP + 300, 2105)
    told = case(world)
    assert told.verdict is Verdict.CERTAIN
    assert "02:29:00" in told.because


def test_a_silent_worker_makes_lost_only_possible() -> None:
    world = lost()
    world.events = [
        event
        for event in world.events
        if not (
            event.actor == "mailer" and event.timestamp > world.events[0].timestamp + 1400 * 10**9
        )
    ]
    world.job(HICCUP + 200, Kind.JOB_STARTED, "later", "user_id=8")
    told = case(world)
    assert told.verdict is Verdict.POSSIBLE
    assert "silent" in told.because


def cache_read_fails(world: World) -> None:
    world.log(HICCUP, "web", "GET /users started request_id=q user_id=1001")
    line = "redis.exceptions.TimeoutError: Timeout reading from redis:6379 request_id=q"
    world.error(HICCUP + 1, "web", line)


def cache_read_fails_but_the_push_succeeds(world: World) -> None:
    failed_push(
        world, 4711, HICCUP, body="redis.exceptions.TimeoutError: Timeout reading from redis:6379"
    )
    world.run("jx", "user_id=4711", HICCUP + 1.01, HICCUP + 1.02, HICCUP + 1.1)


def a_workers_own_trouble(world: World) -> None:
    line = "redis.exceptions.ConnectionError: Connection closed by server. publish job_id=j1000"
    world.error(HICCUP, "mailer", f"{line} user_id=1000")


def trouble_with_another_system(world: World) -> None:
    line = "enqueue: psycopg.OperationalError: server closed the connection unexpectedly"
    failed_push(world, 4711, HICCUP, body=line)


@pytest.mark.parametrize(
    "confuser",
    [
        cache_read_fails,
        cache_read_fails_but_the_push_succeeds,
        a_workers_own_trouble,
        trouble_with_another_system,
    ],
)
def test_confusers_stay_silent(confuser: Callable[[World], None]) -> None:
    world = healthy(World())
    confuser(world)
    assert found(world) == []


def test_an_error_that_does_not_speak_of_pushing_is_at_most_possible() -> None:
    body = "redis.exceptions.TimeoutError: Timeout reading from redis:6379"
    told = case(lost(body=body))
    assert told.verdict is Verdict.POSSIBLE
    assert "does not say" in told.because


@pytest.mark.parametrize(
    "body",
    [
        "sign-up: enqueue WelcomeMail Redis::TimeoutError: Connection timed out",
        "WelcomeMail.perform_async failed: Redis::ConnectionError: Connection lost (ECONNRESET)",
        "queue.add welcome_mail: Error: Command timed out ioredis",
        "publish failed: pika.exceptions.StreamLostError: Stream connection lost",
        "RedisCommandTimeoutException: Command timed out after 1 second(s) enqueueing WelcomeMail",
    ],
)
def test_any_clients_wording(body: str) -> None:
    assert case(lost(body=body)).outcome == "lost"


def test_a_line_with_its_own_key_needs_no_request_id() -> None:
    world = healthy(World())
    world.row(HICCUP, "users", 4711)
    world.error(HICCUP + 1, "web", "sign-up user_id=4711: enqueue WelcomeMail Redis::TimeoutError")
    assert case(world).outcome == "lost"


def test_unordered_follow_ups_are_no_rule() -> None:
    """Only a few users get mails here: nobody lacks one."""
    world = World()
    for number in range(40):
        world.row(10 + number * 20, "users", number)
        if number % 8 == 0:
            world.row(11 + number * 20, "mails", number, columns={"user_id": number})
    failed_push(world, 4711, HICCUP)
    assert only(world).without_follow_up == ()


def test_a_row_too_young_for_its_follow_up_lacks_nothing() -> None:
    world = lost()
    world.row(2098, "users", 9999)
    assert "user:9999" not in only(world).without_follow_up


def test_needs_logs() -> None:
    world = World()
    world.row(3, "users", 1)
    assert isinstance(AmbiguousEnqueueDetector().detect(world.incident()), NotEvaluated)
