"""Refused requests in structured log files reach the detectors with route, status and size."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.connectors.logs.reading import T0, load

STAMP = "2026-03-14T02:07:29.110Z"


def attributes(tmp_path: Path, line: str) -> dict[str, str | None] | None:
    path = tmp_path / "app.log"
    path.write_text(f"{line}\n")
    (event,) = load(path).events
    assert event.timestamp == T0
    return json.loads(event.attributes) if event.attributes else None


def record(**fields: object) -> str:
    return json.dumps({"time": STAMP, "level": "info", "msg": "done", **fields})


@pytest.mark.parametrize(
    "line",
    [
        record(status=414, path="/users?ids=1,2", method="GET"),
        record(statusCode="414", url="/users?ids=1,2", verb="GET"),
        record(
            http={"response": {"status_code": 414}, "request": {"method": "GET"}},
            url={"original": "/users?ids=1,2"},
        ),
        f"ts={STAMP} level=warn msg=done status=414 method=GET path=/users?ids=1,2",
    ],
)
def test_route_and_status_of_a_refusal_are_carried(tmp_path: Path, line: str) -> None:
    told = attributes(tmp_path, line)
    assert told is not None
    assert told["http.response.status_code"] == "414"
    assert told["http.request.method"] == "GET"
    assert told["url.original"] == "/users?ids=1,2"


def test_a_size_is_carried(tmp_path: Path) -> None:
    line = f"ts={STAMP} level=warn msg=no status=413 method=POST path=/u content_length=70000"
    told = attributes(tmp_path, line)
    assert told is not None
    assert told["http.request.body.size"] == "70000"


@pytest.mark.parametrize(
    "line",
    [
        record(status=200, path="/users", method="GET"),
        record(status="paid", order=414),
        record(text="status: 414 is what it said"),
        f"ts={STAMP} level=info msg=done status=204 path=/users",
    ],
)
def test_what_was_answered_well_carries_nothing(tmp_path: Path, line: str) -> None:
    assert attributes(tmp_path, line) is None


def test_what_an_escape_hides_is_cleaned(tmp_path: Path) -> None:
    line = record(status=500, path="/a\u202eb\u001b[31m", method="GET")
    assert "\\u202e" in line
    told = attributes(tmp_path, line)
    assert told is not None
    assert "\u202e" not in str(told["url.original"])
    assert "\u001b" not in str(told["url.original"])
