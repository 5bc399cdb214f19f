"""From a configuration to findings: expected sets and sanity queries on real servers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from halfawake.config import load_config
from halfawake.discovery.known import tried
from halfawake.setup import Setup, setup_for_environment
from tests.connectors import my, pg
from tests.halfawake.test_collector import T, collected
from tests.halfawake.test_config import written
from tests.servers.process import RunningServer
from timeline.detectors.bad_data import BadDataDetector, BadDataHere
from timeline.detectors.partial_batch import PartialBatch, PartialBatchDetector
from timeline.order import Verdict
from timeline.window import SECOND_NS

pytestmark = pytest.mark.servers

APPS, DONE = 20, 9
TABLES = (
    "CREATE TABLE apps (id int PRIMARY KEY, backups int, owner text)",
    *(
        f"INSERT INTO apps VALUES ({n}, {int(n < APPS)}, {'NULL' if n in (3, 40) else repr('me')})"
        for n in (*range(APPS), 40)
    ),
)
CONFIG = """\
[keys.app]
table = "apps"

[env.prod.sources.db]
connector = "{connector}"
{address} = "{url}"

[env.prod.sources.runner]
connector = "file"
paths = ["{log}"]

[env.prod.expected.backups]
source = "db"
query = "SELECT id FROM apps WHERE backups = 1 ORDER BY id"
key = "app"
log = "backup done"
ordered = true

[env.prod.sanity.nobody]
source = "db"
query = "SELECT id, owner FROM apps WHERE owner IS NULL"
means = "apps that nobody owns"
key = "app"

[env.prod.sanity.writes]
source = "db"
query = "WITH gone AS (SELECT 1) DELETE FROM apps"
means = "nothing"
"""


def logged(folder: Path) -> Path:
    """A backup that stops at the ninth of twenty apps, and a runner that goes on talking."""
    lines = []
    for number in range(60):
        seconds = T // SECOND_NS - 600 + number * 10
        stamp = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        lines.append(f"{stamp} INFO runner tick {number}")
        if number < DONE:
            lines.append(f"{stamp} INFO runner backup done app_id={number}")
    path = folder / "runner.log"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def setup_on(folder: Path, connector: str, url: str) -> Setup:
    address = {"postgresql": "dsn", "mysql": "url"}[connector]
    text = CONFIG.format(connector=connector, address=address, url=url, log=logged(folder))
    path = written(folder, text)
    setup = setup_for_environment(load_config(path, {}), path, "prod")
    return replace(setup, detectors=(PartialBatchDetector(), BadDataDetector()))


def says_what_is_missing(setup: Setup) -> None:
    result = collected(setup)
    expected, (nobody, writes) = (
        result.incident.knowledge.expected[0],
        result.incident.knowledge.sanity,
    )
    assert expected.keys == tuple(f"app:{n}" for n in range(APPS))
    assert (nobody.rows, nobody.problem) == (2, "")
    assert writes.problem
    (batch,) = [one for one in result.analysis.findings if isinstance(one, PartialBatch)]
    assert (batch.total, batch.done, batch.never) == (APPS, DONE, APPS - DONE)
    assert batch.resume == tuple(f"app:{n}" for n in range(DONE, APPS))
    assert batch.shape is not None and batch.shape.name == "prefix"
    assert batch.verdict is not Verdict.CERTAIN  # it was asked for months after that night
    (bad,) = [one for one in result.analysis.findings if isinstance(one, BadDataHere)]
    assert (bad.here, bad.rows, bad.verdict) == (("app:3",), 2, Verdict.CERTAIN)
    assert any("“writes” did not answer" in wanted for wanted in bad.would_decide)


def tries_each(setup: Setup) -> None:
    connector = next(one.connector for one in setup.sources if one.info.name == "db")
    assert connector is not None

    async def trials() -> dict[str, str]:
        found = await tried(setup.questions, connector, 15)
        await connector.close()
        return {trial.question.blank.name: trial.problem for trial in found}

    told = asyncio.run(trials())
    assert (told["backups"], told["nobody"]) == ("", "")
    assert told["writes"]


def test_postgresql(postgresql_server: RunningServer, tmp_path: Path) -> None:
    with pg.database_on(postgresql_server) as database:
        database.run(*TABLES)
        setup = setup_on(tmp_path, "postgresql", database.url)
        says_what_is_missing(setup)
        tries_each(setup_on(tmp_path, "postgresql", database.url))
        with database.connected() as connection:
            assert connection.execute("SELECT count(*) FROM apps").fetchone() == (APPS + 1,)


def test_mariadb(mariadb_server: RunningServer, tmp_path: Path) -> None:
    with my.database_on(mariadb_server) as database:
        database.run(*TABLES)
        says_what_is_missing(setup_on(tmp_path, "mysql", database.url))
        tries_each(setup_on(tmp_path, "mysql", database.url))
