"""The samples that the management plugin keeps in memory, as dated events: RabbitMQ's only past.

A level (ready, unacknowledged, bytes of memory) is as the queue last reported it; a counter is
told as its increase since the sample before. Stamps are the broker's clock on a grid of whole
seconds: what a sample shows happened no later (`Meaning.POLLED`). Samples from before a node
started, or a queue existed, come as zeros and are no evidence: they are dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from connectors.answers import at, items, whole
from connectors.logs.jsonshape import JsonValue
from connectors.rabbitmq.measured import Sample, measured
from timeline.event import SEVERITY_WARN, Event
from timeline.window import SECOND_NS, Window

MILLISECOND_NS = 1_000_000
INTERVALS_S = {600: 5, 3_600: 60, 28_800: 600, 86_400: 1_800}
"""Age -> distance of the samples (s): `sample_retention_policies` by default (RabbitMQ 3.10)."""
DEFAULT_AGES_S = (600, 3_600)
"""What queues have by default (`basic`); the overview states what this broker keeps."""
POINTS = 120
"""Samples asked for of an age that is not one of the usual ones."""

LEVELS = {"ready": "messages_ready", "unacked": "messages_unacknowledged"}
COUNTERS = {"published": "publish", "delivered": "deliver_get", "acked": "ack"}
REDELIVERED = "redeliver"
"""Given to a consumer again: it said no, or its connection was lost (RabbitMQ, "Consumers")."""
CHURN = {"opened": "connection_created", "closed": "connection_closed"}

Series = Mapping[int, int]
"""Stamp (ns UTC) -> value."""


@dataclass(frozen=True, slots=True)
class Grid:
    """One of the resolutions that samples are kept in."""

    age_s: int
    step_s: int

    @property
    def lengths(self) -> dict[str, int]:
        """Parameters that ask for the samples of queues, rates, and connections that came or went.

        The overview gives the last only when lengths and rates are asked for together (3.10).
        """
        return {
            f"{what}_{name}": value
            for what in ("lengths", "msg_rates")
            for name, value in (("age", self.age_s), ("incr", self.step_s))
        }

    @property
    def nodes(self) -> dict[str, int]:
        return {"node_stats_age": self.age_s, "node_stats_incr": self.step_s}


@dataclass(frozen=True, slots=True)
class Stretch:
    """The part of a window that one grid serves: `[start, end)`, ns UTC."""

    grid: Grid
    start: int
    end: int

    def contains(self, stamp: int) -> bool:
        return self.start <= stamp < self.end


def sample_columns() -> tuple[str, ...]:
    """Columns of a queue that hold its samples."""
    levels = [f"{name}_details.samples" for name in LEVELS.values()]
    counters = [*COUNTERS.values(), REDELIVERED]
    return (*levels, *(f"message_stats.{name}_details.samples" for name in counters))


def stretches(window: Window, now: int, born: int, ages_s: Sequence[int]) -> list[Stretch]:
    """Which samples serve which part of the window, the finest (and most perishable) first.

    `born` (ns UTC) is when the oldest node started: memory before it is gone. A grid is asked for
    no further back than the window needs.
    """
    found = []
    newest = now + SECOND_NS
    for age_s in sorted(ages_s):
        step_s = INTERVALS_S.get(age_s, max(age_s // POINTS, 1))
        kept_from = max(now - (age_s - step_s) * SECOND_NS, born)
        start, end = max(window.start, kept_from), min(window.end, newest)
        if start < end:
            needed = (now - start) // SECOND_NS + 2 * step_s
            age = min(age_s, -(-needed // step_s) * step_s)
            found.append(Stretch(Grid(age, step_s), start, end))
        newest = min(newest, kept_from)
    return found


def series(holder: JsonValue, name: str) -> Series:
    """The samples of one column."""
    found = {}
    for sample in items(at(holder, f"{name}_details", "samples")):
        stamp, value = whole(at(sample, "timestamp")), at(sample, "sample")
        if stamp > 0 and isinstance(value, int | float):
            found[stamp * MILLISECOND_NS] = int(value)
    return found


def increases(counter: Series) -> Series:
    """How much was counted since the sample before. A restart sets counters to zero."""
    stamps = sorted(counter)
    steps = {after: counter[after] - counter[before] for before, after in pairwise(stamps)}
    return {stamp: step for stamp, step in steps.items() if step > 0}


def queue_samples(
    source: str, queue: JsonValue, title: str, ref: str, stretch: Stretch
) -> Iterator[Event]:
    """One event a sample of a queue, from just before its first sign of life on."""
    levels = {name: series(queue, column) for name, column in LEVELS.items()}
    stats = at(queue, "message_stats")
    rises = {name: increases(series(stats, column)) for name, column in COUNTERS.items()}
    redelivered = increases(series(stats, REDELIVERED))
    signs = [stamp for values in levels.values() for stamp, level in values.items() if level]
    signs += [stamp for steps in (*rises.values(), redelivered) for stamp in steps]
    if not signs:
        return
    first = min(signs) - stretch.grid.step_s * SECOND_NS
    for stamp in sorted(levels["ready"]):
        if stamp < first or not stretch.contains(stamp):
            continue
        ready, unacked = levels["ready"][stamp], levels["unacked"].get(stamp, 0)
        counts = {name: steps.get(stamp, 0) for name, steps in rises.items()}
        counts["redelivered"] = redelivered.get(stamp, 0)
        moved = [f"{count} {name}" for name, count in counts.items() if count]
        words = f"{title}: {ready} ready, {unacked} unacked"
        if moved:
            words += f"; {', '.join(moved)} in {stretch.grid.step_s} s"
        details = {"queue": title, "depth": ready, "running": unacked, **counts}
        details["interval_s"] = stretch.grid.step_s
        again = SEVERITY_WARN if counts["redelivered"] else 0
        yield measured(source, title, Sample(f"{ref}@{stamp}", stamp, words, details, again))


def churn_samples(source: str, overview: JsonValue, stretch: Stretch) -> Iterator[Event]:
    """Connections opened and closed between two samples; quiet stretches have no event."""
    churn = at(overview, "churn_rates")
    steps = {name: increases(series(churn, column)) for name, column in CHURN.items()}
    for stamp in sorted({stamp for found in steps.values() for stamp in found}):
        if stretch.contains(stamp):
            counts = {name: found.get(stamp, 0) for name, found in steps.items()}
            moved = " and ".join(f"{count} {name}" for name, count in counts.items() if count)
            words = f"connections: {moved} in {stretch.grid.step_s} s"
            told = {**counts, "interval_s": stretch.grid.step_s}
            ref = f"overview/churn@{stamp}"
            yield measured(source, "connections", Sample(ref, stamp, words, told))


def memory_samples(source: str, node: JsonValue, name: str, stretch: Stretch) -> Iterator[Event]:
    """Samples in which a node had less memory or disk left than it allows itself.

    It then stops reading from connections that publish (RabbitMQ, "Memory and Disk Alarms"). The
    limit is today's: nobody keeps the one of then.
    """
    used, limit = series(node, "mem_used"), whole(at(node, "mem_limit"))
    free, least = series(node, "disk_free"), whole(at(node, "disk_free_limit"))
    short = {s: f"{v >> 20} MiB in use, limit {limit >> 20}" for s, v in used.items() if v > limit}
    full = {s: f"{v >> 20} MiB free, limit {least >> 20}" for s, v in free.items() if 0 < v < least}
    for what, found in (("memory", short if limit else {}), ("disk", full)):
        for stamp in sorted(found):
            if stretch.contains(stamp):
                words = f"{name}: {what} beyond the limit that holds up publishers: {found[stamp]}"
                ref = f"nodes/{name}#{what}@{stamp}"
                details = {"node": name, "alarm": what, "interval_s": stretch.grid.step_s}
                yield measured(source, name, Sample(ref, stamp, words, details, SEVERITY_WARN))
