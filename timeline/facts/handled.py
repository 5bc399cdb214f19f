"""Attempts of jobs as the workers' own logs tell them.

SQS and RabbitMQ show no single message, other queues forget what went well; the worker still wrote
a line when it took the message and one when it was done. Which lines those are is read from their
places, not their words, so that it works in any language: an attempt begins wherever the worker's
first line about a job comes again, and a form of line that nearly always comes last is an end.
A line at ERROR, or a known error, ends it badly. Whoever pushed the job wrote of it while serving
a request, and is no worker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.event import SEVERITY_ERROR, SEVERITY_WARN, Kind, Lane
from timeline.facts.entities import pairs_of_type
from timeline.facts.lines import lines_at
from timeline.facts.pushers import pushing_actors
from timeline.plain_texts import plain_form

if TYPE_CHECKING:
    from timeline.incident import Incident

MOST_LINES = 30_000
"""Lines that are read, the latest: more of them are a queue that should be read itself."""
USUALLY = 0.8
"""Share of its occurrences at which a form is the last line of an attempt, for it to be an end."""
LEAST = 3
"""Occurrences from which on that share means something; below it the words decide."""
FORM = r"[0-9A-Za-z_.:/+-]*[0-9][0-9A-Za-z_.:/+-]*"
"""What differs between two lines of one form: every token with a figure in it."""
OWN_WORDS = r"\b(?:pid|tid|thread|worker|host|attempt)[=: ]\S+|^\S*[0-9]{2}:[0-9]{2}:[0-9]{2}\S*"
"""What differs between two lines that two workers write about one job as they take it."""
RUN = ("job", "actor", "host")
"""Lines that share these are of one worker about one job."""
START_WORDS = (
    r"(?i)\b(?:start(?:ed|ing|s)?|received|beg[iau]n(?:ning)?|perform(?:ing)?|processing|handling|"
    r"picked up|took|taken|consum(?:e|ed|ing)|running|working|active|begonnen|gestartet|commencé|"
    r"démarré|iniciad[oa]|gestart|начат[оа]?)\b|job:start|開始|开始"
)
END_WORDS = (
    r"(?i)\b(?:done|finish(?:ed)?|complet(?:e|ed)|succe(?:eded|ss)|processed|performed|handled|"
    r"acked|acknowledged|deleted|ended|erledigt|beendet|fertig|terminé|termine|completado|"
    r"terminado|concluíd[oa]|voltooid|klaar|завершен[оа]?|zakończon[oey])\b|job:stop|完了|完成"
)
FAIL_WORDS = (
    r"(?i)\b(?:fail(?:s|ed|ure)?|error(?:ed)?|exception|retr(?:y|ying|ied)|rejected|nack(?:ed)?|"
    r"raised|died|aborted|panick?ed|gescheitert|fehlgeschlagen|échoué|falló|falhou|mislukt)\b|失敗|失败"
)
"""Believed of warnings only: an error is one whatever it says."""
RAISED = r"\b[A-Z]\w+(?:Exception|Error): "
"""Believed of lines that state no severity: the name of what was raised is not translated."""

HANDLED_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "job": pl.String,  # the key
    "actor": pl.String,
    "host": pl.String,  # the clock of its lines: the worker's host or pod; empty where none is told
    "source": pl.String,
    "start": pl.Int64,
    "end": pl.Int64,  # null while it runs, or when nobody says
    "last": pl.Int64,  # the last that was heard of it
    "outcome": pl.String,  # finished, failed, open
    "form": pl.String,  # the form of its first line,
    "text": pl.String,  # and that line without what differs between two workers
    "usual": pl.Boolean,  # whether that form usually begins an attempt
    "start_row": pl.UInt32,
    "end_row": pl.UInt32,  # of its last line, whether that ends it or not
    "error": pl.String,  # the line that ended it badly, or null
    "in_queue": pl.Boolean,  # whether a queue tells starts of the job as well
}


def handled_in(incident: Incident) -> pl.DataFrame:
    """HANDLED_SCHEMA, by start: attempts of every job that workers' logs name."""
    lines = _lines(incident)
    if lines.is_empty():
        return pl.DataFrame(schema=HANDLED_SCHEMA)
    lines = lines.sort(*RUN, "timestamp", "row")
    usual = _usual_beginnings(lines)
    told = (
        _numbered(lines, usual)
        .group_by([*RUN, "attempt"], maintain_order=True)
        .agg(
            pl.col("source", "form", "text").first(),
            start=pl.col("timestamp").first(),
            last=pl.col("timestamp").last(),
            start_row=pl.col("row").first(),
            end_row=pl.col("row").last(),
            last_form=pl.col("form").last(),
            body=pl.col("body").last(),
            count=pl.len(),
            bad=pl.col("bad").any(),
            error=pl.col("body").filter("bad").last(),
        )
    )
    told = told.with_columns(good=~pl.col("bad") & (pl.col("count") > 1) & _ends(lines, told))
    outcome = pl.when("bad").then(pl.lit("failed")).when("good").then(pl.lit("finished"))
    begun = incident.jobs.transitions.filter(pl.col("kind") == Kind.JOB_STARTED.value)
    told = told.with_columns(
        outcome=outcome.otherwise(pl.lit("open")),
        end=pl.when(pl.col("bad") | pl.col("good")).then("last"),
        usual=pl.col("form").is_in(usual.implode()),
        in_queue=pl.col("job").is_in(begun.get_column("job").unique().implode()),
    ).sort("start", "start_row")
    return told.select(pl.col(name).cast(dtype) for name, dtype in HANDLED_SCHEMA.items())


def _numbered(lines: pl.DataFrame, usual: pl.Series) -> pl.DataFrame:
    """`lines` with the number of the `attempt` that each belongs to, by worker and job."""
    form, text, bad = pl.col("form"), pl.col("text"), pl.col("bad")
    again = (form == form.first().over(RUN)) & form.is_in(usual.implode())
    worded = (text == text.first().over(RUN)) & pl.col("body").str.contains(START_WORDS)
    begins = ((again | worded) & ~bad).cast(pl.Int32).cum_sum().over(RUN)
    # A worker that writes only of failures begins anew after each.
    broken = bad.shift(1).over(RUN).fill_null(value=False).cast(pl.Int32).cum_sum().over(RUN)
    never = begins.max().over(RUN) == 0
    return lines.with_columns(attempt=pl.when(never).then(broken).otherwise(begins))


def _usual_beginnings(lines: pl.DataFrame) -> pl.Series:
    """Forms of first lines that most runs have once: where one comes again, it is another run.

    What comes again within most runs tells of progress.
    """
    counts = lines.group_by(*RUN, "form").len()
    firsts = lines.group_by(RUN).agg(pl.col("form").first())
    told = firsts.join(counts, on=[*RUN, "form"])
    told = told.group_by("form").agg(pl.len().alias("runs"), once=(pl.col("len") == 1).mean())
    usual = (pl.col("runs") >= LEAST) & (pl.col("once") >= USUALLY)
    return told.filter(usual).get_column("form")


def _ends(lines: pl.DataFrame, told: pl.DataFrame) -> pl.Expr:
    """Whether the last line of an attempt is of a form that ends attempts."""
    uses = lines.group_by("form").len("uses")
    lasts = told.filter(pl.col("count") > 1).group_by(form="last_form").len("lasts")
    often = uses.join(lasts, on="form")
    enough = pl.col("uses") >= LEAST
    ends = often.filter(enough & (pl.col("lasts") >= USUALLY * pl.col("uses")))
    rare = often.filter(~enough).get_column("form")
    usual = pl.col("last_form").is_in(ends.get_column("form").implode())
    worded = pl.col("last_form").is_in(rare.implode()) & pl.col("body").str.contains(END_WORDS)
    return usual | worded


def _lines(incident: Incident) -> pl.DataFrame:
    """(row, job, timestamp, actor, host, source, form, body, bad) of lines by workers."""
    named = incident.jobs.named
    lane = incident.snapshot.events.get_column("lane").gather(named.get_column("row"))
    named = named.filter(lane == Lane.LOG.value).sort("row").tail(MOST_LINES)
    if named.is_empty():
        return named
    host = pl.when(pl.col("clock") != pl.col("source")).then("clock").otherwise(pl.lit(""))
    lines = lines_at(incident, named.get_column("row")).with_columns(host=host)
    lines = lines.unique(["timestamp", "actor", "host", "body"], keep="first", maintain_order=True)
    lines = lines.join(named, on="row")
    lines = lines.join(_served(incident, lines), on=["row"], how="anti")
    lines = lines.filter(~pl.col("actor").is_in(pushing_actors(lines).implode()))
    # A line that names two jobs tells of one that was pushed while the other was handled.
    first = pl.col("timestamp") == pl.col("timestamp").min().over(RUN)
    lines = lines.filter(~(first & (pl.len().over("row") > 1)))
    hits = incident.errors.get_column("row")
    severe = pl.col("severity_number") >= SEVERITY_ERROR
    warned = pl.col("severity_number") >= SEVERITY_WARN
    known = pl.col("row").is_in(hits.implode()) & warned
    raised = (pl.col("severity_number") == 0) & pl.col("body").str.contains(
        plain_form(lines.get_column("body"), RAISED)
    )
    bad = severe | known | (warned & pl.col("body").str.contains(FAIL_WORDS)) | raised
    return _of_workers(lines.with_columns(bad=bad)).with_columns(
        form=pl.col("body").str.replace_all(FORM, "#"),
        text=pl.col("body").str.replace_all(OWN_WORDS, "#"),
    )


def _of_workers(lines: pl.DataFrame) -> pl.DataFrame:
    """`lines` without those of bystanders: who only ever tells of trouble, amid what another tells
    of the same job, did not take it. A database server names the job of a statement it refused."""
    only_bad = pl.col("bad").all().over("actor")
    spans = (
        lines.filter(~only_bad)
        .group_by("job")
        .agg(since=pl.col("timestamp").min(), until=pl.col("timestamp").max())
    )
    if spans.height == 0 or not lines.select(only_bad.any()).item():
        return lines
    told = lines.with_columns(only_bad=only_bad).join(spans, on="job", how="left")
    amid = pl.col("timestamp").is_between("since", "until").fill_null(value=False)
    return told.filter(~(pl.col("only_bad") & amid)).drop("only_bad", "since", "until")


def _served(incident: Incident, lines: pl.DataFrame) -> pl.DataFrame:
    """(row) of those lines that were written while serving a request.

    A trace goes on in the worker, so a trace counts only where its actor had spoken of it before
    it spoke of the job.
    """
    snapshot = incident.snapshot
    keys = snapshot.keys_of(lines.get_column("row"))
    requests = pairs_of_type(keys, "request").select("row").unique()
    traces = pairs_of_type(keys, "trace").join(requests, on="row", how="anti")
    if traces.is_empty():
        return requests
    wanted = traces.get_column("key").unique()
    every = snapshot.keys.filter(pl.col("key").is_in(wanted.implode()))
    shown = pl.col("timestamp", "actor").gather(every.get_column("row"))
    every = every.hstack(snapshot.events.select(shown)).with_columns(
        pl.col("actor").cast(pl.String).fill_null("")
    )
    began = every.group_by("key", "actor").agg(began=pl.col("timestamp").min())
    mine = traces.join(lines.select("row", "actor", "timestamp"), on="row")
    mine = mine.join(began, on=["key", "actor"]).filter(pl.col("began") < pl.col("timestamp"))
    # A second line of the same job under the same trace is the worker's own.
    job = traces.join(lines.select("row", "actor", "job", "timestamp"), on="row")
    spoken = job.group_by("key", "actor", "job").agg(spoken=pl.col("timestamp").min())
    mine = mine.join(lines.select("row", "job"), on="row")
    mine = mine.join(spoken, on=["key", "actor", "job"]).filter(pl.col("began") < pl.col("spoken"))
    return pl.concat([requests, mine.select("row")]).unique()
