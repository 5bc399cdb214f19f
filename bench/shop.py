"""The raw log of a busy shop, half a kilobyte a line, and the incident it becomes as columns.

What a bundle is measured on: two dozen wordings, ids that no packer can guess, fields as JSON.
Beside the lines stand the job events and row events of `bench.night`. The same arguments give the
same bytes on every machine.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from bench.generate import MARK
from bench.night import SECOND_NS, SPAN_S, START, events_of, job_events, keys_of, row_events
from timeline.batch import Batch
from timeline.coverage import Coverage, Sight
from timeline.event import Lane
from timeline.incident import Incident, SourceInfo
from timeline.store import Store
from timeline.window import Window

PIN_SHARE = 0.8
"""Where in the window T lies."""
LINES_A_REQUEST = 5
BLOCK_LINES = 20_000

SERVICES = ("web", "checkout", "stock", "mailer", "search", "gateway", "billing", "worker")
LOGGERS = ("http.server", "db.pool", "cache.client", "jobs.runner", "http.client")
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/133.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_3 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "Mozilla/5.0 (X11; Linux x86_64; rv:135.0) Gecko/20100101 Firefox/135.0",
    "shop-app/7.14.2 (Android 15; Pixel 9)",
    "python-httpx/0.28.1",
)
WORDINGS = (
    "GET /products/{small}/reviews?page={tiny} answered 200 in {tiny} ms",
    "POST /carts/{big}/items answered 201 in {small} ms",
    "cart {big} now holds {tiny} items, total {small}.{tiny} EUR",
    "user {user} signed in from a known device",
    "cache miss for product:{small}:price, loading from the database",
    "cache hit ratio of the last 1000 reads: 0.{small}",
    "SELECT orders WHERE id = {big} took {tiny} ms, 1 row",
    "UPDATE stock SET reserved = reserved + {tiny} WHERE sku = 'SKU-{small}' took {tiny} ms",
    "enqueued WelcomeMail for user {user} as {request}",
    "job SyncStock {request} finished after {small} ms",
    "reserved {tiny} of SKU-{small} for order {big}",
    "order {big} paid by card, authorisation {small}",
    "order {big} handed to the carrier, parcel {big}",
    "rendered template cart/summary in {tiny} ms",
    "search for 'winter shoes {tiny}' gave {small} results in {tiny} ms",
    "rate of exchange EUR/USD refreshed: 1.{small}",
    "webhook of the payment provider accepted, event evt_{request}",
    "session {request} renewed for user {user}",
    "feature new-checkout is on for user {user}",
    "connection pool: {tiny} in use, {tiny} idle, 0 waiting",
)
FAULTS = (
    "redis.exceptions.TimeoutError: Timeout reading from redis:6379",
    "request failed: Connection reset by peer (104) calling http://stock:8080/reserve/{big}",
    "PG::UniqueViolation: ERROR: duplicate key value violates unique constraint orders_pkey",
    "payment of order {big} declined by the bank, code {tiny}",
)


def raw_log(path: Path, lines: int) -> Path:
    """Write the log as JSON lines, or reuse what a run before has finished."""
    if not path.exists():
        unfinished = path.with_suffix(".unfinished")
        with unfinished.open("w", encoding="utf-8") as out:
            out.writelines(_blocks(lines))
        unfinished.replace(path)
    return path


def incident_of(log: Path, job_count: int, row_count: int) -> Incident:
    """The incident as engines would have told it: fields as attributes, ids as keys."""
    lines = pl.read_ndjson(log)
    events, keys = _log_events(lines)
    pin_ns = int(events.filter(pl.col("body") == MARK).get_column("timestamp")[0])
    parts = (
        ("app-logs", Lane.LOG, "elasticsearch 8.19", (events, keys)),
        ("rq", Lane.QUEUE, "rq", job_events(job_count)),
        ("pg", Lane.DATABASE, "postgresql 15.18 (primary)", row_events(row_count)),
    )
    end = START + SPAN_S * SECOND_NS
    store = Store()
    for name, _, _, (rows, pairs) in parts:
        store.add(Batch(name, rows, pairs, coverage=(Coverage(name, START, end, Sight.FULL),)))
    return Incident(
        Window(pin_ns, START, end),
        store.snapshot(),
        sources=tuple(SourceInfo(name, lane, system) for name, lane, system, _ in parts),
        collected_at=end + SECOND_NS,
    )


def _blocks(lines: int) -> Iterator[str]:
    chance = random.Random(20260314)
    step_us = SPAN_S * 1_000_000 // lines
    ids = _ids(chance)
    for first in range(0, lines, BLOCK_LINES):
        written = []
        for number in range(first, min(first + BLOCK_LINES, lines)):
            if number % LINES_A_REQUEST == 0:
                ids = _ids(chance)
            level, message = _message(chance, ids)
            if number == int(lines * PIN_SHARE):
                level, message = "WARN", MARK
            written.append(_line(_stamp(number * step_us), level, message, chance, ids))
        yield "".join(written)


def _ids(chance: random.Random) -> dict[str, str]:
    """What the lines of one request share."""
    return {
        "trace": f"{chance.getrandbits(128):032x}",
        "request": f"{chance.getrandbits(64):016x}",
        "user": str(chance.randrange(400_000)),
        "big": str(chance.randrange(4_000_000, 5_000_000)),
        "service": chance.choice(SERVICES),
        "agent": chance.choice(AGENTS),
        "address": f"10.{chance.randrange(256)}.{chance.randrange(256)}.{chance.randrange(256)}",
    }


def _message(chance: random.Random, ids: dict[str, str]) -> tuple[str, str]:
    fault = chance.random() < 0.01
    wording = chance.choice(FAULTS if fault else WORDINGS)
    figures = {"tiny": chance.randrange(2, 90), "small": chance.randrange(100, 9_000)}
    return "ERROR" if fault else "INFO", wording.format(**ids, **figures)


def _line(stamp: str, level: str, message: str, chance: random.Random, ids: dict[str, str]) -> str:
    service = ids["service"]
    return (
        f'{{"timestamp":"{stamp}","level":"{level}","service":"{service}",'
        f'"host":"{service}-{chance.randrange(6)}","message":"{message}","attributes":{{'
        f'"trace_id":"{ids["trace"]}","span_id":"{chance.getrandbits(64):016x}",'
        f'"request_id":"{ids["request"]}","user_id":"{ids["user"]}","order_id":"{ids["big"]}",'
        f'"logger":"{chance.choice(LOGGERS)}","thread":"pool-{chance.randrange(32)}",'
        f'"client_address":"{ids["address"]}","user_agent":"{ids["agent"]}",'
        f'"duration_ms":{chance.randrange(1, 2_000)},"bytes":{chance.randrange(200_000)}}}}}\n'
    )


def _stamp(microseconds: int) -> str:
    seconds, microseconds = divmod(microseconds, 1_000_000)
    minutes, seconds = divmod(seconds, 60)
    return f"2026-03-14T02:{minutes:02}:{seconds:02}.{microseconds:06}Z"


def _log_events(lines: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    field = pl.col("attributes").struct.field
    frame = lines.with_row_index("n").with_columns(
        stamp=pl.col("timestamp").str.to_datetime("%Y-%m-%dT%H:%M:%S%.6fZ").dt.epoch("ns"),
        severity=pl.col("level").replace_strict({"INFO": 9, "WARN": 13, "ERROR": 17}),
        packed=pl.col("attributes").struct.json_encode(),
        document=pl.format("shop-logs/{}", field("span_id")),
        trace=field("trace_id"),
        request=field("request_id"),
        user=field("user_id"),
        order=field("order_id"),
    )
    events = events_of(
        frame,
        timestamp="stamp",
        precision="us",
        source="app-logs",
        lane="log",
        kind="log",
        severity_number="severity",
        actor="host",
        body="message",
        attributes="packed",
        ref="document",
        seq="n",
    )
    told = ("trace", "request", "user", "order")
    pairs = [frame.select(row="n", key=pl.format(f"{name}:{{}}", name)) for name in told]
    return events, keys_of(*pairs)
