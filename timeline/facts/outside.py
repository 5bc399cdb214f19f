"""Calls to hosts outside one's own systems: what answered, with which status, how often.

Owns which names are outside, and how a host and a status are read from an error's text. A host is
outside when its name is a public one and nobody here writes logs under it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import polars as pl

from timeline.errors.peers import HTTP
from timeline.event import SEVERITY_WARN, Lane
from timeline.facts.entities import pairs_of_type
from timeline.facts.errors import JOB_FAILURES, NETWORK_CLASSES, network_errors
from timeline.facts.searched import told_with
from timeline.facts.wordings import may_hold
from timeline.plain_texts import plain_form

if TYPE_CHECKING:
    from timeline.incident import Incident

HOST = r"([a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9-]+)+)"
URL_HOST = rf"https?://(?:[^/\s@]*@)?{HOST}"
ACCESS_LINE = r"^\S* ?\"?[A-Z]{3,8} \S+ HTTP/[0-9.]"
"""What one's own server answered: a URL in it is the page that a visitor came from."""
INSIDE = (
    r"(?i)(?:\.(?:local|internal|intranet|lan|home|corp|private|svc|cluster|test|invalid|localhost"
    r"|consul|docker|localdomain)|\.cluster\.local|\.svc\.[\w.-]+|\.compute\.internal"
    r"|\.(?:rds|cache|elb|compute|docdb|redshift)\.amazonaws\.com"
    r"|\.(?:database|redis\.cache)\.(?:azure\.com|windows\.net))$|^localhost$|^[0-9.]+$"
)
"""Special-use and customary names of own networks (RFC 6761, RFC 6762, Kubernetes), what clouds
call the databases, caches and load balancers one rents, and plain addresses."""
PUBLIC = r"(?i)\.[a-z]{2,24}$"
THROTTLED, FAILING, UNREACHABLE = "throttled", "failing", "not reachable"
_FAILING = r"(429|50\d|51[01]|52\d|530|59[89])\b"
_SAID = (
    r"status(?:[_ ]?code)?|http(?:/[\d.]+)?|code|answer(?:ed)?|returned|respon(?:ded|se)(?: with)?"
    r"|repl(?:y|ied)(?: with)?|got|received|errors?|failure|failed with|abort(?:ed)?|rejected"
    r"|statut|estado|stato|c[oó]digo|codice|antwort(?:ete)?(?: mit)?|r[eé]pon(?:se|du|d)"
    r"|respondi[oó](?: con)?|rispost[ao]|статус|ответ(?:ил)?|код"
)
STATUS = (
    rf"(?i)(?:\b|_)(?:{_SAID})\W{{0,4}}(?:status(?: code)? )?{_FAILING}"
    rf"|\b{_FAILING} (?:Client Error|Server Error|Too Many|Internal|Bad Gateway|Service|Gateway)"
    rf"|\b{_FAILING}\W{{0,3}} (?:from|for|on|at|by|calling) \S{{0,12}}://"
    rf"|://\S+ ?\W{{1,3}} ?{_FAILING}"
)
"""How clients of any language write the status that a URL answered with."""
STATUSES = (0, 1, 2, 3)
"""Its groups."""
MEASURE = (
    r"(?i)\b\d+(?:\.\d+)? ?(?:ms|msecs?|milli(?:second)?s?|[µu]s|s|secs?|seconds?|bytes?|[kmg]i?b"
    r"|rows?|records?|items?|entries|requests?|calls?|times|messages?|jobs?|attempts?)\b"
)
"""A number of something is no status."""
BARE_HOST = (
    r"(?:^|[\s\"'(=<])([a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9-]+)*\.[a-z]{2,24})"
    r"(?::\d+)?/[\w-]"
)
"""A host before a path, where a client leaves the scheme out."""
CODE_PATH = (
    r"^(?:com|org|net|edu|gov|java|jdk|javax)\."
    r"|(?:^|\.)(?:github\.com|gitlab\.com|bitbucket\.org|golang\.org|gopkg\.in"
    r"|go\.uber\.org|k8s\.io|opentelemetry\.io)$"
    r"|\.(?:js|mjs|ts|rb|py|go|java|kt|php|exs?|erl|cs|jar|gem|egg|whl|d|conf|app|so)$"
)
"""Packages and files, which look like a host before a path."""
RATE_WORDS = r"(?i)too many requests|rate.?limit(?:ed|ing)?|quota (?:exceeded|exhausted)|throttl"
RETRY_AFTER = r"(?i)retry.?after[\"']?\W{0,3}(\d{1,6})"
SAME_FAILURE_NS = 2_000_000_000
"""A queue stores a job's error within this time of the log line that tells it."""
CALL_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,
    "timestamp": pl.Int64,
    "source": pl.String,
    "actor": pl.String,
    "clock": pl.String,
    "severity_number": pl.UInt8,
    "host": pl.String,
    "how": pl.String,
    "status": pl.String,
    "retry_after": pl.Int64,  # seconds
    "fragment": pl.String,
    "peer": pl.String,
    "body": pl.String,
}


def failing_calls(incident: Incident) -> pl.DataFrame:
    """Failed calls to outside hosts (CALL_SCHEMA), time order, one per record."""
    told = pl.concat([_known(incident), _spoken(incident)], how="vertical_relaxed")
    told = told.unique("row", keep="first", maintain_order=True)
    if told.is_empty():
        return pl.DataFrame(schema=CALL_SCHEMA)
    body = pl.col("body")
    texts = told.get_column("body")
    bare = body.str.extract(plain_form(texts, BARE_HOST), 1)
    host = pl.coalesce(
        pl.col("peer").str.replace(r":\d+$", ""),
        body.str.extract(URL_HOST, 1),
        pl.when(~bare.str.contains(CODE_PATH)).then(bare),
    )
    placed = told.filter(~body.str.contains(ACCESS_LINE))
    placed = placed.with_columns(host=host.str.to_lowercase()).drop_nulls("host")
    public = placed.filter(
        pl.col("host").str.contains(PUBLIC)
        & ~pl.col("host").str.contains(plain_form(placed.get_column("host"), INSIDE))
    )
    if public.is_empty():
        return pl.DataFrame(schema=CALL_SCHEMA)
    groups = _status_groups(plain_form(texts, MEASURE), plain_form(texts, STATUS))
    calls = public.with_columns(
        status=pl.coalesce(groups.struct[group] for group in STATUSES).fill_null(""),
        retry_after=_asked_to_wait(texts),
    )
    worded = body.str.contains(RATE_WORDS) if may_hold(texts, RATE_WORDS) else pl.lit(value=False)
    throttled = (pl.col("status") == "429") | ((pl.col("status") == "") & worded)
    network = pl.col("fragment") != ""
    how = (
        pl.when(throttled)
        .then(pl.lit(THROTTLED))
        .when(pl.col("status") != "")
        .then(pl.lit(FAILING))
        .when(network)
        .then(pl.lit(UNREACHABLE))
    )
    public = calls.with_columns(how=how).drop_nulls("how")
    if public.is_empty():
        return pl.DataFrame(schema=CALL_SCHEMA)
    own, first_label = _own_names(incident), pl.col("host").str.extract(r"^([^.]+)", 1)
    outside = public.filter(~pl.col("host").is_in(own) & ~first_label.is_in(own))
    typed = outside.select(pl.col(name).cast(dtype) for name, dtype in CALL_SCHEMA.items())
    return _told_once(incident, typed.sort("timestamp", "row"))


@cache
def _status_groups(measure: str, status: str) -> pl.Expr:
    """What a body holds of `status`, one of the forms of `STATUS`; kept, since its regex is read
    when it is made, too."""
    return pl.col("body").str.replace_all(measure, "").str.extract_groups(status)


def _asked_to_wait(texts: pl.Series) -> pl.Expr:
    """Seconds after which the other side asks to be called again; null where no text says so."""
    if not may_hold(texts, RETRY_AFTER):
        return pl.lit(None, pl.Int64)
    after = pl.col("body").str.extract(plain_form(texts, RETRY_AFTER), 1)
    return after.cast(pl.Int64, strict=False)


def _told_once(incident: Incident, calls: pl.DataFrame) -> pl.DataFrame:
    """`calls` without what a job's queue and its log say of one failure, the first is kept."""
    keys = incident.snapshot.keys_of(calls.get_column("row"))
    jobs = pairs_of_type(keys, "job").unique("row", keep="first", maintain_order=True)
    named = calls.join(jobs.rename({"key": "job"}), on="row", how="left", maintain_order="left")
    apart = pl.col("timestamp").diff().over("job", "host", "status")
    again = pl.col("job").is_not_null() & (apart <= SAME_FAILURE_NS)
    return named.filter(~again.fill_null(value=False)).drop("job")


def calls_elsewhere(
    incident: Incident, calls: pl.DataFrame, host: str, first: int, last: int
) -> tuple[int, int]:
    """How many failing calls of `[first, last]` ns went elsewhere than to `host`, to one's own
    systems too; and how many of them did not even find the name of what they called."""
    during = pl.col("timestamp").is_between(first, last)
    outside = calls.filter(during & (pl.col("host") != host))
    mine = calls.filter(pl.col("host") == host).select("row")
    own = network_errors(incident.errors).filter(during)
    own = own.filter(~pl.col("body").str.contains(host, literal=True))
    own = own.join(_of_same_work(incident, mine, own), on="row", how="anti")
    names = own.filter((pl.col("error_class") == "dns") & pl.col("peer").is_not_null()).height
    rest = own.join(outside.select("row"), on="row", how="anti")
    return outside.height + rest.height, names


def _of_same_work(incident: Incident, mine: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """`row` of those of `others` that name nobody and concern a job or request of `mine`: what
    else is told of the same failure."""
    nameless = others.filter(pl.col("peer").is_null()).get_column("row")
    kinds = ("job", "request", "trace")
    keys = incident.snapshot.keys_of(nameless), incident.snapshot.keys_of(mine.get_column("row"))
    theirs, ours = (pl.concat([pairs_of_type(found, kind) for kind in kinds]) for found in keys)
    return theirs.filter(pl.col("key").is_in(ours.get_column("key").implode())).select("row")


_COLUMNS = ("row", "timestamp", "source", "actor", "clock", "severity_number")


def _known(incident: Incident) -> pl.DataFrame:
    """Errors that the table of wordings knows, which break a call to a service over HTTP."""
    system = pl.col("system")
    hits = incident.errors.filter(
        pl.col("error_class").is_in(NETWORK_CLASSES) & (system.is_null() | (system == HTTP))
    )
    return hits.select(*_COLUMNS, "fragment", pl.col("peer").fill_null(""), "body").with_columns(
        peer=pl.when(pl.col("peer") == "").then(None).otherwise("peer")
    )


def _spoken(incident: Incident) -> pl.DataFrame:
    """Other complaints that name a URL and a status: `500` is in no table of network errors."""
    severe = (pl.col("lane") == Lane.LOG.value) & (pl.col("severity_number") >= SEVERITY_WARN)
    failed = pl.col("kind").is_in(JOB_FAILURES)
    body = pl.col("body")
    address = body.str.contains("://", literal=True)
    lines = told_with(incident, severe | failed, address, *_COLUMNS[2:], "body")
    if lines.height:
        status = plain_form(lines.get_column("body"), STATUS)
        lines = lines.filter(body.str.contains(status) | body.str.contains(RATE_WORDS))
    told = lines.with_columns(
        pl.col("source", "actor", "clock").cast(pl.String).fill_null(""),
        fragment=pl.lit(""),
        peer=pl.lit(None, dtype=pl.String),
    )
    return told.select(*_COLUMNS, "fragment", "peer", "body")


def _own_names(incident: Incident) -> list[str]:
    """Names under which somebody here writes: services, hosts, clocks."""
    events = incident.snapshot.events
    names = {
        str(name).lower()
        for column in ("actor", "clock", "source")
        for name in events.get_column(column).unique().drop_nulls()
    }
    return sorted({*names, *(name.lower() for name in incident.expected_services)} - {""})
