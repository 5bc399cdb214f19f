"""A small JSON log for the conformance of log connectors: two services' lines, one hostile."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from timeline.window import SECOND_NS, Window

BEGIN = datetime(2026, 11, 20, 2, 7, tzinfo=UTC)
LINES = 40


def write_log(path: Path) -> Window:
    """Forty lines, one a second; returns a window that holds them all, pinned in the middle."""
    start = int(BEGIN.timestamp()) * SECOND_NS
    lines = []
    for number in range(LINES):
        stamp = datetime.fromtimestamp(BEGIN.timestamp() + number, UTC)
        message = f"sign-up of user_id={number} done"
        if number == 7:
            message = "broken\x1b[31m\u202e escape survives"
        record = {
            "timestamp": stamp.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": "error" if number % 10 == 0 else "info",
            "service": "web",
            "message": message,
            "request_id": f"r-{number}",
        }
        lines.append(json.dumps(record))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Window(start + 20 * SECOND_NS, start - SECOND_NS, start + 60 * SECOND_NS)
