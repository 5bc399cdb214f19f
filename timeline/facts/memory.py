"""How much memory processes held, and how much they may hold: curves, and lines that say so.

Owns which curves and which wordings are memory, the limit that belongs to each, and when the
process behind one began anew. Decides nothing about leaks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Kind
from timeline.facts.heap_lines import heaps
from timeline.facts.hinted_lines import MEMORY_HINT, hinted_lines
from timeline.facts.series import points_of

if TYPE_CHECKING:
    from timeline.incident import Incident

MEMORY = r"(?i)\brss\b|_rss|resident|working_set|mem(?:ory)?(?:_|\b)|heap|java_lang_memory"
"""process_resident_memory_bytes, container_memory_working_set_bytes, container_memory_rss,
go_memstats_heap_inuse_bytes, jvm_memory_used_bytes, and what people call their own queries."""
NOT_USED = (
    r"(?i)limit|max|total|available|avail|free|cache|buffer|swap|virtual|request|committed|percent"
    r"|ratio|quota|rate|node_memory|fail|alloc_bytes_total"
)
"""Limits, page cache, virtual sizes and the memory of a whole host say nothing of one process."""
LIMIT = (
    r"(?i)mem\w*limit|limit\w*mem|spec_memory_limit|memory_max_bytes|resource_limits|maxmemory"
    r"|heap_?(?:size_)?(?:limit|max)|memory (?:limit|max)"
)
NO_LIMIT = r"(?i)used|usage|requests"
BIGGEST_LIMIT = 2**50
"""A container without a limit reports one of 2^63 bytes; no machine has a pebibyte."""
NAMES = ("pod", "container", "instance", "name", "service", "job")
"""Labels that tell which process a curve is about, the narrowest first."""

LINE_USED = (
    r"(?i)\b(?:memory(?: usage| used| in use| size| footprint)?|rss(?: memory| size)?|maxrss|heap)"
    r"(?:_bytes|_mb)?\"?(?: is| at|:|=| now)? ?\"?(\d{1,12}(?:\.\d{1,3})?) ?"
    r"([kmg]i?b?\b|bytes\b|b\b)"
)
LINE_LIMIT = (
    r"(?i)(?:\bof\b|/|\blimit(?:ed to)?\b[=: ]*|\bmax\b[=: ]*) ?(\d{1,12}(?:\.\d{1,3})?) ?"
    r"([kmg]i?b?\b|bytes\b|b\b)"
)
"""`memory 812 MB of 1024 MB`, `RSS: 812MB (limit 1024MB)`, `rss=812M`."""
UNITS = {"b": 1, "bytes": 1, "k": 2**10, "m": 2**20, "g": 2**30}
MAX_LINES = 20_000

STARTED = (
    r"(?i)\b(?:started|booted|starting (?:up|worker|server|process|application)|boot(?:ing|s)?"
    r"|ready|listening (?:on|at)|responding at|serving on|is (?:now )?(?:up|running)"
    r"|running\b.{0,60}\b(?:endpoint|server|with)|up and running|initiali[sz]ed"
    r"|gestartet|bereit|hochgefahren|démarrée?|prête?|iniciad[oa]|listo|pronto|avviato|gestart)\b"
)
"""What a process says when it begins, in many frameworks and languages, and what Prometheus'
connector says of it. The words are wide: they are read within a minute of a fall, of that process,
and never in lines that carry the id of a request or a job."""
_WORK = (
    r"(?:job|task|batch|import|export|sync|synchroni[sz]ation|backup|refresh|reload|rebuild|run|scan"
    r"|cycle|iteration|pass|sweep|round|compaction|vacuum|checkpoint|index(?:ing)?|crawl|upload"
    r"|download|report|snapshot|transaction|request|query|collection|cleanup|warm-?up|poll(?:ing)?"
    r"|flush|rotation|processing|lauf|abgleich|sicherung|auftrag|bericht|tâche|importation|tarea"
    r"|importación|lote|tarefa|importação|importazione)"
)
WORK_BEGUN = (
    rf"(?i)\b{_WORK}s?(?: (?:no\.? ?)?\S*\d\S*)?"
    r"(?: (?:of|for|from|to|von|für|de|des|del|di)\b.{1,60}?)?"
    r" (?:(?:has|is|was|were|are|just|now|been|wurde|wird|ist|est|está) ){0,3}"
    r"(?:started|ready|running|initiali[sz]ed|gestartet|bereit|démarrée?|prête?|iniciad[oa]|listo"
    r"|pronto|avviat[oa])\b"
    rf"|\b(?:started|starting) (?:(?:a|an|the|new|next) ){{0,2}}{_WORK}"
    r"(?:$|[,;:!)]| [(#\d]| (?:no|of|for|from|to|with|at|in)\b)"
)
"""What a process begins within its life, in the same verbs: an import that has started is no
process that has."""
WORK_KEYS = r"^(?:request|trace|job|message):"
PORT = re.compile(r":\d{1,5}$")


@dataclass(frozen=True)
class MemoryCurve:
    """Memory of one process over time; `points` is (row, timestamp, value in bytes), time order.

    `limit` is bytes, None where nobody tells one. `who` is the name that its own labels give.
    """

    source: str
    series: str
    actor: str
    who: str
    points: pl.DataFrame
    limit: float | None
    told_by: str

    @property
    def host(self) -> str:
        """`who` without the port that it is scraped at: as logs name the machine or the pod."""
        return PORT.sub("", self.who)


def memory_curves(incident: Incident) -> tuple[MemoryCurve, ...]:
    """Every curve of a process' memory, by source and name."""
    used = points_of(incident, MEMORY, NOT_USED)
    limits = points_of(incident, LIMIT, NO_LIMIT)
    found = []
    for _, part in used.group_by(["source", "series"], maintain_order=True):
        who = part.head(1).select(_who()).item()
        found.append(
            MemoryCurve(
                part["source"][0],
                part["series"][0],
                part["actor"][0],
                who,
                part.select("row", "timestamp", "value"),
                _limit_of(part, limits, who),
                part["measure"][0],
            )
        )
    return (*found, *_from_lines(incident), *_from_collectors(incident))


def _who() -> pl.Expr:
    labels = (pl.col("labels").str.json_path_match(f"$.{name}") for name in NAMES)
    return pl.coalesce(*labels, pl.col("actor"))


def _limit_of(part: pl.DataFrame, limits: pl.DataFrame, who: str) -> float | None:
    """The limit whose curve is about the same process: the same narrowest label."""
    if limits.is_empty():
        return None
    same = limits.with_columns(who=_who()).filter(
        (pl.col("source") == part["source"][0])
        & (pl.col("who") == who)
        & pl.col("value").is_between(1, BIGGEST_LIMIT)
    )
    smallest = same.get_column("value").min()
    return float(smallest) if isinstance(smallest, float) else None


def _from_lines(incident: Incident) -> list[MemoryCurve]:
    """Curves that processes log about themselves, by source, actor and, of several, the host."""
    lines = hinted_lines(incident, MEMORY_HINT).head(MAX_LINES)
    if lines.is_empty():
        return []
    told = lines.with_columns(
        pl.col("source", "actor", "clock").cast(pl.String),
        value=_bytes(LINE_USED),
        limit=_bytes(LINE_LIMIT),
    ).drop_nulls("value")
    hosts = pl.col("clock").n_unique().over("source", "actor")
    told = told.with_columns(who=pl.when(hosts > 1).then("clock").otherwise("actor"))
    return [
        MemoryCurve(
            str(source),
            f"log of {who or source}",
            str(actor),
            str(who or source),
            part.select("row", "timestamp", "value"),
            _only(part.get_column("limit")),
            "its own log",
        )
        for (source, actor, who), part in told.group_by(
            ["source", "actor", "who"], maintain_order=True
        )
    ]


def _from_collectors(incident: Incident) -> list[MemoryCurve]:
    """Curves of what collections left, by the host or pod whose collector tells them."""
    return [
        MemoryCurve(
            heap.source,
            f"collections of {heap.actor} on {heap.clock}",
            heap.actor,
            heap.clock,
            heap.points,
            heap.limit,
            "its collector's log",
        )
        for heap in heaps(incident)
    ]


def _bytes(pattern: str) -> pl.Expr:
    number = pl.col("body").str.extract(pattern, 1).cast(pl.Float64, strict=False)
    unit = pl.col("body").str.extract(pattern, 2).str.to_lowercase()
    letter = pl.when(unit == "bytes").then(pl.lit("b")).otherwise(unit.str.slice(0, 1))
    return number * letter.replace_strict(UNITS, default=None, return_dtype=pl.Float64)


def _only(limits: pl.Series) -> float | None:
    named = limits.drop_nulls().unique()
    return float(named[0]) if named.len() == 1 else None


def starts_around(incident: Incident, curve: MemoryCurve, first: int, last: int) -> pl.DataFrame:
    """(row, timestamp, body) of records in `[first, last]` (ns) that say the process began anew."""
    snapshot = incident.snapshot
    low, high = snapshot.position_at(first), snapshot.position_at(last + 1)
    rows = snapshot.order.slice(low, high - low)
    shown = pl.col("timestamp", "lane", "kind", "actor", "clock", "body")
    told = snapshot.events.select(shown.gather(rows)).with_columns(
        pl.col("actor", "clock").cast(pl.String).fill_null(""), row=rows
    )
    speaks = pl.col("kind").is_in([Kind.CHANGE.value, Kind.LOG.value])
    began = told.filter(speaks & _about(curve)).filter(pl.col("body").str.contains(STARTED))
    began = began.filter(~pl.col("body").str.contains(WORK_BEGUN))
    busy = snapshot.keys_of(began.get_column("row")).filter(pl.col("key").str.contains(WORK_KEYS))
    began = began.filter(~pl.col("row").is_in(busy.get_column("row").implode()))
    return began.select("row", "timestamp", "body")


def _about(curve: MemoryCurve) -> pl.Expr:
    """Lines of the process: by its name, by that of its service, or by its own host's clock."""
    actor, host = pl.col("actor"), curve.host
    named = actor.is_in([curve.actor, curve.who, host])
    there = (pl.col("clock") == host) & (actor.str.len_chars() > 0)
    own = there & (actor.str.starts_with(curve.actor) | pl.lit(host).str.starts_with(actor))
    told = pl.col("body").str.contains(host, literal=True)  # spares most bodies the pattern
    return named | own | (told & pl.col("body").str.contains(whole_name(host)))


def whole_name(name: str) -> str:
    """A pattern for `name` where it ends: `thumbs-1` is another process than `thumbs-10`."""
    return rf"(?:^|[^0-9A-Za-z]){re.escape(name)}(?:$|[^0-9A-Za-z])"
