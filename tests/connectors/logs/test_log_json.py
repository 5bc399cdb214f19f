"""JSON lines of many loggers: where the time, the level, the speaker and the message stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.connectors.logs.linecase import MICRO, MS, NS, SECOND, US, S
from tests.connectors.logs.reading import T0, load, write
from timeline.event import Precision

JSON_CASES = (
    ('{"timestamp":"2026-03-14T02:07:29.110Z","level":"error","msg":"boom"}', T0, MS, 17, "boom"),
    ('{"@timestamp":"2026-03-14T02:07:29.110Z","log.level":"WARN","message":"m"}', T0, MS, 13, "m"),
    ('{"time":1773454049110,"level":30,"msg":"pino","pid":1}', T0, MS, 9, "pino"),
    ('{"ts":1773454049.110123,"level":"info","msg":"zap"}', MICRO, US, 9, "zap"),
    ('{"ts":1773454049110123000,"severity":"CRITICAL","text":"ns"}', MICRO, NS, 18, "ns"),
    ('{"t":"1773454049","message":"s"}', SECOND, S, 0, "s"),
    ('{"t":{"$date":"2026-03-14T02:07:29.110+00:00"},"s":"W","c":"COMMAND","msg":"slow"}',
     T0, MS, 13, "slow"),
    ('{"t":{"$date":"2026-03-14T02:07:29.110+00:00"},"s":"D2","c":"STORAGE","msg":"m"}',
     T0, MS, 5, "m"),
    ('{"time":"2026-03-14T02:07:29.110Z","s":"E","msg":"a letter of its own"}',
     T0, MS, 0, "a letter of its own"),
    ('{"time":"14/Mar/2026:02:07:29 +0000","message":"nginx"}', SECOND, S, 0, "nginx"),
    ('{"log":"line from docker","stream":"stderr","time":"2026-03-14T02:07:29.110123456Z"}',
     SECOND + 110_123_456, NS, 0, "line from docker"),
    ('{"time":"2026-03-14T02:07:29.110Z","msg":"m",'
     '"err":{"type":"E","message":"x","stack":"at a\\nat b"}}',
     T0, MS, 0, "m␊E␊x␊at a␊at b"),
    ('{"time":"2026-03-14T02:07:29.110Z","message":"m",'
     '"error":{"message":"x"},"error.stack_trace":"t1\\nt2"}',
     T0, MS, 0, "m␊x␊t1␊t2"),
)  # fmt: skip


@pytest.mark.parametrize(("line", "timestamp", "precision", "severity", "body"), JSON_CASES)
def test_json_line_becomes_its_event(
    line: str, timestamp: int, precision: Precision, severity: int, body: str, tmp_path: Path
) -> None:
    (event,) = load(write(tmp_path, "app.log", line)).events
    assert (event.timestamp, event.precision) == (timestamp, precision)
    assert (event.severity_number, event.body) == (severity, body)


def test_nested_ecs_names_the_service_and_the_host(tmp_path: Path) -> None:
    line = (
        '{"@timestamp":"2026-03-14T02:07:29.110Z","log":{"level":"error"},"message":"m",'
        '"service":{"name":"web"},"host":{"name":"web-1"},"user":{"id":4711},"user_id":4711}'
    )
    (event,) = load(write(tmp_path, "app.log", line)).events
    assert (event.actor, event.clock, event.severity_number) == ("web", "web-1", 17)
    assert "user:4711" in event.keys


def test_who_speaks_line_then_configuration_then_host_then_file_name(tmp_path: Path) -> None:
    stamp = '"time":"2026-03-14T02:07:29.110Z","msg":"m"'
    path = write(
        tmp_path,
        "mailer.log",
        f'{{{stamp},"service":"web","host":"h"}}',
        f'{{{stamp},"host":"h"}}',
        f"{{{stamp}}}",
    )
    assert [event.actor for event in load(path).events] == ["web", "h", "mailer"]
    assert [event.actor for event in load(path, service="shop").events] == ["web", "shop", "shop"]
