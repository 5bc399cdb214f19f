"""A streaming replica: it says what it is, and how far it can be believed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.connectors.pg import fetch, rows
from tests.servers.accounts import unprivileged_account
from tests.servers.postgresql import find_bin_folder, postgresql, server_version
from tests.servers.process import RunningServer, ServerMissing, free_port, new_folder, start
from tests.servers.pytest_fixtures import skip_or_fail
from timeline.coverage import Coverage, Sight
from timeline.event import Kind

pytestmark = pytest.mark.servers

CATCH_UP_S = 10.0


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[str, str]]:
    """URLs of a primary and of its hot standby."""
    try:
        primary = postgresql()
        programs = find_bin_folder()
    except ServerMissing as missing:
        skip_or_fail(missing)
    if not (programs / "pg_basebackup").exists():
        primary.discard()
        pytest.skip("pg_basebackup is not part of this PostgreSQL")
    with primary:
        _run(primary.url, "CREATE TABLE users (id serial PRIMARY KEY, created_at timestamptz)")
        with _standby(primary) as standby:
            yield primary.url, standby.url


def _standby(primary: RunningServer) -> RunningServer:
    account = unprivileged_account()
    folder, port = new_folder("standby", account), free_port()
    source = urlsplit(primary.url)._replace(path="").geturl()
    program = str(find_bin_folder() / "pg_basebackup")
    subprocess.run(
        [program, "-R", "-c", "fast", "-D", str(folder / "data"), "-d", source],
        check=True,
        capture_output=True,
        cwd=folder,
        env={**os.environ, "LC_ALL": "C"},
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
    parts = urlsplit(primary.url)
    login = f"{parts.username}:{parts.password}@127.0.0.1:{port}"
    return start(
        "PostgreSQL standby",
        [
            find_bin_folder() / "postgres",
            *("-D", folder / "data", "-p", str(port), "-k", folder),
        ],
        url=parts._replace(netloc=login).geturl(),
        folder=folder,
        probe=server_version,
        timeout_seconds=30,
        account=account,
        stop_signal=signal.SIGINT,
    )


def _run(url: str, statement: str) -> tuple[object, ...] | None:
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchone() if cursor.description else None


def _caught_up(primary: str, replica: str) -> None:
    target = _run(primary, "SELECT pg_current_wal_lsn()::text")
    assert target is not None
    until = time.monotonic() + CATCH_UP_S
    while _run(replica, f"SELECT pg_last_wal_replay_lsn() >= '{target[0]}'") != (True,):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_replica_that_keeps_up_is_said_and_believed(pair: tuple[str, str]) -> None:
    primary, replica = pair
    _run(primary, "INSERT INTO users (created_at) VALUES (now())")
    _caught_up(primary, replica)
    collected = fetch(replica)
    (event, *_) = rows(collected, Kind.ROW_INSERTED).values()
    assert '"endpoint": "replica"' in (event.attributes or "")
    assert any(remark.topic == "replica" for remark in collected.remarks)
    assert {entry.sight for entry in collected.coverage} == {Sight.NOW_ONLY}


def test_a_replica_that_lags_says_how_far_it_got(pair: tuple[str, str]) -> None:
    primary, replica = pair
    _run(primary, "INSERT INTO users (created_at) VALUES (now())")
    _caught_up(primary, replica)
    before = len(rows(fetch(replica), Kind.ROW_INSERTED))
    _run(replica, "SELECT pg_wal_replay_pause()")
    try:
        _run(primary, "INSERT INTO users (created_at) VALUES (now())")
        _run(primary, "SELECT pg_switch_wal()")
        until = time.monotonic() + CATCH_UP_S
        while not (lagging := _partial(replica)):
            assert time.monotonic() < until
            time.sleep(0.05)
        assert len(rows(fetch(replica), Kind.ROW_INSERTED)) == before
    finally:
        _run(replica, "SELECT pg_wal_replay_resume()")
    (entry,) = lagging
    assert "replayed up to" in entry.reason
    assert "primary" in entry.remedy


def _partial(replica: str) -> list[Coverage]:
    return [entry for entry in fetch(replica).coverage if entry.sight is Sight.PARTIAL]
