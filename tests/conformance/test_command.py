"""The command connector against the conformance suite: a command that prints a log file."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from connectors.command import CommandConnector
from tests.conformance.logs import write_log
from tests.conformance.subject import Subject
from tests.conformance.suite import ConnectorConformance

PRINT_FILE = "import sys, pathlib; sys.stdout.write(pathlib.Path(sys.argv[1]).read_text('utf-8'))"


class TestCommand(ConnectorConformance):
    @pytest.fixture
    def subject(self, tmp_path: Path) -> Subject:
        path = tmp_path / "web.log"
        window = write_log(path)
        return Subject(
            connector_class=CommandConnector,
            options={"argv": [sys.executable, "-c", PRINT_FILE, str(path)]},
            window=window,
            drivers=("polars", "psycopg", "redis", "httpx"),
            hostile="escape survives",
        )
