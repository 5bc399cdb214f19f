"""A streaming replica: it says what it is, and how far it can be believed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import psycopg
import pytest

from connectors.postgresql.replication import replication_coverage
from connectors.postgresql.tables import Server
from tests.connectors.pg import fetch, rows
from tests.servers.postgresql import postgresql
from tests.servers.process import ServerMissing
from tests.servers.pytest_fixtures import skip_or_fail
from tests.servers.standby import standby_of
from timeline.coverage import Coverage, Sight
from timeline.event import Kind
from timeline.window import SECOND_NS, Window

pytestmark = pytest.mark.servers

CATCH_UP_S = 10.0


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[str, str]]:
    """URLs of a primary and of its hot standby."""
    try:
        primary = postgresql()
    except ServerMissing as missing:
        skip_or_fail(missing)
    with primary:
        _run(primary.url, "CREATE TABLE users (id serial PRIMARY KEY, created_at timestamptz)")
        try:
            standby = standby_of(primary)
        except ServerMissing as missing:
            skip_or_fail(missing)
        with standby:
            yield primary.url, standby.url


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


def test_lag_is_told_from_both_sides(pair: tuple[str, str]) -> None:
    primary, replica = pair
    _run(primary, "INSERT INTO users (created_at) VALUES (now())")
    _caught_up(primary, replica)
    told = _told(replica, "this is a replica")
    assert told["lag_bytes"] == 0
    assert told["lag_seconds"] is None, "an idle primary is no lag"
    assert told["streaming"] is True
    _run(replica, "SELECT pg_wal_replay_pause()")
    try:
        _run(primary, "INSERT INTO users (created_at) SELECT now() FROM generate_series(1, 5000)")
        until = time.monotonic() + CATCH_UP_S
        while not (own := _told(replica, "this is a replica"))["lag_bytes"]:
            assert time.monotonic() < until
            time.sleep(0.05)
        from_primary = _told(primary, "replica ")
        remarks = [r.sentence for r in fetch(replica).remarks if r.topic == "replica"]
    finally:
        _run(replica, "SELECT pg_wal_replay_resume()")
    assert own["replay_paused"] is True
    assert isinstance(own["lag_seconds"], float)
    assert isinstance(from_primary["lag_bytes"], int)
    assert from_primary["lag_bytes"] > 5_000 * 20, "at least the rows themselves"
    assert from_primary["state"] == "streaming"
    assert any("replayed up to" in sentence for sentence in remarks)


def test_a_replica_cut_off_from_its_primary_is_not_believed() -> None:
    now = 1_000 * SECOND_NS
    server = Server(
        version="15",
        replica=True,
        tracks_commits=False,
        now=now,
        started_at=0,
        configured_at=0,
        replayed_until=now - 300 * SECOND_NS,
        caught_up=True,
        role="r",
        database="d",
        sees_all_activity=True,
        stats_since=None,
        streams=True,
        bytes_to_replay=0,
        heard_at=now - SECOND_NS,
    )
    window = Window(now, now - 600 * SECOND_NS, now)
    assert replication_coverage("db", server, window) == []
    silent = replace(server, heard_at=now - 100 * SECOND_NS)
    (entry,) = replication_coverage("db", silent, window)
    assert (entry.start, entry.end) == (now - 100 * SECOND_NS, now)
    assert "last heard from its primary" in entry.reason
    behind = replace(server, caught_up=False)
    (entry,) = replication_coverage("db", behind, window)
    assert entry.start == now - 300 * SECOND_NS
    never = replace(server, caught_up=False, replayed_until=None)
    (entry,) = replication_coverage("db", never, window)
    assert (entry.start, entry.sight) == (window.start, Sight.PARTIAL)


def _told(url: str, beginning: str) -> dict[str, object]:
    (event,) = [e for e in fetch(url).events if e.body.startswith(beginning)]
    told: dict[str, object] = json.loads(event.attributes or "{}")
    assert told["now"] is True
    return told


def _partial(replica: str) -> list[Coverage]:
    return [entry for entry in fetch(replica).coverage if entry.sight is Sight.PARTIAL]
