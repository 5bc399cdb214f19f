"""The Resque connector against the conformance suite: real Redis, node-resque, a reading user."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from redis import Redis

from connectors.resque import ResqueConnector
from tests.conformance.redis_queue import at_port, connections_of, reader_url
from tests.conformance.subject import Subject
from tests.conformance.suite import ConnectorConformance
from tests.connectors.workers.running import RESQUE_ZONE, push_to_resque, resque, until
from tests.connectors.workers.starting import numbered
from tests.servers.process import RunningServer
from timeline.window import SECOND_NS, Window

DATABASE = 14
JOB_CLASSES = ("WelcomeMail", "LookUp", "RetriedLookUp")


@pytest.fixture(scope="module")
def installation(
    redis_server: RunningServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Window]]:
    """Jobs done, failed, retried and waiting, and the URL of a user who may only read."""
    url = numbered(redis_server.url, DATABASE)
    log = tmp_path_factory.mktemp("resque") / "resque.log"
    with Redis.from_url(url) as redis:
        redis.flushdb()
        before = time.time_ns()
        with resque(url, ["default"], log):
            push_to_resque(url, *(("default", "LookUp", [user]) for user in range(1, 5)))
            until(lambda: redis.llen("resque:failed") == 4, "four failures", log)
            time.sleep(1.1)  # Resque's stamps are whole seconds, cut off: so is the pin
            pin = time.time_ns() // SECOND_NS * SECOND_NS
            push_to_resque(url, *(("default", "LookUp", [user]) for user in range(5, 9)))
            push_to_resque(url, ("default", "RetriedLookUp", [9]))
            until(lambda: redis.llen("resque:failed") == 8, "eight failures", log)
            until(lambda: redis.zcard("resque:delayed_queue_schedule") == 1, "a retry", log)
        push_to_resque(url, *(("default", "WelcomeMail", [user]) for user in range(90, 99)))
        window = Window(pin, before - 60 * SECOND_NS, time.time_ns() + 1)
        yield reader_url(redis_server, DATABASE), window
        redis.flushdb()


@pytest.mark.servers
class TestResque(ConnectorConformance):
    @pytest.fixture
    def subject(self, installation: tuple[str, Window], redis_server: RunningServer) -> Subject:
        url, window = installation
        return Subject(
            connector_class=ResqueConnector,
            options={
                "url": url,
                "zone": RESQUE_ZONE,
                "arguments": {name: ["user_id"] for name in JOB_CLASSES},
            },
            window=window,
            known_keys=("user:3", "user:7", "user:9"),
            absent_key="user:nonesuch",
            drivers=("redis", "polars"),
            secrets=(str(urlsplit(url).password),),
            hostile="gone",
            page_option="page_jobs",
            at_port=at_port(url),
            connections=connections_of(redis_server),
        )
