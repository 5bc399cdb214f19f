"""The Sidekiq connector against the conformance suite: real Redis, real Sidekiq, a reading user."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from redis import Redis

from connectors.sidekiq import SidekiqConnector
from tests.conformance.redis_queue import at_port, connections_of, reader_url
from tests.conformance.subject import Subject
from tests.conformance.suite import ConnectorConformance
from tests.connectors.workers.running import push, sidekiq, until
from tests.connectors.workers.starting import numbered
from tests.servers.process import RunningServer
from timeline.window import SECOND_NS, Window

DATABASE = 10


@dataclass(frozen=True)
class Installation:
    """What a real Sidekiq left behind, and the URL of a user who may only read it."""

    url: str
    window: Window
    failed: str
    """Id of a job that waits for its retry."""


@pytest.fixture(scope="module")
def installation(
    redis_server: RunningServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """Jobs done, failed, dead, scheduled and waiting on either side of the pin."""
    url = numbered(redis_server.url, DATABASE)
    log: Path = tmp_path_factory.mktemp("sidekiq") / "sidekiq.log"
    with Redis.from_url(url) as redis:
        redis.flushdb()
        before = time.time_ns()
        with sidekiq(url, ["default"], log):
            failed, *_ = push(
                url, ("LookUp", [77]), *(("WelcomeMail", [user]) for user in range(1, 6))
            )
            until(lambda: redis.zcard("retry") == 1 and not redis.llen("queue:default"), "1", log)
            pin = time.time_ns()
            push(url, ("LookUp", [78]), ("GivesUp", [79]), ("WelcomeMail", [80], 3600))
            until(lambda: redis.zcard("retry") == 2 and redis.zcard("dead") == 1, "2", log)
        push(url, *(("WelcomeMail", [user]) for user in range(90, 99)))
        window = Window(pin, before - 60 * SECOND_NS, time.time_ns() + 1)
        yield Installation(reader_url(redis_server, DATABASE), window, failed)
        redis.flushdb()


@pytest.mark.servers
class TestSidekiq(ConnectorConformance):
    @pytest.fixture
    def subject(self, installation: Installation, redis_server: RunningServer) -> Subject:
        return Subject(
            connector_class=SidekiqConnector,
            options={
                "url": installation.url,
                "arguments": {"WelcomeMail": ["user_id"], "LookUp": ["user_id"]},
            },
            window=installation.window,
            known_keys=(f"job:{installation.failed}", "user:77", "user:80", "user:90"),
            absent_key="job:nonesuch",
            drivers=("redis", "polars"),
            secrets=(str(urlsplit(installation.url).password),),
            hostile="gone",
            page_option="page_jobs",
            at_port=at_port(installation.url),
            connections=connections_of(redis_server),
        )
