"""The BullMQ connector against the conformance suite: real Redis and BullMQ, a reader."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from redis import Redis

from connectors.bullmq import BullMQConnector
from tests.conformance.redis_queue import at_port, connections_of, reader_url
from tests.conformance.subject import Subject
from tests.conformance.suite import ConnectorConformance
from tests.connectors.workers.running import until
from tests.connectors.workers.starting import add_to_bullmq, bullmq, numbered, pause_bullmq
from tests.servers.process import RunningServer
from timeline.window import SECOND_NS, Window

DATABASE = 3
QUEUE = "mailers"


def jobs(name: str, *users: object, **opts: object) -> list[dict[str, object]]:
    return [{"name": name, "data": {"user_id": user}, "opts": opts} for user in users]


@pytest.fixture(scope="module")
def installation(
    redis_server: RunningServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Window]]:
    """Jobs done, removed, failed, retried, delayed and waiting in a paused queue."""
    url = numbered(redis_server.url, DATABASE)
    log = tmp_path_factory.mktemp("bullmq") / "worker.log"
    with Redis.from_url(url) as redis:
        redis.flushdb()
        before = time.time_ns()
        with bullmq(url, QUEUE, log, name="w1"):
            add_to_bullmq(url, QUEUE, jobs("welcome_mail", *range(1, 7)))
            add_to_bullmq(url, QUEUE, jobs("welcome_mail", 8, removeOnComplete=True))
            until(lambda: redis.zcard(f"bull:{QUEUE}:completed") == 6, "six are done", log)
            pin = time.time_ns()
            add_to_bullmq(url, QUEUE, jobs("look_up", 77, "78 \x1b[31mgone\u202e"))
            add_to_bullmq(url, QUEUE, jobs("look_up", 79, attempts=2, backoff=100))
            until(lambda: redis.zcard(f"bull:{QUEUE}:failed") == 3, "three have failed", log)
        add_to_bullmq(url, QUEUE, jobs("welcome_mail", 80, delay=600_000))
        pause_bullmq(url, QUEUE)
        add_to_bullmq(url, QUEUE, jobs("welcome_mail", 90, 91))
        window = Window(pin, before - 60 * SECOND_NS, time.time_ns() + 1)
        yield reader_url(redis_server, DATABASE), window
        redis.flushdb()


@pytest.mark.servers
class TestBullMQ(ConnectorConformance):
    @pytest.fixture
    def subject(self, installation: tuple[str, Window], redis_server: RunningServer) -> Subject:
        url, window = installation
        return Subject(
            connector_class=BullMQConnector,
            options={"url": url, "queues": [QUEUE]},
            window=window,
            known_keys=("job:1", "user:3", "job:10", "user:90"),
            absent_key="job:nonesuch",
            drivers=("redis", "polars"),
            secrets=(str(urlsplit(url).password),),
            hostile="gone",
            page_option="page_jobs",
            at_port=at_port(url, queues=[QUEUE]),
            connections=connections_of(redis_server),
        )
