"""Read log text through the whole loader and keep what came out, in total order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from connectors.logs.load import WindowLoad
from connectors.logs.sources import Settings, open_source
from connectors.logs.tally import Tally
from connectors.logs.zones import ZoneRule
from timeline.batch import Remark
from timeline.coverage import Coverage
from timeline.event import Event
from timeline.keys import KeyRules
from timeline.store import Store
from timeline.window import Budget, Window

T0 = 1_773_454_049_110_000_000
"""2026-03-14 02:07:29.110 UTC, the instant of every example in the format table."""
HOUR_NS = 3_600 * 1_000_000_000
WIDE = Window(T0, T0 - 48 * HOUR_NS, T0 + 48 * HOUR_NS)


@dataclass(frozen=True)
class Loaded:
    """Everything one load handed over."""

    events: list[Event]
    undated: list[dict[str, str]]
    remarks: list[Remark]
    coverage: list[Coverage]
    tally: Tally

    def topics(self) -> dict[str, int]:
        """Remark counts by topic."""
        found: dict[str, int] = {}
        for remark in self.remarks:
            found[remark.topic] = found.get(remark.topic, 0) + remark.count
        return found

    def reasons(self) -> list[str]:
        return [row["reason"] for row in self.undated]


def load(
    *paths: Path | str,
    window: Window = WIDE,
    zone: str | None = None,
    service: str = "",
    format_name: str | None = None,
    budget: Budget | None = None,
) -> Loaded:
    """Load files as the source `logs`."""
    names = tuple(str(path) for path in paths)
    opened = open_source("logs", Settings(names, ZoneRule.named(zone), service, format_name))
    store = Store()
    try:
        work = WindowLoad("logs", opened, KeyRules(), window, budget or Budget())
        for batch in work.batches():
            store.add(batch)
    finally:
        opened.close()
    snapshot = store.snapshot()
    return Loaded(
        snapshot.in_order(0, len(snapshot)),
        snapshot.undated.to_dicts(),
        list(snapshot.remarks),
        list(snapshot.coverage.entries),
        work.tally,
    )


def write(folder: Path, name: str, *lines: str) -> Path:
    """A log file with a line break after every line."""
    path = folder / name
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path
