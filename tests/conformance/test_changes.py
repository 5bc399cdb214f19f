"""The changes connector against the conformance suite: a checkout, a table, recorded APIs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.changes import ChangesConnector
from tests.conformance.subject import Subject
from tests.conformance.suite import ConnectorConformance
from tests.connectors.changes_data import (
    AGO_S,
    Repository,
    forge_subject,
    github_answers,
    gitlab_answers,
    window_around,
    write_table,
)
from tests.connectors.loopback_http import loopback

DRIVERS = ("polars", "httpx", "psycopg", "redis")


class TestCheckout(ConnectorConformance):
    @pytest.fixture(scope="class")
    def repository(self, tmp_path_factory: pytest.TempPathFactory) -> Repository:
        repository = Repository.made(tmp_path_factory.mktemp("shop"))
        for ago in AGO_S:
            repository.commit(ago, f"Change user_id={ago}", {f"app/{ago}.rb": "x"})
        repository.commit(-30, "Hostile \x1b[31mname\u202e survives", {"app/x.rb": "x"})
        repository.tag(45, "v412")
        return repository

    @pytest.fixture
    def subject(self, repository: Repository) -> Subject:
        return Subject(
            connector_class=ChangesConnector,
            options={"git": str(repository.path)},
            window=window_around(),
            known_keys=(f"commit:{repository.commits[0][:12]}",),
            absent_key="commit:0123456789ab",
            drivers=DRIVERS,
            hostile="survives",
        )


class TestTable(ConnectorConformance):
    @pytest.fixture
    def subject(self, tmp_path: Path) -> Subject:
        path = tmp_path / "deploys.csv"
        write_table(path)
        return Subject(
            connector_class=ChangesConnector,
            options={"deploys": [str(path)], "zone": "UTC"},
            window=window_around(),
            known_keys=("commit:00000000000a",),
            absent_key="commit:0123456789ab",
            drivers=DRIVERS,
            hostile="survives",
        )


class TestGitHub(ConnectorConformance):
    """Recorded answers on loopback: GitHub itself cannot be asked by a test."""

    @pytest.fixture(scope="class")
    def url(self) -> Iterator[str]:
        with loopback(github_answers) as server:
            yield server.url

    @pytest.fixture
    def subject(self, url: str) -> Subject:
        return forge_subject("github", url, DRIVERS)


class TestGitLab(ConnectorConformance):
    """Recorded answers on loopback: GitLab itself is not run by a test."""

    @pytest.fixture(scope="class")
    def url(self) -> Iterator[str]:
        with loopback(gitlab_answers) as server:
            yield server.url

    @pytest.fixture
    def subject(self, url: str) -> Subject:
        return forge_subject("gitlab", url, DRIVERS)
