"""deploy-skew: which side is older, told by workers, jobs and what both say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from timeline.clock import ClockBound
from timeline.detectors.deploy_skew import OLD_JOB, OLD_WORKER, DeploySkew, DeploySkewDetector
from timeline.event import Kind
from timeline.facts.mismatches import named_by
from timeline.finding import NotEvaluated, Stage
from timeline.order import Verdict, at_least

from .findings import findings_of
from .worlds import SECOND, World, at, healthy, shop

KEYWORD = "TypeError: welcome_mail() got an unexpected keyword argument 'locale'"
DEPLOY = 1380.0


def found(world: World) -> list[DeploySkew]:
    return findings_of(DeploySkewDetector(), world.incident(), DeploySkew)


def job(
    world: World,
    number: int,
    seconds: float,
    worker: str,
    *,
    error: str = "",
    pushed: float = 1.0,
    queue: str = "mailers",
) -> None:
    """One attempt on `worker`, pushed shortly before."""
    name, args = f"j{number}", f"user_id={number}"
    end = Kind.JOB_FAILED if error else Kind.JOB_FINISHED
    more = {"queue": queue, "status": "failed" if error else "finished"}
    world.job(seconds - pushed, Kind.JOB_ENQUEUED, name, args, **more)
    world.job(seconds, Kind.JOB_STARTED, name, args, worker=worker, **more)
    world.job(seconds + 0.1, end, name, args, worker=worker, error=error, **more)


def crew(world: World, restarted: tuple[int, ...] = (2, 3), *, prefix: str = "worker") -> World:
    """Four workers with a healthy past; some start anew after the deploy."""
    for number in range(4):
        for beat in range(40):
            world.log(beat * 50 + number, f"{prefix}-{number}", "heartbeat ok")
    for number in range(20):
        job(world, 5000 + number, 100 + number * 50, f"{prefix}-{number % 4}")
    for number in restarted:
        world.log(DEPLOY + 10 + number, f"{prefix}-{number}", "Worker ready. version v412")
    return world


def half(
    error: str = KEYWORD, *, failing: tuple[int, ...] = (0, 1), prefix: str = "worker"
) -> World:
    world = crew(healthy(World()), prefix=prefix)
    world.change(DEPLOY, "deploy of shop v412 by ann: success")
    for number in range(20):
        bad = error if number % 4 in failing else ""
        job(world, 6000 + number, 1400 + number * 20, f"{prefix}-{number % 4}", error=bad)
    return world


def test_old_workers_fail_jobs_of_the_new_version() -> None:
    (finding,) = found(half())
    assert finding.side == OLD_WORKER
    assert finding.verdict is Verdict.LIKELY
    assert finding.stage is Stage.TRIGGER
    assert finding.stale == ("worker-0", "worker-1")
    assert (len(finding.jobs), finding.succeeded, finding.changed_at) == (10, 10, at(DEPLOY))
    assert finding.next_action.startswith("Restart worker-0 and worker-1 on the new version")
    assert "which did not start since, for wrong arguments" in finding.sentence()
    assert finding.steps[0].role == "change"
    assert {repair.state for repair in finding.repairs()} == {"failed"}


@pytest.mark.parametrize(
    "error",
    [
        "ArgumentError: wrong number of arguments (given 2, expected 1)",
        "ArgumentError: unknown keyword: :locale",
        "TypeError: perform() missing 1 required positional argument: 'locale'",
        "TypeError: run() takes 2 positional arguments but 3 were given",
        "NameError: uninitialized constant Mail::WelcomeJob",
        "ActiveJob::UnknownJobClassError: Failed to instantiate job, class `WelcomeJob` missing",
        "java.lang.NoSuchMethodError: 'void shop.Mail.send(java.lang.String)'",
        "AttributeError: module 'shop.tasks' has no attribute 'welcome_mail'",
        'handler not found for task "mail:welcome"',
        "AttributeError: Can't get attribute 'Locale' on <module 'shop' from '/srv/shop.py'>",
        'UnrecognizedPropertyException: Unrecognized field "locale" (class shop.Mail)',
    ],
)
def test_the_words_of_several_languages(error: str) -> None:
    (finding,) = found(half(error, prefix="sidekiq"))
    assert finding.side == OLD_WORKER
    assert finding.verdict is Verdict.LIKELY


@pytest.mark.parametrize(
    "error",
    [
        "ValueError: no such locale",
        "TypeError: unsupported operand type(s) for +: 'int' and 'str'",
        "ActiveJob::DeserializationError: Error while trying to deserialize arguments: "
        "Couldn't find User with 'id'=5",
        "redis.exceptions.TimeoutError: Timeout reading from redis:6379",
    ],
)
def test_other_errors_are_not_about_versions(error: str) -> None:
    assert not found(half(error))


def test_jobs_of_the_old_version_fail_on_new_workers() -> None:
    world = crew(healthy(World()), restarted=(0, 1, 2, 3))
    world.change(DEPLOY, "deploy of shop v412 by ann: success")
    for number in range(6):
        job(world, 7000 + number, 1420 + number, f"worker-{number % 4}", error=KEYWORD, pushed=90)
    for number in range(6):
        job(world, 8000 + number, 1500 + number, f"worker-{number % 4}")
    (finding,) = found(world)
    assert finding.side == OLD_JOB
    assert finding.verdict is Verdict.LIKELY
    assert "pushed before it" in finding.sentence()


def test_a_later_attempt_on_a_restarted_worker_heals() -> None:
    world = half()
    for number in range(0, 20, 4):
        job(world, 6000 + number, 1900 + number, "worker-2", pushed=1900 - 1399 - number * 19)
    (finding,) = found(world)
    assert finding.healed == 5
    assert "job:j6000" not in finding.open_jobs
    assert "finished later" in {repair.state for repair in finding.repairs()}


def test_a_worker_whose_log_was_not_read_may_have_started_unseen() -> None:
    world = half()
    world.blind("worker-0.log", DEPLOY, DEPLOY + 15)
    (cut,) = found(world)
    assert cut.verdict is Verdict.POSSIBLE
    mute = half()
    mute.events = [event for event in mute.events if event.source != "worker-1.log"]
    (silent,) = found(mute)
    assert silent.verdict is Verdict.POSSIBLE
    assert "no line of worker-1 was read" in silent.weakest_link


def test_new_code_that_fails_everywhere_is_only_possibly_skew() -> None:
    (finding,) = found(half(failing=(0, 1, 2, 3)))
    assert finding.verdict is Verdict.POSSIBLE
    assert "started since or not" in finding.weakest_link


def test_a_bug_that_was_there_before_the_deploy_is_no_skew() -> None:
    world = half()
    for number in range(4):
        job(world, 9000 + number, 200 + number * 30, f"worker-{number}", error=KEYWORD)
    assert not found(world)


def test_a_caller_bug_without_a_deploy_is_silent() -> None:
    world = crew(healthy(World()), restarted=())
    for number in range(8):
        job(world, 6000 + number, 1400 + number * 20, f"worker-{number % 4}", error=KEYWORD)
    assert not found(world)


def test_an_unknown_task_without_a_deploy_is_only_possible() -> None:
    world = healthy(World())
    words = "Received unregistered task of type 'shop.tasks.welcome_mail'."
    for number in range(3):
        world.error(1500 + number, "celery@a", words)
    (finding,) = found(world)
    assert finding.verdict is Verdict.POSSIBLE
    assert finding.job_class == "shop.tasks.welcome_mail"
    assert "no deploy" in finding.weakest_link


def test_web_requests_with_wrong_arguments_are_not_jobs() -> None:
    world = healthy(World())
    world.change(DEPLOY, "deploy of shop v412")
    world.error(1500, "web", "TypeError: show() got an unexpected keyword argument 'page'")
    assert not found(world)


def test_a_deploy_of_somebody_else_explains_nothing_for_sure() -> None:
    world = crew(healthy(World()), restarted=())
    world.change(DEPLOY, "deploy of search v9")
    for number in range(20):
        bad = KEYWORD if number % 4 in (0, 1) else ""
        job(world, 6000 + number, 1400 + number * 20, f"worker-{number % 4}", error=bad)
    assert all(finding.verdict is Verdict.POSSIBLE for finding in found(world))


def test_healthy_nights_are_silent() -> None:
    assert not found(healthy(World()))
    assert not found(shop())
    world = crew(healthy(World()))
    world.change(DEPLOY, "deploy of shop v412")
    assert not found(world)


def test_without_queue_and_logs_it_is_not_evaluated() -> None:
    world = World()
    world.row(3, "users", 1)
    assert isinstance(DeploySkewDetector().detect(world.incident()), NotEvaluated)


def test_arrival_shift_unrelated_lines_and_clocks() -> None:
    world = half()
    (first,) = found(world)
    assert DeploySkewDetector().detect(world.incident(world.batches()[::-1])) == [first]
    (moved,) = found(replace(world, shift=3600 * SECOND))
    assert moved.began == first.began + 3600 * SECOND
    (wide,) = found(replace(world, bound=ClockBound(5 * SECOND, 5 * SECOND, "assumed")))
    assert at_least(first.verdict, wide.verdict)
    for number in range(100):
        world.log(number * 20, "elsewhere", f"unrelated {number}")
    (again,) = found(world)
    assert again.sentence() == first.sentence()


@pytest.mark.parametrize(
    ("error", "name"),
    [
        ("NameError: uninitialized constant Mail::WelcomeJob", "Mail::WelcomeJob"),
        ("TypeError: tasks.send() missing 1 required positional argument: 'x'", "tasks.send"),
        ("Received unregistered task of type 'a.b'.", "a.b"),
        ("ArgumentError: wrong number of arguments (given 2, expected 1)", ""),
    ],
)
def test_what_an_error_names(error: str, name: str) -> None:
    assert named_by(error) == name
