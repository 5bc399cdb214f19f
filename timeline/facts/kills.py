"""Lines that tell that a process was killed, and whether they are about a given worker.

Log text is read only in the stretches asked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane

if TYPE_CHECKING:
    from timeline.incident import Incident

KILL_LINE = (
    r"SIGKILL|SIGSEGV|OOMKill|[Oo]ut of memory: Kill|Memory cgroup out of memory"
    r"|\bsignal (?:9|11)\b|status=9/KILL|code=(?:killed|dumped)"
    r"|[Ee]xit(?:ed)?(?: with)? (?:code|status):? ?\(?(?:137|139)\b"
    r"|WORKER TIMEOUT \(pid|[Ee]xited prematurely|Hard time limit|Segmentation fault"
)
"""Linux (oom_kill.c), systemd, Kubernetes container states, gunicorn, billiard, supervisord."""
MEMORY = re.compile(r"OOMKill|out of memory", re.IGNORECASE)
"""No planned stop runs out of memory."""
INFO_SEVERITY = 9
"""No supervisor, kernel or kubelet tells of a kill as a mere INFO; 0 is a line without one."""
_TELLING = re.compile(r"(?=.*\d)\S{2,}")
"""`worker` and `default` stand in too many lines by chance; a name with a figure does not."""
_PID = re.compile(r"(?i)\b(?:pid[:= ]*|process )(\d{2,})")


@dataclass(frozen=True, slots=True)
class Kill:
    """One such line, or one of a stop; `timestamp` in ns UTC by the clock of whoever noticed."""

    row: int
    timestamp: int
    actor: str
    body: str

    @property
    def by_memory(self) -> bool:
        return MEMORY.search(self.body) is not None


def kill_lines(incident: Incident, spans: Sequence[tuple[int, int]]) -> tuple[Kill, ...]:
    """Kill lines in any of `spans` (first and last ns), oldest first. Reads no other text."""
    snapshot = incident.snapshot
    reach = first = 0
    parts = []
    for start, end in sorted(spans):
        first = max(snapshot.position_at(start), reach)
        reach = max(snapshot.position_at(end + 1), reach)
        if reach > first:
            parts.append(snapshot.order.slice(first, reach - first))
    if not parts:
        return ()
    rows = pl.concat(parts)
    lane, severity = (
        snapshot.events.get_column(name).gather(rows) for name in ("lane", "severity_number")
    )
    unusual = (severity == 0) | (severity > INFO_SEVERITY)
    rows = rows.filter((lane == Lane.LOG.value) & unusual)
    struck = snapshot.events.get_column("body").gather(rows).str.contains(KILL_LINE)
    rows = rows.filter(struck.fill_null(value=False))
    lines = snapshot.events[rows].select(
        pl.lit(rows).alias("row"),
        "timestamp",
        pl.col("actor").cast(pl.String).fill_null(""),
        "body",
    )
    return tuple(Kill(*line) for line in lines.iter_rows())


def is_same_worker(kill: Kill, worker: str, host: str) -> bool:
    """Whether the line is about `worker`: by its name, its host (a pod) or a pid in its name."""
    if not worker:
        return False
    pids = set(re.findall(r"(?<![0-9A-Za-z])\d{2,}(?![0-9A-Za-z])", worker))
    if pids and (struck := _PID.findall(kill.body)):
        return bool(pids.intersection(struck))
    first, at, rest = worker.partition(" ")[0].partition("@")
    place = (rest if at else first).partition(":")
    names = {worker, host, place[0] if at or place[1] else ""}
    if kill.actor.partition("/")[0] in names - {""}:
        return True
    telling = [re.escape(name) for name in names if _TELLING.fullmatch(name)]
    named = rf"(?<![\w.-])(?:{'|'.join(telling)})(?![\w-])"
    return bool(telling) and re.search(named, kill.body) is not None
