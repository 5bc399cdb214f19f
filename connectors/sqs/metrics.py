"""What CloudWatch keeps of a queue, as dated events: one a period that holds anything.

A datapoint's stamp is the beginning of its period; what it counts happened within it. Sources:
"Available CloudWatch metrics for Amazon SQS", "CloudWatch metrics retention", AWS documentation.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from connectors.answers import at, items
from connectors.logs.jsonshape import JsonValue
from connectors.queues.transitions import epoch_ns
from timeline.event import SEVERITY_WARN, Event, Kind, Lane, Precision, intrinsic_seq
from timeline.window import MINUTE_NS, SECOND_NS, Window

Series: TypeAlias = dict[str, dict[int, float]]
"""Metric -> beginning of the period (ns UTC) -> value."""

DAY_NS = 24 * 60 * MINUTE_NS
PERIODS_S = ((15, 60), (63, 300), (455, 3_600))
"""Days that CloudWatch keeps datapoints of a period (s)."""
LATE_NS = 15 * MINUTE_NS
"""SQS' metrics may reach CloudWatch this late, and stop for a queue idle for six hours."""
COST = "GetMetricData costs about 0.01 USD for 1,000 metrics"

METRICS: Mapping[str, tuple[str, str]] = {
    "ApproximateNumberOfMessagesVisible": ("waiting", "Maximum"),
    "ApproximateNumberOfMessagesNotVisible": ("in flight", "Maximum"),
    "ApproximateNumberOfMessagesDelayed": ("delayed", "Maximum"),
    "ApproximateAgeOfOldestMessage": ("oldest (s)", "Maximum"),
    "NumberOfMessagesSent": ("sent", "Sum"),
    "NumberOfMessagesReceived": ("received", "Sum"),
    "NumberOfMessagesDeleted": ("deleted", "Sum"),
    "NumberOfEmptyReceives": ("empty receives", "Sum"),
}
"""Metric -> word and statistic: the worst level of a period, the sum of what was counted."""
VISIBLE, IN_FLIGHT, _DELAYED, OLDEST, SENT, RECEIVED, DELETED, EMPTY = METRICS


def period_s(window: Window, now: int) -> int:
    """The finest period that CloudWatch still keeps of the window's beginning (s)."""
    age = now - window.start
    return next((period for days, period in PERIODS_S if age < days * DAY_NS), PERIODS_S[-1][1])


def samples_of(
    source: str, queue: str, series: Series, window: Window, period: int
) -> Iterator[Event]:
    """One event a period inside `window`, from whatever metrics it has."""
    stamps = sorted({stamp for values in series.values() for stamp in values})
    for stamp in stamps:
        if window.contains(stamp):
            values = {name: int(own[stamp]) for name, own in series.items() if stamp in own}
            yield _sample(source, queue, stamp, values, period)


def _sample(source: str, queue: str, stamp: int, values: Mapping[str, int], period: int) -> Event:
    shown = [
        f"{value} {METRICS[name][0]}"
        for name, value in values.items()
        if value or name in (VISIBLE, IN_FLIGHT)
    ]
    returned = values.get(RECEIVED, 0) > 0 and DELETED in values and values[DELETED] == 0
    words = f"{queue}: {', '.join(shown) or 'nothing'} in {period} s"
    if returned:
        words += "; received and not deleted: the work fails or takes longer than it may"
    ref = f"AWS/SQS/{queue}@{stamp // SECOND_NS}"
    details: dict[str, object] = {
        "queue": queue,
        "depth": values.get(VISIBLE),
        "running": values.get(IN_FLIGHT),
        "oldest_s": values.get(OLDEST),
        "sent": values.get(SENT),
        "received": values.get(RECEIVED),
        "deleted": values.get(DELETED),
        "empty_receives": values.get(EMPTY),
        "interval_s": period,
    }
    return Event(
        timestamp=stamp,
        source=source,
        lane=Lane.QUEUE,
        kind=Kind.METRIC,
        body=words,
        ref=ref,
        seq=intrinsic_seq(ref),
        severity_number=SEVERITY_WARN if returned else 0,
        actor=queue,
        clock="CloudWatch",
        precision=Precision.MINUTE,
        attributes=json.dumps({k: v for k, v in details.items() if v is not None}),
    )


def question(names: Iterable[str], window: Window, period: int) -> dict[str, JsonValue]:
    """The parameters of one GetMetricData, aligned to whole periods."""
    start = window.start // SECOND_NS // period * period
    end = -(-window.end // SECOND_NS // period) * period
    queries: list[JsonValue] = []
    for number, name in enumerate(names):
        for metric, (words, statistic) in METRICS.items():
            dimension: JsonValue = {"Name": "QueueName", "Value": name}
            what: JsonValue = {
                "Namespace": "AWS/SQS",
                "MetricName": metric,
                "Dimensions": [dimension],
            }
            stat: JsonValue = {"Metric": what, "Period": period, "Stat": statistic}
            queries.append({"Id": f"q{number}_{metric}", "MetricStat": stat, "Label": words})
    return {"MetricDataQueries": queries, "StartTime": start, "EndTime": end}


def values_of(result: JsonValue) -> dict[int, float]:
    """Stamp (ns UTC, the beginning of the period) -> value."""
    found = {}
    stamps, values = items(at(result, "Timestamps")), items(at(result, "Values"))
    for stamp, value in zip(stamps, values, strict=False):
        if isinstance(stamp, int | float) and isinstance(value, int | float):
            nanoseconds = epoch_ns(stamp, SECOND_NS)
            if nanoseconds is not None:
                found[nanoseconds] = float(value)
    return found
