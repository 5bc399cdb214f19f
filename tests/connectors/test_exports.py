"""Files that Sentry and Datadog give out, in their published shape, read as logs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.file import FileConnector, FileOptions
from connectors.logs.exported import shape_of_export
from tests.conformance.collecting import fetched
from tests.connectors.changes_data import T_S, iso, window_around
from timeline.event import Event
from timeline.keys import KeyRules
from timeline.window import SECOND_NS

SENTRY = {
    "id": "1",
    "eventID": "0af7651916cd43dd8448eb211c80319c",
    "groupID": "991",
    "event.type": "error",
    "dateCreated": iso(T_S).replace("Z", ".110000Z"),
    "title": "RecordNotFound: no such user user_id=4711",
    "message": "",
    "culprit": "WelcomeMail in perform",
    "tags": [{"key": "level", "value": "error"}, {"key": "release", "value": "shop@412"}],
}
SENTRY_EVENT = {
    "event_id": "0af7651916cd43dd8448eb211c80319c",
    "timestamp": T_S + 0.11,
    "title": "RecordNotFound: no such user user_id=4711",
    "culprit": "WelcomeMail in perform",
    "level": "error",
    "server_name": "worker-3",
}
DATADOG = {
    "id": "AQAAAY1",
    "type": "log",
    "attributes": {
        "timestamp": iso(T_S).replace("Z", ".110Z"),
        "service": "shop",
        "host": "web-1",
        "status": "error",
        "message": "enqueue failed user_id=4711",
        "attributes": {"duration": 812},
    },
}
DATADOG_1 = {"id": "AQAAAY1", "content": DATADOG["attributes"]}


def read(tmp_path: Path, text: str, name: str) -> list[Event]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    options = FileOptions.model_validate({"paths": [str(path)]})
    return fetched(FileConnector("export", options, KeyRules()), window_around()).events


@pytest.mark.parametrize("layout", ["lines", "array", "indented"])
@pytest.mark.parametrize(
    ("record", "severity", "actor", "clock", "body"),
    [
        (SENTRY, 0, "WelcomeMail in perform", "", "RecordNotFound: no such user user_id=4711"),
        (
            SENTRY_EVENT,
            17,
            "WelcomeMail in perform",
            "worker-3",
            "RecordNotFound: no such user user_id=4711",
        ),
        (DATADOG, 17, "shop", "web-1", "enqueue failed user_id=4711"),
        (DATADOG_1, 17, "shop", "web-1", "enqueue failed user_id=4711"),
    ],
)
def test_a_json_export_is_a_log(
    tmp_path: Path,
    layout: str,
    record: dict[str, object],
    severity: int,
    actor: str,
    clock: str,
    body: str,
) -> None:
    records = [record, record]
    text = {
        "lines": "".join(json.dumps(one) + "\n" for one in records),
        "array": json.dumps(records),
        "indented": json.dumps(records, indent=2),
    }[layout]
    events = read(tmp_path, text, "export.json")
    assert len(events) == 2
    for event in events:
        assert event.timestamp == T_S * SECOND_NS + 110_000_000
        assert (event.severity_number, event.actor, event.clock) == (severity, actor, clock)
        assert event.body == body
        assert "user:4711" in event.keys


def test_a_program_s_own_log_is_no_export() -> None:
    own = {"time": iso(T_S), "msg": "x", "attributes": {"timestamp": iso(T_S), "message": "y"}}
    assert shape_of_export([json.dumps(own)]) is None
    assert shape_of_export([json.dumps(DATADOG), json.dumps(own)]) is None
    assert shape_of_export([]) is None


def test_datadog_s_csv_is_a_log(tmp_path: Path) -> None:
    text = (
        "Date,Host,Service,Message\n"
        f'"{iso(T_S)}","web-1","shop","enqueue failed, user_id=4711"\n'
        f'"{iso(T_S + 1)}","worker-3","worker","retrying\nsecond line"\n'
    )
    one, two = sorted(read(tmp_path, text, "extract.csv"), key=lambda event: event.timestamp)
    assert (one.actor, one.clock, one.body) == ("shop", "web-1", "enqueue failed, user_id=4711")
    assert one.keys == ("user:4711",)
    assert two.body == "retrying␊second line"
