"""The Loki connector against the conformance suite, on our stub of Loki's API (recorded)."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from connectors.loki import LokiConnector
from tests.conformance.subject import Subject
from tests.conformance.suite import ConnectorConformance
from tests.connectors.stub_loki import StubLoki
from timeline.window import SECOND_NS, Window

PASSWORD = "hush-4711-hush"
HOSTILE = "escape survives"


class TestLoki(ConnectorConformance):
    @pytest.fixture
    def subject(self) -> Iterator[Subject]:
        pin = (time.time_ns() // SECOND_NS - 600) * SECOND_NS
        entries = []
        for number in range(40):
            line = json.dumps({"level": "info", "msg": f"served user_id={number}"})
            if number == 7:
                line = f"broken\x1b[31m\u202e {HOSTILE}"
            stamp = pin + (number // 2 - 10) * SECOND_NS  # two share each stamp
            labels = {"service_name": "web", "pod": f"web-{number % 3}"}
            entries.append((stamp, labels, line, {"trace_id": f"t-{number}"}))
        with StubLoki(entries, tenant="shop", login=f"dev:{PASSWORD}").serving() as stub:
            port = int(stub.url.rpartition(":")[2])

            def at_port(port: int) -> dict[str, object]:
                return {
                    "url": f"http://127.0.0.1:{port}",
                    "query": '{service_name="web"}',
                    "tenant": "shop",
                    "username": "dev",
                    "password": PASSWORD,
                }

            yield Subject(
                connector_class=LokiConnector,
                options=at_port(port),
                window=Window(pin, pin - 60 * SECOND_NS, pin + 60 * SECOND_NS),
                known_keys=("user:11", "trace:t-3"),
                absent_key="user:999999",
                drivers=("polars", "psycopg", "redis", "httpx"),
                secrets=(PASSWORD,),
                hostile=HOSTILE,
                page_option="page_size",
                at_port=at_port,
            )
