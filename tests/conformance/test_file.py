"""The file connector against the conformance suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.file import FileConnector
from tests.conformance.logs import write_log
from tests.conformance.subject import Subject
from tests.conformance.suite import ConnectorConformance


class TestFile(ConnectorConformance):
    @pytest.fixture
    def subject(self, tmp_path: Path) -> Subject:
        path = tmp_path / "web.log"
        window = write_log(path)
        return Subject(
            connector_class=FileConnector,
            options={"paths": [str(path)]},
            window=window,
            known_keys=("request:r-3", "user:25"),
            absent_key="request:nonesuch",
            drivers=("polars", "psycopg", "redis", "httpx"),
            hostile="escape survives",
        )
