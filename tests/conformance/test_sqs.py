"""The SQS connector against the conformance suite, on moto (an emulator, not AWS)."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator

import pytest

from connectors.sqs import SQSConnector
from tests.conformance.subject import Subject
from tests.conformance.suite import ConnectorConformance
from tests.connectors import aws_world
from tests.connectors.sqs_data import create_pair, put_metrics
from tests.servers.process import RunningServer
from timeline.window import MINUTE_NS, Window

MINUTES = 20


@pytest.fixture(scope="module")
def queues(moto_server: RunningServer) -> Iterator[tuple[str, Window]]:
    """Two queues, one the other's dead-letter queue, and twenty minutes of metrics."""
    prefix = f"c{secrets.token_hex(4)}"
    with aws_world.logged_in():
        create_pair(moto_server.url, prefix)
        end = time.time_ns() // MINUTE_NS * MINUTE_NS
        put_metrics(moto_server.url, prefix, end - MINUTES * MINUTE_NS, MINUTES)
        yield prefix, Window(end - 10 * MINUTE_NS, end - 30 * MINUTE_NS, end)


@pytest.mark.servers
class TestSQS(ConnectorConformance):
    @pytest.fixture
    def subject(self, queues: tuple[str, Window], moto_server: RunningServer) -> Subject:
        prefix, window = queues

        def at_port(port: int) -> dict[str, object]:
            return {"endpoint_url": f"http://127.0.0.1:{port}", "region": aws_world.REGION}

        return Subject(
            connector_class=SQSConnector,
            options={
                "endpoint_url": moto_server.url,
                "region": aws_world.REGION,
                "prefix": prefix,
            },
            window=window,
            drivers=("httpx", "botocore", "boto3", "polars"),
            secrets=(aws_world.SECRET,),
            at_port=at_port,
        )
