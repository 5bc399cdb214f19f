"""A busy, mostly healthy half hour of any size, as columns: what the detectors are timed on.

Twelve services log requests in the wordings of several languages, one line in a hundred is an
error, jobs write rows, processes report their memory, a deploy happened. Nothing here is a fault
that a detector should find; it must only look everywhere.
"""

from __future__ import annotations

import polars as pl

from timeline.batch import Batch
from timeline.columns import EVENT_SCHEMA, KEY_SCHEMA
from timeline.coverage import Coverage, Sight
from timeline.event import Lane
from timeline.incident import Incident, SourceInfo
from timeline.store import Store
from timeline.window import Window

SECOND_NS = 1_000_000_000
START = 1_773_453_600 * SECOND_NS
"""2026-03-14T02:00:00Z."""
SPAN_S = 2_100
PIN_S = 1_800

ERRORS = (
    "request failed: Connection reset by peer (104) calling http://stock:8080",
    "cache read failed: redis.exceptions.TimeoutError: Timeout reading from redis:6379",
    "upstream timed out (110: Connection timed out) while reading response header",
    "LookupError: Order 77 not found",
    "java.net.SocketTimeoutException: Read timed out",
    "PG::UniqueViolation: ERROR: duplicate key value violates unique constraint",
    "payment declined by the bank, code 51",
)
CLASSES = ("welcome_mail", "invoice", "thumbnail", "sync_stock", "export_orders", "digest")


def night(lines: int, job_count: int, row_count: int) -> Incident:
    """The incident of that size; `lines` are log lines, the others as they are named."""
    store = Store()
    parts = (
        ("app.log", Lane.LOG, "file", _logs(lines)),
        ("rq", Lane.QUEUE, "rq", job_events(job_count)),
        ("pg", Lane.DATABASE, "postgresql 15.18 (primary)", row_events(row_count)),
        ("prometheus", Lane.METRIC, "prometheus", _metrics()),
        ("deploys", Lane.CHANGE, "changes", _changes()),
    )
    for name, _, _, (events, keys) in parts:
        seen = Coverage(name, START, START + SPAN_S * SECOND_NS, Sight.FULL)
        store.add(Batch(name, events, keys, coverage=(seen,)))
    return Incident(
        Window(START + PIN_S * SECOND_NS, START, START + SPAN_S * SECOND_NS),
        store.snapshot(),
        sources=tuple(SourceInfo(name, lane, system) for name, lane, system, _ in parts),
        collected_at=START + (SPAN_S + 5) * SECOND_NS,
    )


def _logs(count: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Four lines a request; one in a hundred is an error, not always of a service's own peer."""
    number = pl.int_range(count, eager=True)
    frame = pl.DataFrame({"n": number}).with_columns(
        request=(pl.col("n") // 4).cast(pl.String),
        service=(pl.col("n") // 4 % 12).cast(pl.String),
        bad=pl.col("n") % 100 == 37,
        error=pl.Series(ERRORS).gather(number // 100 % len(ERRORS)),
    )
    body = (
        pl.when("bad")
        .then("error")
        .when(pl.col("n") % 4 == 0)
        .then(pl.format('"GET /products/{} HTTP/1.1" 200 {} 0.012', pl.col("n") % 997, "n"))
        .otherwise(pl.format("handled step {} of request_id=r{} in 12 ms", "n", "request"))
    )
    events = events_of(
        frame,
        timestamp=_spread(count),
        source="app.log",
        lane="log",
        kind="log",
        severity_number=pl.when("bad").then(17).otherwise(9),
        actor=pl.concat_str(pl.lit("service-"), "service"),
        body=body,
        seq=pl.col("n") * 80,
    )
    requests = frame.select(row="n", key=pl.concat_str(pl.lit("request:r"), "request"))
    users = frame.filter(pl.col("n") % 4 == 1).select(row="n", key=_numbered("user", 50_000))
    return events, keys_of(requests, users)


def job_events(count: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Jobs that are enqueued, started 0.1 s later and finished after another 0.1 s."""
    frame = pl.DataFrame({"n": pl.int_range(count, eager=True)}).with_columns(
        job=pl.col("n") // 3,
        step=pl.col("n") % 3,
        job_class=pl.Series(CLASSES).gather((pl.int_range(count, eager=True) // 3) % len(CLASSES)),
    )
    jobs = count // 3 + 1
    kinds = pl.Series(["job.enqueued", "job.started", "job.finished"])
    attributes = pl.format(
        '{"job_id": "j{}", "job_class": "{}", "queue": "q{}", "args": "user_id={}",'
        ' "worker": "worker-{}"}'.replace("{", "{{")
        .replace("}", "}}")
        .replace("{{}}", "{}"),
        "job",
        "job_class",
        pl.col("job") % 3,
        "job",
        pl.col("job") % 8,
    )
    events = events_of(
        frame,
        timestamp=START
        + pl.col("job") * (SPAN_S * SECOND_NS // jobs)
        + pl.col("step") * (SECOND_NS // 10),
        source="rq",
        lane="queue",
        kind=kinds.gather(frame.get_column("step")),
        actor=pl.concat_str(pl.lit("worker-"), (pl.col("job") % 8).cast(pl.String)),
        body="job_class",
        attributes=attributes,
        seq="n",
    )
    named = frame.select(row="n", key=pl.concat_str(pl.lit("job:j"), pl.col("job").cast(pl.String)))
    users = frame.select(row="n", key=pl.concat_str(pl.lit("user:"), pl.col("job").cast(pl.String)))
    return events, keys_of(named, users)


def row_events(count: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of `users` that are inserted once each."""
    frame = pl.DataFrame({"n": pl.int_range(count, eager=True)})
    pk = pl.col("n").cast(pl.String)
    attributes = pl.concat_str(
        pl.lit('{"table": "users", "pk": "'),
        pk,
        pl.lit('", "endpoint": "primary", "columns": {"state": "active"}}'),
    )
    events = events_of(
        frame,
        timestamp=_spread(count),
        meaning="transaction_start",
        precision="us",
        source="pg",
        lane="database",
        kind="row.inserted",
        actor="users",
        body=pl.concat_str(pl.lit("users "), pk, pl.lit(" inserted")),
        attributes=attributes,
        seq="n",
    )
    rows = frame.select(row="n", key=pl.concat_str(pl.lit("row:users/"), pk))
    users = frame.select(row="n", key=pl.concat_str(pl.lit("user:"), pk))
    return events, keys_of(rows, users)


def _metrics() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Memory of eight processes every fifteen seconds, level but for a little noise."""
    count = 8 * (SPAN_S // 15)
    frame = pl.DataFrame({"n": pl.int_range(count, eager=True)})
    value = 400_000_000 + (pl.col("n") * 7_919 % 1_000) * 10_000
    attributes = pl.concat_str(
        pl.lit('{"metric": "process_resident_memory_bytes", "instance": "worker-'),
        (pl.col("n") % 8).cast(pl.String),
        pl.lit('", "value": '),
        value.cast(pl.String),
        pl.lit("}"),
    )
    events = events_of(
        frame,
        timestamp=START + pl.col("n") // 8 * 15 * SECOND_NS,
        source="prometheus",
        lane="metric",
        kind="metric",
        actor=pl.concat_str(pl.lit("worker-"), (pl.col("n") % 8).cast(pl.String)),
        body=pl.lit("process_resident_memory_bytes"),
        attributes=attributes,
        seq="n",
    )
    return events, keys_of()


def _changes() -> tuple[pl.DataFrame, pl.DataFrame]:
    events = events_of(
        pl.DataFrame({"n": [0]}),
        timestamp=pl.lit(START + 300 * SECOND_NS),
        source="deploys",
        lane="change",
        kind="change",
        actor=pl.lit("service-3"),
        body=pl.lit("deployed service-3 v412"),
        seq="n",
    )
    return events, keys_of()


def _spread(count: int) -> pl.Expr:
    return START + pl.col("n") * (SPAN_S * SECOND_NS // count)


def _numbered(name: str, modulus: int) -> pl.Expr:
    return pl.concat_str(pl.lit(f"{name}:"), (pl.col("n") % modulus).cast(pl.String))


def events_of(frame: pl.DataFrame, **given: pl.Expr | pl.Series | str) -> pl.DataFrame:
    """`frame` as EVENT_SCHEMA: columns that are not given have their usual value.

    A text names a column of `frame` where there is one and is the value itself otherwise.
    """
    usual: dict[str, pl.Expr | pl.Series | str] = {
        "meaning": "occurred",
        "precision": "ms",
        "clock": "",
        "severity_number": pl.lit(0),
        "attributes": pl.lit(None),
        "ref": pl.lit(None),
        "file": pl.lit(None),
        "offset": pl.lit(None),
        "length": pl.lit(None),
    }
    told = usual | given
    columns = {
        name: pl.lit(value) if isinstance(value, str) and value not in frame.columns else value
        for name, value in told.items()
    }
    columns = {
        name: pl.col(value) if isinstance(value, str) else value for name, value in columns.items()
    }
    made = frame.select(**columns)
    return made.select(pl.col(name).cast(dtype) for name, dtype in EVENT_SCHEMA.items())


def keys_of(*pairs: pl.DataFrame) -> pl.DataFrame:
    """(row, key) pairs in the order of the rows."""
    empty = pl.DataFrame(schema=KEY_SCHEMA)
    typed = [
        frame.select(pl.col(name).cast(dtype) for name, dtype in KEY_SCHEMA.items())
        for frame in pairs
    ]
    return pl.concat([empty, *typed]).sort("row", maintain_order=True)
