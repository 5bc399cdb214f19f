"""From series to events: targets that went and came, alerts, restarts, points of a curve.

A scrape is a look: what it shows for the first time happened since the look before, so such an
event is `Meaning.POLLED` and its words name both looks. A point of a configured query was computed
for that instant from samples before it: `Meaning.DERIVED`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from connectors.prometheus.api import MILLISECOND_NS, Series
from connectors.queues.transitions import epoch_ns
from timeline.event import (
    SEVERITY_ERROR,
    SEVERITY_WARN,
    Event,
    Kind,
    Lane,
    Meaning,
    Precision,
    intrinsic_seq,
)
from timeline.window import SECOND_NS
from timeline.words import clock_face

ALERT_GAP_NS = 300 * SECOND_NS
"""ALERTS has a sample for every evaluation while it is active; Prometheus' lookback is 5 min."""
ONE_LINE_LABELS = ("alertname", "alertstate", "severity")


def target_events(source: str, series: Series) -> Iterator[Event]:
    """`up`: when a target stopped answering scrapes, and when it answered again."""
    before: tuple[int, str] | None = None
    for stamp, value in series.samples:
        if before is not None and value != before[1]:
            down = value == "0"
            word = "stopped answering" if down else "answers again"
            words = (
                f"{_target(series)} {word} (between two scrapes, "
                f"{clock_face(before[0])} and {clock_face(stamp)})"
            )
            yield _event(
                source,
                series,
                stamp,
                Kind.CHANGE,
                words,
                severity=SEVERITY_ERROR if down else 0,
                meaning=Meaning.POLLED,
                details={"last_scrape_before": before[0], "up": value},
            )
        before = (stamp, value)


def alert_events(source: str, series: Series, end: int) -> Iterator[Event]:
    """`ALERTS`: when each state of an alert was first and last evaluated.

    An alert that is still active at the last evaluation before `end` has no end.
    """
    runs: list[list[int]] = []
    for stamp, _ in series.samples:
        if runs and stamp - runs[-1][-1] <= ALERT_GAP_NS:
            runs[-1].append(stamp)
        else:
            runs.append([stamp])
    name = series.labels.get("alertname", "an alert")
    firing = series.labels.get("alertstate") == "firing"
    labels = series.words(*ONE_LINE_LABELS)
    about = f" ({labels})" if labels else ""
    for run in runs:
        severity = SEVERITY_ERROR if firing else SEVERITY_WARN
        began = f"alert {name} {'fires' if firing else 'is pending'}{about}"
        yield _event(
            source,
            series,
            run[0],
            Kind.CHANGE,
            began,
            severity=severity,
            meaning=Meaning.POLLED,
            details={"alert": name, "state": series.labels.get("alertstate", "")},
        )
        spacing = max(run[1] - run[0], SECOND_NS) if len(run) > 1 else ALERT_GAP_NS
        if run[-1] + min(2 * spacing, ALERT_GAP_NS // 2) < end:
            words = f"alert {name} no longer {'fires' if firing else 'pending'}{about}"
            details: dict[str, object] = {"alert": name, "last_evaluated": run[-1]}
            yield _event(
                source,
                series,
                run[-1],
                Kind.CHANGE,
                f"{words}; this was its last evaluation",
                meaning=Meaning.POLLED,
                details=details,
                part="end",
            )


def start_events(source: str, series: Series) -> Iterator[Event]:
    """`process_start_time_seconds`: each start that the samples tell of."""
    for value in dict.fromkeys(value for _, value in series.samples):
        stamp = epoch_ns(value, SECOND_NS)
        if stamp is not None:
            yield _event(
                source,
                series,
                stamp,
                Kind.CHANGE,
                f"{_target(series)} started",
                precision=Precision.MILLISECOND,
            )


def curve_events(source: str, name: str, series: Series) -> Iterator[Event]:
    """One event for every point of a configured query.

    The value stands before the labels: a row of the screen is cut at its end.
    """
    labels = series.words()
    whose = f" ({labels})" if labels else ""
    for stamp, value in series.samples:
        yield _event(
            source,
            series,
            stamp,
            Kind.METRIC,
            f"{name} = {value}{whose}",
            meaning=Meaning.DERIVED,
            details={"metric": name, "value": _number(value)},
            part=name,
        )


def _event(
    source: str,
    series: Series,
    stamp: int,
    kind: Kind,
    body: str,
    *,
    severity: int = 0,
    meaning: Meaning = Meaning.OCCURRED,
    precision: Precision = Precision.MILLISECOND,
    details: dict[str, object] | None = None,
    part: str = "",
) -> Event:
    told: dict[str, object] = {"labels": dict(series.labels), **(details or {})}
    for name in ("last_scrape_before", "last_evaluated"):
        if isinstance(at := told.get(name), int):
            told[name] = clock_face(at)
    ref = f"{series.name or part}{{{series.words()}}}{'#' if part else ''}{part}"
    ref += f"@{stamp // MILLISECOND_NS}"
    labels = series.labels
    return Event(
        timestamp=stamp,
        source=source,
        lane=Lane.METRIC,
        kind=kind,
        body=body,
        ref=ref,
        seq=intrinsic_seq(ref),
        severity_number=severity,
        actor=labels.get("service") or labels.get("job") or labels.get("alertname") or source,
        meaning=meaning,
        precision=precision,
        attributes=json.dumps(told, ensure_ascii=False),
    )


def _target(series: Series) -> str:
    job, instance = series.labels.get("job", ""), series.labels.get("instance", "")
    return f"{instance} of job {job}" if job and instance else instance or job or "a target"


def _number(value: str) -> float | None:
    """The value as JSON can hold it; None for NaN and the infinities, which the words still say."""
    try:
        number = float(value)
    except ValueError:
        return None
    return number if abs(number) != float("inf") and number == number else None
