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
    r"SIGKILL|SIGSEGV|SIGABRT|SIGBUS|OOM[ -]?[Kk]ill|[Oo]ut of memory: Kill"
    r"|Memory cgroup out of memory|\boom-kill\b|invoked oom-killer|TaskOOM event"
    r"|\bsignal[ :=]+(?:9|11)\b|signal: killed|status=(?:9/KILL|11/SEGV|6/ABRT)"
    r"|code=(?:killed|dumped)|killed by (?:signal|the kernel|the OOM)|systemd-oomd killed"
    r"|[Ee]xit(?:ed)?(?: with)?[ _]?(?:[Cc]ode|[Ss]tatus)[\"']?[:=]? ?\(?(?:137|139)\b"
    r"|exitCode[\"']?[:=] ?(?:137|139)\b"
    r"|WORKER TIMEOUT \(pid|[Ee]xited prematurely|Hard time limit|Segmentation fault|segfault at"
    r"|Terminating timed out worker|timeout \(\d+s > \d+s\), killing|DAMN ! worker"
    r"|JavaScript heap out of memory|Reached heap limit Allocation failed"
    r"|Terminating due to java\.lang\.OutOfMemoryError|detected by the Java Runtime Environment"
    r"|fatal error: runtime: out of memory|memory allocation of \d+ bytes failed"
    r"|eheap_alloc: Cannot allocate|\(stop\) killed|\(EXIT from [^)]*\) killed"
    r"|Allowed memory size of \d+ bytes exhausted|Memory quota vastly exceeded"
    r"|node was low on resource: memory|OutOfMemoryError: Container killed"
)
"""Linux (oom_kill.c), systemd, containerd and Kubernetes, gunicorn, Puma, Unicorn, uWSGI, billiard,
supervisord; how Node, the JVM, Go, Rust, the BEAM and PHP end when memory does; Heroku and ECS."""
MEMORY = re.compile(
    r"OOM[ -]?kill|out of memory|OutOfMemory|heap limit|memory allocation of|Cannot allocate"
    r"|Allowed memory size|TaskOOM|oomd|Memory quota|resource: memory|killed by the OOM",
    re.IGNORECASE,
)
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
    host: str = ""
    """Whose clock stamped the line, where it is a host's: the machine or pod it is about."""

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
        pl.when(pl.col("clock").cast(pl.String) != pl.col("source").cast(pl.String))
        .then(pl.col("clock").cast(pl.String))
        .fill_null("")
        .alias("host"),
    )
    return tuple(Kill(*line) for line in lines.iter_rows())


def is_on_host_of(kill: Kill, worker: str, host: str) -> bool:
    """Whether the line is of the machine or pod of `worker`: stamped on it, or naming it.

    A line that was collected elsewhere is believed by the name in it.
    """
    named = rf"(?<![\w.-]){re.escape(host)}(?![\w-])"
    if _TELLING.fullmatch(host) and re.search(named, kill.body):
        return True
    if not kill.host:
        return False
    return kill.host == host or re.match(rf"{re.escape(kill.host)}(?![\w-])", worker) is not None


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
