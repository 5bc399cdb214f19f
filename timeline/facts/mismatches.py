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
from timeline.facts.failing_jobs import NOT_ITS_OWN, OUTSIDE
from timeline.facts.wordings import may_hold
from timeline.word_edges import plain_edges

if TYPE_CHECKING:
    from timeline.incident import Incident

MIN_JOBS = 3
"""Jobs with one error from which on it is more than one bad job;"""
MOST = 0.6
"""and the share of them that must have gone well later. Some may still wait for their retry."""
MOST_LINES = 20_000
"""Warnings and worse that are searched at most; queues tell their failures themselves."""


class Misfit(StrEnum):
    """What does not fit, in the words that are printed."""

    ARGUMENTS = "wrong arguments"
    UNKNOWN = "an unknown job class"
    FORMAT = "a payload that cannot be read"
    OTHER = "an error of one kind"


ARGUMENTS = (
    r"ArgumentError.{0,40}(?:wrong number of arguments|(?:unknown|missing) keywords?)"
    r"|wrong number of arguments \(given \d+, expected"
    r"|got an unexpected keyword argument"
    r"|missing \d+ required (?:positional|keyword-only) arguments?"
    r"|takes (?:from )?\d+ (?:to \d+ )?positional arguments? but \d+ (?:was|were) given"
    r"|got multiple values for argument"
    r"|Unrecognized field \"|UnrecognizedPropertyException"
    r"|FunctionClauseError.{0,60}perform/\d"
    r"|Too few arguments to function|Unknown named parameter|Undefined array key|Undefined index"
    r"|MissingFieldException|MissingKotlinParameterException|MismatchedInputException"
    r"|Cannot deserialize value|Cannot construct instance of|JsonMappingException"
    r"|JsonDataException|JsonSerializationException"
    r"|missing required (?:propert|field|key|argument)"
    r"|required (?:field|key|property|argument|parameter) (?:is )?(?:missing|not (?:set|found))"
    r"|is a required property|Required (?:property|field|key)"
    r"|[Ff]ield required|value_error\.missing"
    r"|Missing data for required field|got unexpected field|unexpected propert"
    r"|missing field `|unknown field `|unknown variant `|invalid type: [\w ]+, expected"
    r"|cannot unmarshal .{1,60} into Go|json: unknown field|unknown field \""
    r"|ZodError|invalid_type|received undefined|should have required property"
    r"|must have required property|is missing in Hash input|Dry::Struct::Error"
    r"|KeyError|key not found|MatchError|key :\w+ not found"
    r"|uninitialized value \$args|Missing required (?:arg|param)|Odd number of elements"
    r"|InvalidProtocolBuffer|AvroTypeException|Missing required fields?|SchemaParseException"
    r"|schema (?:version )?mismatch|unsupported (?:message|payload|schema|event) version"
    r"|incompatible (?:message|payload|schema|version)|unknown (?:message|event) version"
)
"""Ruby 3 (ArgumentError, KeyError, dry-struct), Python 3.11 (TypeError of a call), pydantic,
marshmallow and JSON Schema, Jackson, Gson, Moshi and kotlinx.serialization, System.Text.Json and
Newtonsoft, serde, encoding/json, Zod and Ajv, Elixir, PHP 8, Perl, Protocol Buffers and Avro; the
last lines are how services word it themselves. Every one of them can be a plain bug as well: only
which workers fail, and since when, makes it a matter of versions."""
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
ANY_MISFIT = "|".join((UNKNOWN, ARGUMENTS, FORMAT))
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
    tries = _of_tries(incident)
    lines = _of_lines(incident).join(tries.select("row"), on="row", how="anti")
    lines = lines.filter(
        ~pl.col("job").is_in(tries.get_column("job").implode()).fill_null(value=False)
    )
    found = pl.concat([tries, lines]).sort("timestamp", "row")
    if found.is_empty():
        return found
    by_job = found.filter(pl.col("job").is_not_null())
    told = by_job.filter(pl.col("worker") != "").unique(["job", "worker"], keep="first")
    bare = by_job.join(told.select("job"), on="job", how="anti").unique("job", keep="first")
    rest = found.filter(pl.col("job").is_null())
    return pl.concat([told, bare, rest]).sort("timestamp", "row")


def named_by(error: str) -> str:
    """The class, task or function that the error names; empty for none."""
    match = _NAMES.search(error)
    return next((text for text in match.groupdict().values() if text), "") if match else ""


def _of_tries(incident: Incident) -> pl.DataFrame:
    """Failed attempts, as queues and workers' logs tell them."""
    tries = incident.tries
    failed = tries.filter(pl.col("failed") & (pl.col("error") != ""))
    if failed.is_empty():
        return pl.DataFrame(schema=MISFIT_SCHEMA)
    fits = _misfits(failed.get_column("error"))
    worded, other = failed.filter(fits), _healed(tries, failed.filter(~fits))
    known = incident.errors.filter(pl.col("error_class").is_in(NOT_ITS_OWN)).get_column("row")
    other = other.filter(~pl.col("row").is_in(known.implode()))
    found = _shaped(pl.concat([worded, other]).rename({"at": "timestamp"}))
    is_other = pl.col("misfit") == ""
    return found.with_columns(
        misfit=pl.when(is_other).then(pl.lit(Misfit.OTHER.value)).otherwise("misfit")
    ).sort("timestamp", "row")


def _healed(tries: pl.DataFrame, failed: pl.DataFrame) -> pl.DataFrame:
    """Those of `failed` whose error many jobs had, most of which later went well.

    No wording says that it is about versions; that restarted workers no longer have it may.
    """
    if failed.get_column("job").n_unique() < MIN_JOBS:
        return failed.clear()
    done = tries.filter(~pl.col("failed")).group_by("job").agg(done=pl.col("at").max())
    told = failed.filter(~pl.col("error").str.contains(f"{OUTSIDE}|{NOT_FOUND}"))
    told = told.join(done, on="job", how="left", maintain_order="left")
    later = (pl.col("done") > pl.col("at")).fill_null(value=False)
    per_error = (
        told.with_columns(later=later)
        .group_by("same")
        .agg(jobs=pl.col("job").n_unique(), healed=pl.col("job").filter("later").n_unique())
    )
    enough = (pl.col("jobs") >= MIN_JOBS) & (pl.col("healed") >= MOST * pl.col("jobs"))
    return told.join(per_error.filter(enough).select("same"), on="same", how="semi").select(
        failed.columns
    )


def _of_lines(incident: Incident) -> pl.DataFrame:
    """Lines of workers: they carry a job's key, or are written by somebody who runs jobs."""
    told = incident.snapshot.told(
        (pl.col("lane") == Lane.LOG.value) & (pl.col("severity_number") >= SEVERITY_WARN),
        "source",
        "actor",
        "body",
    ).head(MOST_LINES)
    if told.is_empty():
        return pl.DataFrame(schema=MISFIT_SCHEMA)
    fits = told.rename({"body": "error"}).filter(_misfits(told.get_column("body")))
    if fits.is_empty():
        return pl.DataFrame(schema=MISFIT_SCHEMA)
    named = incident.jobs.named
    jobs = named.filter(pl.col("row").is_in(fits.get_column("row").implode()))
    jobs = jobs.unique("row", keep="first", maintain_order=True)
    named = fits.join(jobs, on="row", how="left").with_columns(
        pl.col("actor").cast(pl.String).fill_null("").alias("worker")
    )
    workers = list(incident.workers)
    own = pl.col("job").is_not_null() | pl.col("worker").is_in(workers)
    own |= pl.col("error").str.contains("unregistered task|NotRegistered|not registered")
    classes = incident.jobs.summary.select("job", "job_class")
    return _shaped(named.filter(own).join(classes, on="job", how="left"))


def _misfits(texts: pl.Series) -> pl.Series:
    """Whether each of `texts` words a misfit."""
    if not may_hold(texts, ANY_MISFIT):
        return pl.repeat(value=False, n=texts.len(), eager=True)
    return texts.str.contains(plain_edges(ANY_MISFIT)) & ~texts.str.contains(plain_edges(NOT_FOUND))


def _shaped(found: pl.DataFrame) -> pl.DataFrame:
    if found.is_empty():
        return pl.DataFrame(schema=MISFIT_SCHEMA)
    misfit = pl.lit("")
    for kind, pattern in reversed(_KINDS):
        misfit = (
            pl.when(pl.col("error").str.contains(pattern))
            .then(pl.lit(kind.value))
            .otherwise(misfit)
        )
    told = found.with_columns(misfit=misfit)
    return told.select(pl.col(name).cast(dtype) for name, dtype in MISFIT_SCHEMA.items())
