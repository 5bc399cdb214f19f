"""The CloudWatch Logs connector against the conformance suite, on moto (an emulator, not AWS)."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator

import pytest

from connectors.cloudwatch_logs import CloudWatchLogsConnector
from tests.conformance.subject import Subject
from tests.conformance.suite import ConnectorConformance
from tests.connectors import aws_world
from tests.connectors.logs_data import put_events
from tests.servers.process import RunningServer
from timeline.window import MINUTE_NS, SECOND_NS, Window

HOSTILE = "broken\x1b[31m\u202estate\r\nnext"
EVENTS = 40


@pytest.fixture(scope="module")
def group(moto_server: RunningServer) -> Iterator[tuple[str, Window]]:
    """Forty events of two streams within forty seconds, and a window that reaches further."""
    name = f"/aws/lambda/mailer-{secrets.token_hex(4)}"
    now = time.time_ns() // SECOND_NS * SECOND_NS - 5 * MINUTE_NS
    web, worker = [], []
    for number in range(EVENTS):
        stamp = now - (EVENTS - number) * SECOND_NS
        if number % 2:
            said = HOSTILE if number == 3 else f"sign-up user_id={4700 + number}"
            web.append((stamp, f"ERROR {said}" if number % 5 == 0 else said))
        else:
            level = "error" if number % 10 == 0 else "info"
            worker.append((stamp, json.dumps({"level": level, "msg": "sent", "job_id": number})))
    with aws_world.logged_in():
        put_events(moto_server.url, name, "web-1", web)
        put_events(moto_server.url, name, "worker-1", worker)
        yield name, Window(now - EVENTS // 2 * SECOND_NS, now - 20 * MINUTE_NS, now + MINUTE_NS)


@pytest.mark.servers
class TestCloudWatchLogs(ConnectorConformance):
    @pytest.fixture
    def subject(self, group: tuple[str, Window], moto_server: RunningServer) -> Subject:
        name, window = group

        def at_port(port: int) -> dict[str, object]:
            return {
                "endpoint_url": f"http://127.0.0.1:{port}",
                "region": aws_world.REGION,
                "groups": [name],
            }

        return Subject(
            connector_class=CloudWatchLogsConnector,
            options={
                "endpoint_url": moto_server.url,
                "region": aws_world.REGION,
                "groups": [name],
            },
            window=window,
            known_keys=("user:4705", "job:4"),
            absent_key="user:99999",
            drivers=("httpx", "botocore", "boto3", "polars"),
            secrets=(aws_world.SECRET,),
            hostile="state␊next",
            page_option="page_events",
            at_port=at_port,
        )
