"""A table of ten million rows read around T: what every statement costs the server.

The server's own measurement is taken (`log_min_duration_statement = 0`), so the network and our
Python are not in it. Without an index on the stamp, the index probes that find the place are
counted too, by the server's statistics of the primary key.
"""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from bench.table import write_table
from connectors.postgresql import PostgreSQLConnector, PostgreSQLOptions
from connectors.postgresql.routes import MOST_PROBES
from connectors.sql.pacing import SLOWEST_S
from tests.servers.postgresql import postgresql
from timeline.event import Kind
from timeline.keys import KeyRules
from timeline.window import MINUTE_NS, SECOND_NS, Budget, Window

STEP_MS = 50
"""One row each 50 ms: ten million are six days."""
SLOWEST_MS = SLOWEST_S * 1_000
"""Most that one statement may take of the server's time, with an index on the stamp or without."""
WALKED = re.compile(r"BETWEEN")
"""Marks the statements that walk through the keys once their place was found: each of them is one
scan of the key, but no probe."""
RUNS = 5
"""Of each statement the best is told: a busy machine makes any single one late."""
SETTLE_S = 10.0
DURATION = re.compile(r"duration: ([\d.]+) ms\s+(parse|bind|execute|statement)[^:]*: (.*)")


@dataclass(frozen=True)
class Cost:
    """What one fetch cost the server."""

    events: int
    statements: int
    took_ms: dict[str, float]
    """By statement; of one that was sent more often the slowest."""
    probes: int
    reasons: str

    @property
    def slowest(self) -> str:
        return max(self.took_ms, key=self.took_ms.__getitem__)

    @property
    def slowest_ms(self) -> float:
        return self.took_ms[self.slowest]


def measure(folder: Path, quick: bool) -> None:
    """Print the slowest statement with an index on created_at, and the probes without."""
    del folder
    rows = 4_000_000 if quick else 10_000_000
    with postgresql() as server:
        assert server.log_path is not None
        table = WideTable(server.url, server.log_path)
        table.build(rows)
        without = table.best()
        table.run("CREATE INDEX events_created_at_idx ON events (created_at)", "ANALYZE events")
        with_index = table.best()
    lines = [
        [
            name,
            f"{cost.events:,}",
            str(cost.statements),
            f"{cost.slowest_ms:,.1f} ms",
            str(cost.probes),
        ]
        for name, cost in (("index on created_at", with_index), ("id bracket", without))
    ]
    head = ("way", "events", "statements", "slowest", "probes of the key")
    write_table(f"{rows:,} rows, five minutes around T", head, lines)
    for cost in (with_index, without):
        if cost.slowest_ms > SLOWEST_MS:
            raise RuntimeError(f"{cost.slowest_ms:.1f} ms: {cost.slowest}")
    if without.probes > MOST_PROBES or "found by its ids" not in without.reasons:
        raise RuntimeError(f"{without.probes} probes of the primary key: {without.reasons}")


@dataclass(frozen=True)
class WideTable:
    """A server of our own with one large table, `events`."""

    url: str
    log: Path

    def run(self, *statements: str) -> None:
        with closing(psycopg.connect(self.url, autocommit=True)) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def build(self, rows: int) -> None:
        """Rows up to now, no index but the primary key; every reader's statement is timed."""
        self.run(
            "CREATE UNLOGGED TABLE events (id bigint, user_id int, status text,"
            " created_at timestamptz)",
            "INSERT INTO events SELECT n, n % 9973, 'done',"
            f" now() - ({rows} - n) * interval '{STEP_MS} ms'"
            f" FROM generate_series(1, {rows}) AS n",
            "ALTER TABLE events ADD PRIMARY KEY (id)",
            "VACUUM ANALYZE events",
            "ALTER SYSTEM SET log_min_duration_statement = 0",
            "SELECT pg_reload_conf()",
        )
        time.sleep(1)

    def best(self) -> Cost:
        """Of several fetches each statement at its quickest."""
        runs = [self.fetched() for _ in range(RUNS)]
        took = {
            statement: min(run.took_ms.get(statement, math.inf) for run in runs)
            for statement in {statement for run in runs for statement in run.took_ms}
        }
        return replace(runs[-1], took_ms=took)

    def fetched(self) -> Cost:
        """One fetch around an instant in the middle of the table."""
        read_from, before = self.log.stat().st_size, self._scans()
        with closing(psycopg.connect(self.url)) as connection:
            row = connection.execute(
                "SELECT (extract(epoch FROM created_at) * 1000000)::bigint FROM events WHERE id ="
                " (SELECT max(id) / 2 FROM events)"
            ).fetchone()
        assert row is not None
        before = self._settled(before + 2)
        pin = int(row[0]) * 1_000
        window = Window(pin, pin - 4 * MINUTE_NS, pin + MINUTE_NS)
        events, reasons = asyncio.run(_fetch(self.url, window))
        scans = self._settled() - before
        with self.log.open(errors="replace") as file:
            file.seek(read_from)
            timed = list(_timed(file))
        took: dict[str, float] = {}
        for milliseconds, statement in timed:
            took[statement] = max(milliseconds, took.get(statement, 0.0))
        probes = scans - sum(WALKED.search(statement) is not None for _, statement in timed)
        return Cost(events, len(timed), took, probes, reasons)

    def _scans(self) -> int:
        with closing(psycopg.connect(self.url)) as connection:
            row = connection.execute(
                "SELECT coalesce(idx_scan, 0) FROM pg_stat_user_indexes"
                " WHERE indexrelname = 'events_pkey'"
            ).fetchone()
        return int(row[0]) if row else 0

    def _settled(self, least: int = 0) -> int:
        """The count once it has stopped to change: sessions report when they are idle."""
        until, seen = time.monotonic() + SETTLE_S, -1
        while time.monotonic() < until:
            count = self._scans()
            if count == seen and count >= least:
                return count
            seen = count
            time.sleep(1.2)
        return seen


async def _fetch(url: str, window: Window) -> tuple[int, str]:
    options = PostgreSQLOptions.model_validate({"dsn": url, "tables": ["events"]})
    connector = PostgreSQLConnector("db", options, KeyRules())
    found, reasons = 0, []
    try:
        async for batch in connector.fetch(window, Budget()):
            kinds = batch.events.get_column("kind").cast(str)
            found += int((kinds == Kind.ROW_INSERTED.value).sum())
            reasons += [entry.reason for entry in batch.coverage]
    finally:
        await connector.close()
    expected = (window.end - window.start) * 1_000 // (STEP_MS * SECOND_NS)
    if abs(found - expected) > 1:
        raise RuntimeError(f"{found:,} events were read where {expected:,} lie; {reasons}")
    return found, "; ".join(reasons)


def _timed(lines: Iterator[str]) -> Iterator[tuple[float, str]]:
    """(ms, statement) of every statement: parsing, binding (which plans) and executing together."""
    spent = 0.0
    for line in lines:
        if (match := DURATION.search(line)) is None:
            continue
        spent += float(match[1])
        if match[2] in ("execute", "statement"):
            yield spent, match[3].strip()
            spent = 0.0
