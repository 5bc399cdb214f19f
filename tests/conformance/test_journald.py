"""The journald connector against the conformance suite: a recorded program, and the real one."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from connectors.journald import JournaldConnector
from tests.conformance.subject import Subject
from tests.conformance.suite import ConnectorConformance
from tests.connectors.journal_entries import HOSTILE, REMOTE, RecordedJournal
from timeline.window import SECOND_NS, Window

PIN = 1_773_454_049_000_000_000
WINDOW = Window(PIN, PIN - 60 * SECOND_NS, PIN + 60 * SECOND_NS)
FAKE = Path(__file__).parents[1] / "connectors" / "fake_journalctl.py"


def subject_with(options: dict[str, object]) -> Subject:
    return Subject(
        connector_class=JournaldConnector,
        options=options,
        window=WINDOW,
        known_keys=("user:201",),
        absent_key="user:999999",
        drivers=("polars", "psycopg", "redis", "httpx"),
        hostile=HOSTILE,
    )


class TestRecordedJournalctl(ConnectorConformance):
    @pytest.fixture
    def subject(self, tmp_path: Path) -> Subject:
        (tmp_path / "entries.jsonl").write_bytes(RecordedJournal(PIN).lines())
        return subject_with({"journalctl": [sys.executable, str(FAKE), str(tmp_path)]})


class TestExportedFile(ConnectorConformance):
    @pytest.fixture
    def subject(self, tmp_path: Path) -> Subject:
        path = tmp_path / "journal.export"
        path.write_bytes(RecordedJournal(PIN).export())
        return subject_with({"exported": [str(path)]})


@pytest.mark.servers
@pytest.mark.skipif(
    shutil.which("journalctl") is None or not REMOTE.exists(),
    reason="needs journalctl and systemd-journal-remote: apt-get install systemd-journal-remote",
)
class TestRealJournalctl(ConnectorConformance):
    @pytest.fixture
    def subject(self, tmp_path: Path) -> Subject:
        return subject_with({"files": [str(RecordedJournal(PIN).journal_file(tmp_path))]})
