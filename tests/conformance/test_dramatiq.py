"""The dramatiq connector against the conformance suite: real Redis, a real worker, its crash."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from redis import Redis

from connectors.dramatiq import DramatiqConnector
from tests.conformance.redis_queue import at_port, connections_of, reader_url
from tests.conformance.subject import Subject
from tests.conformance.suite import ConnectorConformance
from tests.connectors.workers.running import until
from tests.connectors.workers.starting import called, crash, dramatiq, numbered
from tests.servers.process import RunningServer
from timeline.window import SECOND_NS, Window

DATABASE = 5
LONG_S = 3_600
"""The suite wants nothing to change while it runs: a worker must not fall silent meanwhile."""
FAILING = "look_up.send(user_id={0!r}); give_up.send(user_id={0!r})\n"
SCHEDULED = "welcome_mail.send_with_options(kwargs=dict(user_id={}), delay=600_000)\n"


@pytest.fixture(scope="module")
def installation(
    redis_server: RunningServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Window]]:
    """Messages to be retried, scheduled, dead and waiting; the worker that had some is gone."""
    url = numbered(redis_server.url, DATABASE)
    log = tmp_path_factory.mktemp("dramatiq") / "worker.log"
    with Redis.from_url(url) as redis:
        redis.flushdb()
        before = time.time_ns()
        with dramatiq(url, log) as process:
            called(url, "dramatiq_app", SCHEDULED.format(1) + FAILING.format(2))
            until(lambda: redis.zcard("dramatiq:default.XQ") == 1, "one is dead", log)
            until(lambda: redis.hlen("dramatiq:default.DQ.msgs") == 2, "two are delayed", log)
            pin = time.time_ns()
            hostile = "3 \x1b[31mgone\u202e"
            called(url, "dramatiq_app", FAILING.format(hostile) + SCHEDULED.format(4))
            until(lambda: redis.zcard("dramatiq:default.XQ") == 2, "two are dead", log)
            until(lambda: redis.hlen("dramatiq:default.DQ.msgs") == 4, "four are delayed", log)
            crash(process)
        called(url, "dramatiq_app", "for user in (90, 91): welcome_mail.send(user_id=user)")
        window = Window(pin, before - 60 * SECOND_NS, time.time_ns() + 1)
        yield reader_url(redis_server, DATABASE), window
        redis.flushdb()


@pytest.mark.servers
class TestDramatiq(ConnectorConformance):
    @pytest.fixture
    def subject(self, installation: tuple[str, Window], redis_server: RunningServer) -> Subject:
        url, window = installation
        options = {"url": url, "heartbeat_timeout_s": LONG_S}
        return Subject(
            connector_class=DramatiqConnector,
            options=options,
            window=window,
            known_keys=("user:1", "user:2", "user:90"),
            absent_key="job:nonesuch",
            drivers=("redis", "dramatiq", "polars"),
            secrets=(str(urlsplit(url).password),),
            hostile="gone",
            page_option="page_jobs",
            at_port=at_port(url),
            connections=connections_of(redis_server),
        )
