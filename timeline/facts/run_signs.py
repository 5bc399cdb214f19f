"""The last sign of a run: how long a run whose end nobody told was still heard of, and its end.

A team names the work by the line with which it begins; what the run writes later has other words
and shares only an id with it. So a run's lines are found by the ids that its beginning carries and
no other beginning of the same work does. Whether one of them tells an end is read from its words,
in the languages that services write; the last of them is a sign of life in any language.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.facts.lines import keyed_lines

if TYPE_CHECKING:
    from timeline.incident import Incident

RUN_IDS = (
    r"^(?:job|run|request|trace|message|correlation|execution|exec|invocation|task|batch|workflow"
    r"|operation|activity|process|transaction|flow|build|pipeline)(?:_[a-z]+)?:"
)
"""Keys that name one run of something, not the thing that it works on."""
MIN_BEGINNINGS = 3
"""So many beginnings with a value of their own each make any field the name of a run."""
BEGIN_WORDS = (
    r"(?i)\b(?:gestartet|startet|beginnt|begonnen|gestart|d[ée]marr\w+|commenc\w+|iniciad[oa]|"
    r"inicia(?:ndo)?|iniciando|comienza|empieza|avviat[oa]|inizia(?:to|ta)?|startad|börjar|påbörjad|"
    r"rozpocz\w+|zaczyna|zahájen\w*|başla\w*)\b|начат|начал|запущен|開始|开始|시작"
)
"""How services that do not write English say that something begins."""
END_WORDS = (
    r"(?i)\b(?:ends|stop(?:s|ped)|exit(?:ed|s)?|completion|beendet|fertig|abgeschlossen|erledigt|"
    r"voltooid|klaar|beëindigd|termin[ée]e?s?|achev[ée]e?|fini[es]?|terminad[oa]|termina|finalizad[oa]|"
    r"completad[oa]|conclu[ií]d[oa]|completat[oa]|terminat[oa]|finit[oa]|avslutad|klart?|slutförd|"
    r"zakończ\w+|ukończ\w+|dokončen\w*|bitti|tamamlan\w*|returned)\b"
    r"|законч|заверш|выполнен|完了|終了|完成|结束|완료|종료"
)
"""How they say that it is over, beside the words that `timeline.facts.work` knows."""
MAX_LINES_READ = 50_000
"""Lines with a run's ids that are looked at, by time: a run that writes more is heard of anyway."""

SIGN_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,  # the event that shows the run first
    "last": pl.Int64,  # when it was last heard of, ns
    "last_row": pl.UInt32,
    "body": pl.String,  # what was said then
    "severity_number": pl.UInt8,
}


def last_signs(incident: Incident, runs: pl.DataFrame, begun: pl.DataFrame) -> pl.DataFrame:
    """SIGN_SCHEMA: of each run (`row`, `actor`, `start`) the last line after its beginning that
    its own writer wrote under an id of its own. Runs without such a line are left out.

    `begun` holds the `row` of every beginning of the work: an id that two of them carry names
    something both work on, and a line with ids of two runs tells of neither.
    """
    own = _own_keys(incident, begun)
    held = own.join(runs.select("row", "actor", "start").drop_nulls("start"), on="row")
    if held.is_empty():
        return pl.DataFrame(schema=SIGN_SCHEMA)
    lines = keyed_lines(incident, held.get_column("key"))
    lines = lines.filter(pl.col("lane") == Lane.LOG.value).head(MAX_LINES_READ)
    told = lines.rename({"row": "last_row", "timestamp": "last", "actor": "by"}).join(
        held, on="key"
    )
    alone = pl.col("row").n_unique().over("last_row") == 1
    after = told.filter(
        alone & (pl.col("by") == pl.col("actor")) & (pl.col("last") > pl.col("start"))
    )
    last = after.sort("last", "last_row").unique("row", keep="last", maintain_order=True)
    return last.select(pl.col(name).cast(dtype) for name, dtype in SIGN_SCHEMA.items())


def _own_keys(incident: Incident, begun: pl.DataFrame) -> pl.DataFrame:
    """Which keys (row, key) name one run: run ids by their name, or any field of which each
    beginning has a value of its own."""
    if begun.is_empty():
        return incident.snapshot.keys.clear()
    keys = incident.snapshot.keys_of(begun.get_column("row")).unique()
    broad = pl.col("key").is_in(list(incident.snapshot.broad_keys))
    keys = keys.filter(~broad & ~pl.col("key").str.starts_with("row:"))
    once = keys.filter(pl.col("row").n_unique().over("key") == 1)
    kind = pl.col("key").str.extract(r"^([^:]*):", 1)
    everywhere = pl.col("row").n_unique().over(kind) >= max(begun.height, MIN_BEGINNINGS)
    return once.filter(pl.col("key").str.contains(RUN_IDS) | everywhere).select("row", "key")


def worker_signs(incident: Incident, runs: pl.DataFrame) -> pl.DataFrame:
    """SIGN_SCHEMA of jobs (`name`, `row`, `start`) whose queue keeps no end: the last line about
    each that any worker wrote after it had begun."""
    open_runs = runs.filter(pl.col("end").is_null() & pl.col("start").is_not_null())
    if open_runs.is_empty():
        return pl.DataFrame(schema=SIGN_SCHEMA)
    lines = keyed_lines(incident, open_runs.get_column("name"))
    spoken = (pl.col("lane") == Lane.LOG.value) & pl.col("actor").is_in(list(incident.workers))
    lines = lines.filter(spoken).head(MAX_LINES_READ)
    lines = lines.rename({"row": "last_row", "timestamp": "last", "key": "name"})
    told = lines.join(open_runs.select("name", "row", "start"), on="name")
    after = told.filter(pl.col("last") > pl.col("start")).sort("last", "last_row")
    last = after.unique("row", keep="last", maintain_order=True)
    return last.select(pl.col(name).cast(dtype) for name, dtype in SIGN_SCHEMA.items())
