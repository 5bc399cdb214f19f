"""The Celery connector against the conformance suite: real Redis, a real worker, then its crash."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from redis import Redis

from connectors.celery import CeleryConnector
from tests.conformance.redis_queue import at_port, connections_of, reader_url
from tests.conformance.subject import Subject
from tests.conformance.suite import ConnectorConformance
from tests.connectors.workers.running import until
from tests.connectors.workers.starting import called, celery, crash, numbered
from tests.servers.process import RunningServer
from timeline.window import SECOND_NS, Window

DATABASE = 4
HOSTILE = "78 \x1b[31mgone\u202e"


def scheduled(*users: int) -> str:
    return f"for user in {users}: welcome_mail.apply_async((), dict(user_id=user), countdown=900)\n"


@pytest.fixture(scope="module")
def installation(
    redis_server: RunningServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Window]]:
    """Tasks held for their eta, retried and waiting; the worker that had them is gone."""
    url = numbered(redis_server.url, DATABASE)
    log = tmp_path_factory.mktemp("celery") / "worker.log"
    with Redis.from_url(url) as redis:
        redis.flushdb()
        before = time.time_ns()
        with celery(url, log) as process:
            called(url, "celery_app", scheduled(1, 2, 3, 4) + "look_up.delay(user_id=5)")
            until(lambda: redis.zcard("unacked_index") == 5, "five are held", log)
            until(lambda: _retried(redis) == 1, "one has failed", log)
            pin = time.time_ns()
            called(url, "celery_app", scheduled(6, 7) + f"look_up.delay(user_id={HOSTILE!r})")
            until(lambda: redis.zcard("unacked_index") == 8, "eight are held", log)
            until(lambda: _retried(redis) == 2, "two have failed", log)
            crash(process)
        called(url, "celery_app", "for user in range(90, 93): welcome_mail.delay(user_id=user)")
        window = Window(pin, before - 60 * SECOND_NS, time.time_ns() + 1)
        yield reader_url(redis_server, DATABASE), window
        redis.flushdb()


def _retried(redis: Redis) -> int:
    return sum(1 for _ in redis.scan_iter("celery-task-meta-*"))


@pytest.mark.servers
class TestCelery(ConnectorConformance):
    @pytest.fixture
    def subject(self, installation: tuple[str, Window], redis_server: RunningServer) -> Subject:
        url, window = installation
        return Subject(
            connector_class=CeleryConnector,
            options={"url": url},
            window=window,
            known_keys=("user:3", "user:5", "user:6"),
            absent_key="job:nonesuch",
            drivers=("redis", "celery", "kombu", "polars"),
            secrets=(str(urlsplit(url).password),),
            hostile="gone",
            page_option="page_jobs",
            at_port=at_port(url),
            connections=connections_of(redis_server),
        )
