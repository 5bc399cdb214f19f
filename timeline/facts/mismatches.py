"""Job failures that say: this worker's code and this job do not fit each other.

Wrong numbers of arguments, unknown keywords, job classes that a worker has never heard of. Owns the
wordings, and which of them name a class. A record that is missing is none: its job fits.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import SEVERITY_WARN, Lane
from timeline.facts.entities import pairs_of_type
from timeline.facts.errors import JOB_FAILURES

if TYPE_CHECKING:
    from timeline.incident import Incident

MOST_LINES = 20_000
"""Warnings and worse that are searched at most; queues tell their failures themselves."""


class Misfit(StrEnum):
    """What does not fit, in the words that are printed."""

    ARGUMENTS = "wrong arguments"
    UNKNOWN = "an unknown job class"
    FORMAT = "a payload that cannot be read"


ARGUMENTS = (
    r"ArgumentError.{0,40}(?:wrong number of arguments|(?:unknown|missing) keywords?)"
    r"|wrong number of arguments \(given \d+, expected"
    r"|got an unexpected keyword argument"
    r"|missing \d+ required (?:positional|keyword-only) arguments?"
    r"|takes (?:from )?\d+ (?:to \d+ )?positional arguments? but \d+ (?:was|were) given"
    r"|got multiple values for argument"
    r"|Unrecognized field \"|UnrecognizedPropertyException"
    r"|FunctionClauseError.{0,60}perform/\d"
    r"|Too few arguments to function"
)
"""Ruby 3 (ArgumentError), Python 3.11 (TypeError of a call), Jackson, Elixir, PHP 8."""
UNKNOWN = (
    r"Received unregistered task"
    r"|celery\.exceptions\.NotRegistered"
    r"|NameError.{0,20}uninitialized constant"
    r"|uninitialized constant [A-Z]\w*"
    r"|UnknownJobClassError|Failed to instantiate job"
    r"|NoSuchMethod(?:Error|Exception)|ClassNotFoundException|NoClassDefFoundError"
    r"|AttributeError: module '[\w.]+' has no attribute"
    r"|cannot import name '\w+' from"
    r"|ActorNotFound"
    r"|handler not found for task"
    r"|job kind is not registered"
    r"|Missing process handler for job type"
    r"|UndefinedFunctionError.{0,80}perform/\d"
)
"""Celery 5 (worker/consumer: on_unknown_task), Ruby, Active Job 7.1, Java, RQ and plain imports,
Dramatiq, asynq, River, Bull, Oban."""
FORMAT = (
    r"Can't get attribute '\w+' on <module|UnpicklingError"
    r"|InvalidClassException.{0,80}serialVersionUID|StreamCorruptedException"
    r"|ActiveJob::DeserializationError"
    r"|(?:DecodeError|DeserializationException).{0,60}(?:payload|message|job|task)"
)
NOT_FOUND = r"Couldn't find|RecordNotFound|DoesNotExist"
"""A missing record makes Active Job say DeserializationError as well."""
_KINDS = ((Misfit.UNKNOWN, UNKNOWN), (Misfit.ARGUMENTS, ARGUMENTS), (Misfit.FORMAT, FORMAT))
_ANY = "|".join((UNKNOWN, ARGUMENTS, FORMAT))
_NAMES = re.compile(
    r"uninitialized constant (?P<ruby>[A-Z]\w*(?:::\w+)*)"
    r"|unregistered task of type '?(?P<celery>[\w.]+)"
    r"|has no attribute '(?P<rq>\w+)"
    r"|cannot import name '(?P<name>\w+)"
    r"|(?P<call>[A-Za-z_][\w.]*)\(\) (?:got|missing|takes)"
    r"|handler not found for task \"?(?P<asynq>[\w:.-]+)"
)

MISFIT_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,
    "timestamp": pl.Int64,
    "job": pl.String,  # the key, or null
    "job_class": pl.String,  # or null
    "worker": pl.String,  # or an empty text
    "source": pl.String,
    "misfit": pl.String,
    "error": pl.String,
}


def misfits_in(incident: Incident) -> pl.DataFrame:
    """Every such failure (MISFIT_SCHEMA), time order; of a job's own line and record one."""
    found = pl.concat([_of_queue(incident), _of_lines(incident)]).sort("timestamp", "row")
    by_job = found.filter(pl.col("job").is_not_null())
    told = by_job.filter(pl.col("worker") != "").unique(["job", "worker"], keep="first")
    bare = by_job.join(told.select("job"), on="job", how="anti").unique("job", keep="first")
    rest = found.filter(pl.col("job").is_null())
    return pl.concat([told, bare, rest]).sort("timestamp", "row")


def named_by(error: str) -> str:
    """The class, task or function that the error names; empty for none."""
    match = _NAMES.search(error)
    return next((text for text in match.groupdict().values() if text), "") if match else ""


def _of_queue(incident: Incident) -> pl.DataFrame:
    moves = incident.jobs.transitions.filter(
        pl.col("kind").is_in(JOB_FAILURES) & pl.col("error").is_not_null()
    )
    fits = moves.filter(_misfits("error"))
    actor = incident.snapshot.events.get_column("actor").gather(fits.get_column("row"))
    queue = pl.col("queue").fill_null("")
    named = fits.with_columns(actor.cast(pl.String).fill_null("").alias("actor")).with_columns(
        worker=pl.coalesce("worker", pl.when(pl.col("actor") != queue).then("actor"), pl.lit(""))
    )
    return _shaped(named)


def _of_lines(incident: Incident) -> pl.DataFrame:
    """Lines of workers: they carry a job's key, or are written by somebody who runs jobs."""
    told = incident.snapshot.told(
        (pl.col("lane") == Lane.LOG.value) & (pl.col("severity_number") >= SEVERITY_WARN),
        "source",
        "actor",
        "body",
    ).head(MOST_LINES)
    fits = told.rename({"body": "error"}).filter(_misfits("error"))
    if fits.is_empty():
        return pl.DataFrame(schema=MISFIT_SCHEMA)
    keys = pairs_of_type(incident.snapshot.keys_of(fits.get_column("row")), "job")
    jobs = keys.unique("row", keep="first", maintain_order=True).rename({"key": "job"})
    named = fits.join(jobs, on="row", how="left").with_columns(
        pl.col("actor").cast(pl.String).fill_null("").alias("worker")
    )
    workers = list(incident.workers)
    own = pl.col("job").is_not_null() | pl.col("worker").is_in(workers)
    own |= pl.col("error").str.contains("unregistered task|NotRegistered|not registered")
    classes = incident.jobs.summary.select("job", "job_class")
    return _shaped(named.filter(own).join(classes, on="job", how="left"))


def _misfits(column: str) -> pl.Expr:
    text = pl.col(column)
    return text.str.contains(_ANY) & ~text.str.contains(NOT_FOUND)


def _shaped(found: pl.DataFrame) -> pl.DataFrame:
    misfit = pl.lit("")
    for kind, pattern in reversed(_KINDS):
        misfit = (
            pl.when(pl.col("error").str.contains(pattern))
            .then(pl.lit(kind.value))
            .otherwise(misfit)
        )
    told = found.with_columns(misfit=misfit)
    return told.select(pl.col(name).cast(dtype) for name, dtype in MISFIT_SCHEMA.items())
