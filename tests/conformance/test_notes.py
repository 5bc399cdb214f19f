"""The notes connector against the conformance suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.notes import NotesConnector
from tests.conformance.subject import Subject
from tests.conformance.suite import ConnectorConformance
from tests.connectors.changes_data import window_around
from tests.connectors.slack_export import night_zip, ts
from timeline.window import MINUTE_NS, SECOND_NS, Window

SLACK_PIN = int(ts("02:15:00").partition(".")[0]) * SECOND_NS
NOTES = """# Sign-up incident 2026-03-14

- 02:05 [ann] sign-ups fail, looking at user_id=4711
- 02:08 deployed v411 again
- 02:12:30 [bo] paused mailers
- 02:15 \x1b[31mred\u202e text survives
- 02:16 order_id=815 repaired by hand
  by the query in the runbook
"""


class TestNotes(ConnectorConformance):
    @pytest.fixture
    def subject(self, tmp_path: Path) -> Subject:
        path = tmp_path / "notes.md"
        path.write_text(NOTES, encoding="utf-8")
        return Subject(
            connector_class=NotesConnector,
            options={"paths": [str(path)]},
            window=window_around(),
            known_keys=("user:4711", "order:815"),
            absent_key="user:1",
            drivers=("polars", "httpx", "psycopg", "redis"),
            hostile="text survives",
        )


class TestSlackExport(ConnectorConformance):
    @pytest.fixture
    def subject(self, tmp_path: Path) -> Subject:
        return Subject(
            connector_class=NotesConnector,
            options={"paths": [str(night_zip(tmp_path))]},
            window=Window.around(SLACK_PIN, 30 * MINUTE_NS, 30 * MINUTE_NS),
            known_keys=("user:4711", "order:815"),
            absent_key="user:1",
            drivers=("polars", "httpx", "psycopg", "redis"),
            hostile="text survives",
        )
