"""What carriers of logs say of themselves: lines that they suppressed, dropped or could not send.

A journal, a shipper or a collector that loses lines usually says so in a line of its own, which is
carried on another way or before it gives up. Only what such a carrier writes is believed: services
drop messages, items and events of their own, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.facts.spoken import LOSS_MARKS, spoken_with

if TYPE_CHECKING:
    from timeline.incident import Incident

CARRIERS = (
    r"(?i)journal|rsyslog|syslog|fluent|logstash|filebeat|vector|promtail|alloy|loki|otel|collector"
    r"|nxlog|cribl|logdna|datadog|dd-agent|splunk|graylog|kubelet|awslogs|cloudwatch"
)
"""Journals, shippers and collectors, by what they are called as a writer, a source or a host."""
_WHAT = r"(?:messages?|lines?|entries|events?|records?|logs?|chunks?|batch(?:es)?|data|spans?)"
_DONE = r"(?:suppress|drop|discard|lost|los[et]|missed|reject|overflow|throttl)"
LOST = (
    rf"(?i)\b{_DONE}\w*\b.{{0,60}}\b{_WHAT}\b|\b{_WHAT}\b.{{0,60}}\b{_DONE}"
    r"|overlimit|rate[- ]?limit|buffer is full"
)
NOTHING_LOST = r"(?i)\b(?:no|0) (?:messages?|lines?|entries|events?|records?)\b"
NUMBER = rf"(?i)\b(\d[\d,._]*)\s+(?:\w+ )?{_WHAT}\b|(?:count|dropped|lost|suppressed)\w*[=: ]+(\d+)"
WHOSE = (
    r"(?i)\b(?:from|of|unit|for|by)[ =:'\"]+([A-Za-z][\w@.-]{2,60}?)(?:\.service|\.scope)?['\"]?"
    r"(?:[\s,;)]|$)"
)
"""Whose lines they were, where the carrier says it."""
REPEATED = 3
MANY = 500
"""So many lines that are lost, or so often, is more than the burst that every limit cuts now and
then."""


@dataclass(frozen=True, slots=True)
class LostLines:
    """What `carrier` on `place` says that it lost, in time order of `rows`; `number` lines in all
    where it counts them, `whose` where it names one writer. Instants in ns UTC."""

    carrier: str
    place: str
    whose: str
    number: int
    began: int
    ended: int
    rows: tuple[int, ...]

    @property
    def often(self) -> bool:
        return len(self.rows) >= REPEATED or self.number >= MANY


def lost_lines(incident: Incident) -> list[LostLines]:
    """By the first time a carrier says so."""
    told = spoken_with(incident, LOSS_MARKS)
    if told.is_empty():
        return []
    told = told.filter(
        (pl.col("timestamp") >= incident.window.start)
        & pl.any_horizontal(pl.col("actor", "source").str.contains(CARRIERS))
        & pl.col("body").str.contains(LOST)
        & ~pl.col("body").str.contains(NOTHING_LOST)
    )
    if told.is_empty():
        return []
    numbers = [pl.col("body").str.extract(NUMBER, group) for group in (1, 2)]
    counted = pl.coalesce(numbers).str.replace_all(r"[,._]", "").cast(pl.Int64, strict=False)
    named = told.with_columns(
        number=counted.fill_null(0), whose=pl.col("body").str.extract(WHOSE, 1).fill_null("")
    )
    found = []
    for (carrier, place, whose), part in named.group_by(
        "actor", "clock", "whose", maintain_order=True
    ):
        found.append(
            LostLines(
                carrier=str(carrier),
                place=str(place),
                whose=str(whose),
                number=int(part["number"].sum()),
                began=int(part["timestamp"][0]),
                ended=int(part["timestamp"][-1]),
                rows=tuple(part["row"].to_list()),
            )
        )
    return found
