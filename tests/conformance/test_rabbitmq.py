"""The RabbitMQ connector against the conformance suite: a real broker, the least account."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from connectors.rabbitmq import RabbitMQConnector
from tests.conformance.subject import Subject
from tests.conformance.suite import ConnectorConformance
from tests.connectors import rabbit_work
from tests.servers.process import RunningServer
from tests.servers.rabbitmq import amqp_url, create_reader
from timeline.window import SECOND_NS, Window

HOSTILE = "broken\x1b[31m\u202equeue"


@pytest.fixture(scope="module")
def window(rabbitmq_server: RunningServer) -> Iterator[Window]:
    """Some twenty seconds of work on two queues, one of them with a hostile name."""
    url = amqp_url(rabbitmq_server)
    rabbit_work.declare(url)
    with rabbit_work.channel(url, "set-up") as work:
        work.queue_declare(HOSTILE)
    before = time.time_ns()
    rabbit_work.publish(url, 40)
    rabbit_work.publish(url, 2, HOSTILE)
    rabbit_work.wait_for_statistics()
    pin = time.time_ns()
    rabbit_work.consume(url, acked=20, refused=3)
    rabbit_work.wait_for_statistics()
    end = time.time_ns()
    rabbit_work.wait_for_statistics()
    yield Window(pin, before - 5 * SECOND_NS, end)
    for name in (rabbit_work.QUEUE, rabbit_work.DEAD, HOSTILE):
        with rabbit_work.channel(url, "tear-down") as work:
            work.queue_delete(name)


@pytest.mark.servers
class TestRabbitMQ(ConnectorConformance):
    @pytest.fixture
    def subject(self, window: Window, rabbitmq_server: RunningServer) -> Subject:
        url = create_reader(rabbitmq_server)
        parts = urlsplit(url)

        def connections() -> int:
            psutil = pytest.importorskip("psutil")
            return sum(
                found.status == psutil.CONN_ESTABLISHED and found.raddr.port == parts.port
                for found in psutil.Process().net_connections("tcp")
                if found.raddr
            )

        def at_port(port: int) -> dict[str, object]:
            return {"url": f"http://u:{parts.password}@127.0.0.1:{port}"}

        return Subject(
            connector_class=RabbitMQConnector,
            options={"url": url},
            window=window,
            drivers=("httpx", "polars", "pika"),
            secrets=(str(parts.password),),
            hostile="queue",
            page_option="page_queues",
            at_port=at_port,
            connections=connections,
        )

    def test_the_account_can_do_nothing_but_look(
        self, subject: Subject, rabbitmq_server: RunningServer
    ) -> None:
        """The account that the documentation recommends is refused every write."""
        url = str(subject.options["url"])
        refused = httpx.put(f"{url}/api/queues/%2F/ours", json={}, timeout=10)
        assert refused.status_code in (400, 401, 403)
        assert "refused" in refused.text or "not_authorised" in refused.text
        taken = httpx.post(
            f"{url}/api/queues/%2F/{rabbit_work.QUEUE}/get",
            json={"count": 1, "ackmode": "ack_requeue_true", "encoding": "auto"},
            timeout=10,
        )
        assert taken.status_code in (400, 401, 403)
