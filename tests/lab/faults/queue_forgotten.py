"""Redis keeps the queue in memory only. It dies and comes back empty: the letters that waited are
gone, though every one of them had been accepted."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from urllib.parse import urlsplit

import psycopg
from redis import Redis

from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard
from tests.servers.accounts import unprivileged_account
from tests.servers.process import start
from tests.servers.redis import find_program, server_version

WORKED_S, WAITED_S, GONE_S = 4.0, 3.0, 0.5
SENT = 60
"""Letters, so many that how long one takes is known. Nobody signs up after that: on a busy machine
the worker would fall behind for ever, and no letter be late."""
MISSED = """
SELECT clock_timestamp() - %s::timestamptz
  > greatest(interval '10s', 3 * max(l.created_at - m.created_at)) + interval '1s'
FROM letters l JOIN members m ON m.id = l.member_id
"""
"""Whether a letter is late by then: three times what the slowest took, and ten seconds at least."""


def break_it(yard: Yard) -> Wrong:
    yard.start_worker("letters-1")
    with yard.sign_ups(every_s=0.1):
        time.sleep(WORKED_S)
        yard.stop_worker("letters-1")
        time.sleep(WAITED_S)
        waiting = yard.queue().count
        yard.redis.kill()
        time.sleep(GONE_S)
        _start_again(yard)
        again = datetime.now(UTC)
        yard.start_worker("letters-2")
        yard.until(lambda: _sent(yard) >= SENT, "letters are sent as ever", 60)
    yard.drain(60)
    yard.until(lambda: _missed(yard, again), "the letters are late", 90)
    with psycopg.connect(yard.postgresql.url) as connection:
        without = connection.execute(
            "SELECT id FROM members WHERE id NOT IN (SELECT member_id FROM letters) ORDER BY id"
        ).fetchall()
    assert len(without) >= waiting > 15
    named = tuple(f"member:{row[0]}" for row in (without[0], without[waiting - 1]))
    also = ("network-hiccup", "ambiguous-enqueue", "backlog", "failover", "partial-batch")
    return Wrong("orphaned-record", named, frozenset(also))


def _sent(yard: Yard) -> int:
    with psycopg.connect(yard.postgresql.url) as connection:
        row = connection.execute("SELECT count(*) FROM letters").fetchone()
    assert row is not None
    return int(row[0])


def _missed(yard: Yard, since: datetime) -> bool:
    with psycopg.connect(yard.postgresql.url) as connection:
        row = connection.execute(MISSED, (since,)).fetchone()
    return row is not None and bool(row[0])


def _start_again(yard: Yard) -> None:
    folder = yard.redis.folder
    assert folder is not None
    server = start(
        "Redis",
        [find_program(), folder / "redis.conf"],
        url=yard.redis.url,
        folder=folder,
        probe=server_version,
        timeout_seconds=15,
        account=unprivileged_account(),
    )
    yard.keep(server)
    with Redis.from_url(yard.redis.url) as client:
        assert urlsplit(yard.redis.url).port == client.connection_pool.connection_kwargs["port"]
        assert client.dbsize() < 20
