"""Every event that is a known error, found once for all detectors.

Owns the text that is searched: log bodies, and the stored error of failed jobs. Row, metric and
note events are never searched. It decides nothing about causes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.errors.kinds import ErrorClass, Outcome, Phase
from timeline.event import SEVERITY_ERROR, SEVERITY_WARN, Kind, Lane
from timeline.facts.wordings import holding
from timeline.shares import shared_out

if TYPE_CHECKING:
    from timeline.incident import Incident

NETWORK_CLASSES = (
    "refused",
    "connect_timeout",
    "read_timeout",
    "reset",
    "closed",
    "dns",
    "tls",
    "unreachable",
    "gateway",
)
"""Classes that a broken path between two systems produces. A full pool or a server that answers
with a refusal of its own is not among them."""
RELAYED = r"502|504|(?i:unavailable)"
"""A proxy's word that it did not reach the one behind it. By any other status, 503 among them, a
server says of itself that it is busy or does not want the request."""
TIMEOUT_CLASSES = ("connect_timeout", "read_timeout")
NOT_FOUND = "not_found"

MISSING_ENTITY = (
    r"(?i)\b\pL\w*(?:[ #:=]{1,2}|\(|\[)(?:id[ =:#]{1,2})?['\"]?[\w-]*\d[\w-]*['\"]?[\])]? "
    r"(?:(?:(?:was|could|is|does|has) )?not (?:be )?(?:found|exist|visible)|doesn't exist"
    r"|isn't (?:there|found|visible)|(?:(?:ist|wurde|war) )?nicht (?:gefunden|vorhanden)"
    r"|existiert nicht|gibt es nicht|(?:est )?introuvable|n'existe pas"
    r"|no (?:encontrad[oa]|existe)|não (?:encontrad[oa]|existe)|non (?:trovat[oa]|esiste)"
    r"|(?:is )?niet (?:gevonden|aanwezig)|bestaat niet|nie (?:znalezion[oay]|istnieje)"
    r"|(?:hittades|finns) inte|не найден[ао]?|не существует)\b"
    r"|\d ?[がは](?:見つかりません|存在しません)|\d ?(?:不存在|未找到|找不到)"
    r"|\b(?:no such|unknown|can(?:not|'t) find|could(?: not|n't) find|did(?: not|n't) find) "
    r"[a-z]\w*[ #:=]{1,3}(?:with )?(?:id[ =:#]{1,2})?['\"]?[\w-]*\d"
    r"|\bno [a-z]\w* (?:found )?(?:with|for|by) (?:[a-z]\w*[ =:#]{1,2}){1,2}['\"]?[\w-]*\d"
    r"|(?:(?:\bnot (?:be )?|not_?)found(?:exception|error)?"
    r"|\bnot in (?:the )?(?:store|storage|database|db|table|repo(?:sitory)?))\b\W{1,4}"
    r"(?:[a-z][\w.-]*[ ,=:#'\"]{1,4}){0,2}[\w-]*\d"
)
"""How applications say in words of their own that a row with an id is not there: `User 4711 not
found`. Believed only of errors, of failed jobs and of warnings that name a job (who is to try again
calls it no error); clients' wordings are in `timeline.errors`."""
MISSING_FRAGMENT = "<entity> not found"

JOB_FAILURES = (Kind.JOB_FAILED.value, Kind.JOB_RETRIED.value, Kind.JOB_DEAD.value)

HIT_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,  # row of `Snapshot.events`
    "timestamp": pl.Int64,
    "source": pl.String,
    "actor": pl.String,
    "clock": pl.String,  # the clock whose opinion the stamp is; never empty
    "lane": pl.String,
    "kind": pl.String,
    "severity_number": pl.UInt8,
    "error_class": pl.String,
    "outcome": pl.String,  # a value of `timeline.errors.kinds.Outcome`
    "phase": pl.String,  # how far the operation had come, `timeline.errors.kinds.Phase`
    "fragment": pl.String,
    "peer": pl.String,
    "system": pl.String,
    "errno": pl.Int64,
    "sqlstate": pl.String,
    "body": pl.String,  # the text that matched
}


def error_hits(incident: Incident) -> pl.DataFrame:
    """All known errors of the incident in time order; columns as in `HIT_SCHEMA`.

    A line shipped twice (equal stamp, actor and text) is one error, whatever its source.
    """
    from timeline.errors.matcher import match_errors

    events = incident.snapshot.events
    if events.is_empty():
        return pl.DataFrame(schema=HIT_SCHEMA)
    texts = _searched(events)
    severities = events.get_column("severity_number")
    matched = match_errors(texts, severities=severities)
    matched = _with_missing_entities(incident, texts, matched)
    if matched.is_empty():
        return pl.DataFrame(schema=HIT_SCHEMA)
    rows = matched.get_column("row")
    shown = pl.col("timestamp", "source", "actor", "clock", "lane", "kind", "severity_number")
    context = events.select(shown.gather(rows)).with_columns(
        pl.col("source", "actor", "clock").cast(pl.String).fill_null(""),
        pl.col("lane", "kind").cast(pl.String),
    )
    hits = pl.concat(
        [matched, context, texts.gather(rows).to_frame("body")],
        how="horizontal",
    ).with_columns(
        clock=pl.when(pl.col("clock") == "").then("source").otherwise("clock"),
        severity_number=pl.when(pl.col("kind").is_in(JOB_FAILURES))
        .then(pl.max_horizontal("severity_number", pl.lit(SEVERITY_ERROR, pl.UInt8)))
        .otherwise("severity_number"),
    )
    hits = hits.select(pl.col(name).cast(dtype) for name, dtype in HIT_SCHEMA.items())
    ordered = hits.sort(["timestamp", "source", "row"])
    return ordered.unique(["timestamp", "actor", "body"], keep="first", maintain_order=True)


def network_errors(hits: pl.DataFrame) -> pl.DataFrame:
    """The hits that a broken network path can cause.

    Whoever was answered had a path: a statement that the server ended, a status that the peer
    itself chose, and a service's own line about what it answered are none of them.
    """
    gateway = pl.col("error_class") == ErrorClass.GATEWAY.value
    relayed = pl.col("fragment").str.contains(RELAYED) & ~pl.col("fragment").str.contains("503")
    own = pl.col("severity_number").is_between(1, SEVERITY_WARN - 1)
    timed_out = pl.col("error_class").is_in(TIMEOUT_CLASSES)
    answered = timed_out & (pl.col("outcome") == Outcome.ROLLED_BACK.value)
    broken = pl.col("error_class").is_in(NETWORK_CLASSES) & ~answered
    return hits.filter(broken & (~gateway | (relayed & ~own)))


def _with_missing_entities(
    incident: Incident, texts: pl.Series, matched: pl.DataFrame
) -> pl.DataFrame:
    """`matched` and the errors that report a missing row in an application's own words."""
    events = incident.snapshot.events
    severe = (pl.col("severity_number") >= SEVERITY_ERROR) | pl.col("kind").is_in(JOB_FAILURES)
    rows = events.select(severe.arg_true().cast(pl.UInt32)).to_series()
    of_jobs = incident.jobs.named.get_column("row").unique().sort()
    warned = events.get_column("severity_number").gather(of_jobs)
    warnings = of_jobs.filter((warned >= SEVERITY_WARN) & (warned < SEVERITY_ERROR))
    rows = pl.concat([rows, warnings.cast(pl.UInt32)]).unique().sort()
    if rows.is_empty():
        return matched
    told = pl.DataFrame({"row": rows, "text": texts.gather(rows)})
    said = told.select(pl.col("text").unique())  # most are said again and again
    missing = holding(said, MISSING_ENTITY, "text").get_column("text")
    if missing.is_empty():
        return matched
    told = told.filter(pl.col("text").is_in(missing.implode()))
    told = told.join(matched.select("row"), on="row", how="anti").select(
        "row",
        error_class=pl.lit(NOT_FOUND),
        outcome=pl.lit(Outcome.ROLLED_BACK.value),
        phase=pl.lit(Phase.REQUEST.value),
        fragment=pl.lit(MISSING_FRAGMENT),
    )
    if told.is_empty():
        return matched
    text = matched.with_columns(pl.col("error_class", "outcome", "phase").cast(pl.String))
    return pl.concat([text, told], how="diagonal_relaxed").sort("row")


def _searched(events: pl.DataFrame) -> pl.Series:
    """The text to search per event; empty where an event is not a report of an error."""
    logged = pl.when(pl.col("lane") == Lane.LOG.value).then("body").otherwise(pl.lit(""))
    failing = pl.col("kind").is_in(JOB_FAILURES)
    shown = events.select("lane", "kind", "body")
    texts = shared_out(shown, body=logged.fill_null(""), failed=failing)
    failed = texts.get_column("failed").arg_true()
    if failed.is_empty():
        return texts.get_column("body")
    # Not the line about the job: its arguments are not what the error says.
    stored = events.get_column("attributes").gather(failed).str.json_path_match("$.error")
    failures = pl.DataFrame({"row": failed, "error": stored.fill_null("")})
    joined = texts.with_row_index("row").join(failures, on="row", how="left", maintain_order="left")
    return joined.select(body=pl.coalesce("error", "body")).to_series()
