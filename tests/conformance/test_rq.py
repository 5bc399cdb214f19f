"""The RQ connector against the conformance suite: real Redis, real RQ, the least-privilege user."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from redis import Redis
from rq import Queue, Retry, SimpleWorker

from connectors.rq import RQConnector
from tests.conformance.subject import Subject
from tests.conformance.suite import ConnectorConformance
from tests.connectors import rq_jobs
from tests.servers.process import RunningServer
from tests.servers.redis import create_reader
from timeline.window import SECOND_NS, Window

DATABASE = 9


@pytest.fixture(scope="module")
def installation(redis_server: RunningServer) -> Iterator[tuple[str, Window]]:
    """Twenty jobs done, failed, retried and waiting, and the URL of a user who may only read."""
    url = urlsplit(redis_server.url)._replace(path=f"/{DATABASE}").geturl()
    with Redis.from_url(url) as redis:
        redis.flushdb()
        queue = Queue("mailers", connection=redis)
        before = time.time_ns()
        for user in range(1, 9):
            queue.enqueue(rq_jobs.welcome_mail, user_id=user, job_id=f"welcome-{user}")
        SimpleWorker([queue], connection=redis).work(burst=True)
        pin = time.time_ns()
        queue.enqueue(rq_jobs.look_up, user_id=77, job_id="look-77")
        queue.enqueue(rq_jobs.look_up_hostile, user_id=78, job_id="look-78")
        queue.enqueue(rq_jobs.look_up, user_id=79, retry=Retry(max=1), job_id="look-79")
        SimpleWorker([queue], connection=redis).work(burst=True)
        for user in range(90, 99):
            queue.enqueue(rq_jobs.welcome_mail, user_id=user, job_id=f"waiting-{user}")
        window = Window(pin, before - 60 * SECOND_NS, time.time_ns() + 1)
        reader = urlsplit(create_reader(redis_server))._replace(path=f"/{DATABASE}").geturl()
        yield reader, window
        redis.flushdb()


@pytest.mark.servers
class TestRQ(ConnectorConformance):
    @pytest.fixture
    def subject(self, installation: tuple[str, Window], redis_server: RunningServer) -> Subject:
        url, window = installation
        parts = urlsplit(url)

        def connections() -> int:
            with Redis.from_url(redis_server.url) as admin:
                return sum(client["name"] == "halfawake" for client in admin.client_list())

        def at_port(port: int) -> dict[str, object]:
            return {"url": parts._replace(netloc=f"u:{parts.password}@127.0.0.1:{port}").geturl()}

        return Subject(
            connector_class=RQConnector,
            options={"url": url},
            window=window,
            known_keys=("job:welcome-3", "user:77", "job:waiting-90"),
            absent_key="job:nonesuch",
            drivers=("redis", "rq", "polars"),
            secrets=(str(parts.password),),
            hostile="gone",
            page_option="page_jobs",
            at_port=at_port,
            connections=connections,
        )
