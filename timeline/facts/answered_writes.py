"""The answer of the request that wrote a row: from then on the row was there for everybody.

A service answers a form after its transaction, as a rule; one that answers first and commits later
exists, so that an answer makes it likely and not certain that the row was committed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.event import PRECISION_NS, Event
from timeline.facts.entities import pairs_of_type
from timeline.facts.lines import keyed_lines
from timeline.facts.pushes import WRITE_SLACK_NS
from timeline.facts.records import LONGEST_TRANSACTION_NS
from timeline.order import Order, Verdict, before

if TYPE_CHECKING:
    from timeline.facts.records import Record
    from timeline.incident import Incident

ANSWERED = r"(?i)\b[23]\d\d\b|\b(?:completed|finished|responded|answered)\b"
"""How a service logs that it has answered a request with success."""
_UNITS = {precision.value: length_ns for precision, length_ns in PRECISION_NS.items()}


def answered_write(incident: Incident, record: Record, event: Event) -> tuple[Event, Order] | None:
    """The last line before `event` of the request that wrote the row, when it says that it
    succeeded, and how sure it is that the row was there at `event`: likely at most."""
    created = record.created
    if created is None:
        return None
    snapshot = incident.snapshot
    about = snapshot.keys_of(snapshot.rows_with([record.record, *_owner(incident, record)]))
    near = snapshot.events.get_column("timestamp").gather(about.get_column("row"))
    about = about.filter((near - created).abs() <= LONGEST_TRANSACTION_NS)
    rows = about.get_column("row").unique()
    held = snapshot.keys_of(rows)
    named = pl.concat([pairs_of_type(held, name) for name in ("request", "trace")])
    requests = named.get_column("key").unique()
    lines = keyed_lines(incident, requests.to_list())
    lines = lines.filter((pl.col("lane") == "log") & (pl.col("timestamp") <= event.timestamp))
    # Whoever began a request answers it; a job may go on under its name elsewhere.
    lines = lines.filter(pl.col("actor") == pl.col("actor").first().over("key"))
    spans = lines.group_by("key").agg(
        first=pl.col("timestamp").min(),
        row=pl.col("row").sort_by("timestamp", "row").last(),
        last=pl.col("timestamp").max(),
        body=pl.col("body").sort_by("timestamp", "row").last(),
    )
    # A stamp in milliseconds stands at the beginning of its own; the row's has microseconds.
    precision = snapshot.events.get_column("precision").gather(spans.get_column("row"))
    unit = precision.cast(pl.String).replace_strict(_UNITS, return_dtype=pl.Int64)
    spans = (
        spans.with_columns(until=pl.col("last") + unit - 1)
        .filter(
            (pl.col("first") - WRITE_SLACK_NS <= created)
            & (pl.col("until") >= created)
            & pl.col("body").str.contains(ANSWERED)
        )
        .sort("last", "key")
    )
    if spans.is_empty():
        return None
    answer = snapshot.event(spans["row"][0])
    order = before(answer, event, incident.clocks)
    if order.verdict is None:
        return None
    if order.verdict is Verdict.CERTAIN:
        order = Order(Verdict.LIKELY, "the request that wrote it had been answered")
    return answer, order


def _owner(incident: Incident, record: Record) -> tuple[str, ...]:
    return incident.key_rules.row_keys(record.table, record.pk)
