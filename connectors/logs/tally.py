"""Counts of what was read and what was noticed; they add up over chunks and become remarks.

Every byte read is counted once: as part of an event, of an undated record, of an event outside
the window, or of lines that stand before the first record.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from timeline.batch import Remark


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one or more chunks. Bytes are bytes of (decompressed) log text."""

    bytes_read: int = 0
    event_bytes: int = 0
    undated_bytes: int = 0
    outside_bytes: int = 0
    orphan_bytes: int = 0
    events: int = 0
    orphan_lines: int = 0
    undated: int = 0
    broken: int = 0
    bad_utf8: int = 0
    zone_assumed: int = 0
    zone_ambiguous: int = 0
    year_guessed: int = 0
    bodies_cut: int = 0
    backward: int = 0
    """Places where a stamp is earlier than the one on the line before."""
    farthest_back: int = field(default=0, metadata={"largest": True})
    """The largest such step, ns."""

    def plus(self, other: Tally) -> Tally:
        values = {}
        for item in fields(self):
            mine, theirs = getattr(self, item.name), getattr(other, item.name)
            values[item.name] = max(mine, theirs) if "largest" in item.metadata else mine + theirs
        return Tally(**values)


def remarks_of(source: str, tally: Tally, reasons: dict[str, int]) -> tuple[Remark, ...]:
    """What the person must know about how the source was read; `reasons` counts undated records."""
    found: list[Remark] = []
    stamp = "time stamp"

    def say(topic: str, count: int, sentence: str) -> None:
        if count:
            found.append(Remark(source, topic, sentence, count))

    say(
        "zone-assumed",
        tally.zone_assumed,
        f"{_count(tally.zone_assumed, stamp)} without a zone, read as UTC; set zone for {source} "
        "if that is wrong",
    )
    say(
        "zone-ambiguous",
        tally.zone_ambiguous,
        f"{_count(tally.zone_ambiguous, stamp)} in the hour the zone repeats in autumn, read as "
        "the first pass; they may be one hour later",
    )
    say(
        "year-guessed",
        tally.year_guessed,
        f"{_count(tally.year_guessed, stamp)} without a year; the latest year not after the file's "
        "last change was taken",
    )
    say(
        "out-of-order",
        tally.backward,
        f"time goes backwards at {_count(tally.backward, 'line')}, "
        f"by up to {tally.farthest_back / 1e9:.3f} s; events are shown in time order",
    )
    for reason, count in sorted(reasons.items()):
        say("undated", count, f"{_count(count, 'record')} without a usable time: {reason}")
    say(
        "undated",
        tally.orphan_lines,
        f"{_count(tally.orphan_lines, 'line')} before the first record, part of none",
    )
    say(
        "broken-line",
        tally.broken,
        f"{_count(tally.broken, 'line')} of broken JSON, listed without a time",
    )
    say(
        "broken-line",
        tally.bad_utf8,
        f"{_count(tally.bad_utf8, 'line')} with bytes that are not UTF-8, shown as \ufffd",
    )
    say("body-cut", tally.bodies_cut, f"{_count(tally.bodies_cut, 'very long event')} shown cut")
    return tuple(found)


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
