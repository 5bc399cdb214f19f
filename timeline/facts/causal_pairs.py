"""Pairs of records of which one had to happen before the other, by an id that both carry.

They need no clock, so they tell how far two clocks are apart. Pairs come from ids alone: the job
that was pushed and then started, the call that named its callee under one request id. A job that
was retried, started twice or pushed twice gives none: its stamps may belong to different attempts.
Never compares texts to find out what belongs together.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import PRECISION_NS, Kind, Lane, Meaning
from timeline.facts.entities import job_pairs
from timeline.facts.handovers import handovers
from timeline.facts.lines import lines_at
from timeline.facts.worker_clocks import with_workers_clocks

if TYPE_CHECKING:
    from timeline.incident import Incident

PAIR_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "id": pl.String,  # the key that both records carry
    "how": pl.String,  # why one comes first, a sentence part
    "sender": pl.String,  # clock of the record that comes first
    "receiver": pl.String,  # clock of the record that comes second; never the same
    "sent": pl.Int64,  # its stamp, ns
    "received": pl.Int64,  # the latest reading that its stamp can stand for, ns
    "sent_row": pl.UInt32,
    "received_row": pl.UInt32,
}

PUSHED_FIRST = "a job is pushed before it starts"
PUSHED_BEFORE_END = "a job is pushed before it ends"
TAKEN_BEFORE_END = "a job is taken up before it ends"
PUSHED_BEFORE_LINE = "a job is pushed before its worker speaks of it"
TAKEN_BEFORE_LINE = "the queue lets a job be taken up before its worker has done it"
LINE_BEFORE_END = "a job's first line comes before its end"
PUSHED_BEFORE_SAID = "a job is pushed before its pusher says so"
REQUEST_PUSHES = "a request is begun before the job it pushes is"
REQUEST_HANDS_OVER = "a request is begun before the work it hands over is taken up"
CALL_ARRIVES = "a request is begun before the call it makes arrives"
CALL_RETURNS = "a call arrives before the request that made it is over"
"""What orders the two records of a pair."""

SPOKEN_FIRST = (
    LINE_BEFORE_END,
    REQUEST_PUSHES,
    REQUEST_HANDS_OVER,
    CALL_ARRIVES,
    CALL_RETURNS,
)
"""Pairs whose first record is a log line: one that was written out late looks like a fast clock."""

_READ_AS_IT_HAPPENED = (Meaning.OCCURRED.value, Meaning.SENT.value, Meaning.COMMITTED.value)
"""Stamps that are readings of a clock at the event itself."""
_READ_BEFORE = (*_READ_AS_IT_HAPPENED, Meaning.TRANSACTION_START.value)
"""Stamps that are readings at the event or before it (a database's `now()`, however long the commit
took): what the event caused comes after either. Of an effect the latter say nothing."""
_NOT_ONCE = (Kind.JOB_FAILED.value, Kind.JOB_RETRIED.value, Kind.JOB_DEAD.value)
MAX_REQUESTS = 2_000
"""Requests that two services share and that are looked at, spread over the window; a clock does not
need more."""
MIN_SERVICES = 2
"""One service alone calls nobody whose clock is read here."""
MAX_SHARING = 4
"""Services under one request id up to which callers are looked for; more are a fan-out whose parts
often share no call."""
PUSHED = r"(?i)\b(?:enqueued|queued|pushed|published|dispatched)\b"
"""How a service says, in the past tense, that it has pushed a job."""
PUT_BACK = r"(?i)\b(?:enqueued|re-?queued|re-?scheduled|put\b.{0,60}\bback|pushed back)\b"
"""How a worker says that it pushed a job itself: not yet that this job runs."""
BEGUN = r"(?i)\b(?:start(?:ed|ing)|begin|begun|began|received|incoming|accepted|got)\b|-->|=>"
"""How services say that a request reached them. Without such a first line, its first line may as
well have been written when the call was over."""


def causal_pairs(incident: Incident) -> pl.DataFrame:
    """Every pair of two clocks (PAIR_SCHEMA), by the instant it was received."""
    once = _ran_once(incident)
    parts = [_job_pairs(incident, once), _handed_over(incident, once), _request_pairs(incident)]
    typed = [part.select(pl.col(n).cast(t) for n, t in PAIR_SCHEMA.items()) for part in parts]
    pairs = pl.concat([pl.DataFrame(schema=PAIR_SCHEMA), *typed])
    apart = pairs.filter(pl.col("sender") != pl.col("receiver"))
    return apart.sort("received", "sent", "id", "how")


def _job_pairs(incident: Incident, once: pl.DataFrame) -> pl.DataFrame:
    """Pairs of the transitions of jobs that certainly ran `once`, and of the lines about them."""
    if once.is_empty():
        return pl.DataFrame(schema=PAIR_SCHEMA)
    pushed = once.filter(pl.col("kind") == Kind.JOB_ENQUEUED.value)
    taken = once.filter(pl.col("kind") == Kind.JOB_STARTED.value)
    started = taken.filter("at_event")
    ended = once.filter((pl.col("kind") == Kind.JOB_FINISHED.value) & pl.col("at_event"))
    parts = [
        _joined(pushed, started, PUSHED_FIRST),
        _joined(pushed, ended, PUSHED_BEFORE_END),
        _joined(taken, ended, TAKEN_BEFORE_END),
    ]
    spoken = _lines_about(incident, once.get_column("job").unique())
    if spoken.height:
        lines, last = _worker_lines(incident, spoken)
        # Others speak of jobs, too: whoever stamped the end had taken it up.
        last = last.join(ended.select("job", "clock"), on=["job", "clock"], how="semi")
        several = lines.filter(pl.col("lines") > 1)
        said = _pushers_lines(incident, spoken)
        begun = _begun_requests(incident, said)
        parts += [
            _joined(pushed, lines, PUSHED_BEFORE_LINE),
            _joined(_by_the_queue(taken, pushed), last, TAKEN_BEFORE_LINE),
            _joined(several, ended, LINE_BEFORE_END),
            _joined(pushed, said, PUSHED_BEFORE_SAID),
            _joined(begun, pushed.filter("at_event"), REQUEST_PUSHES),
            _joined(begun, started, REQUEST_PUSHES),
        ]
    return pl.concat(parts, how="vertical_relaxed")


def _joined(first: pl.DataFrame, second: pl.DataFrame, how: str) -> pl.DataFrame:
    if first.is_empty() or second.is_empty():
        return pl.DataFrame(schema=PAIR_SCHEMA)
    both = first.join(second, on="job", suffix="_second")
    return both.select(
        id="job",
        how=pl.lit(how),
        sender="clock",
        receiver="clock_second",
        sent="timestamp",
        received=pl.col("timestamp_second") + pl.col("unit_second") - 1,
        sent_row="row",
        received_row="row_second",
    )


def _ran_once(incident: Incident) -> pl.DataFrame:
    """Transitions (row, timestamp, unit, at_event, clock, kind, job) of jobs that certainly ran
    once; `at_event` says whether the stamp was read at the event and not before it."""
    moves = incident.jobs.transitions.select("row", "timestamp", "clock", "kind", "job", "worker")
    clocks = moves.get_column("clock").unique()
    if moves.is_empty() or (clocks.len() < 2 and not _keyed_elsewhere(incident, moves)):
        return _with_units(incident, moves.head(0), _READ_BEFORE)
    kind = pl.col("kind")
    counts = moves.group_by("job").agg(
        pushes=(kind == Kind.JOB_ENQUEUED.value).sum(),
        starts=(kind == Kind.JOB_STARTED.value).sum(),
        ends=(kind == Kind.JOB_FINISHED.value).sum(),
        again=kind.is_in(_NOT_ONCE).sum(),
    )
    once = counts.filter(
        (pl.col("pushes") <= 1)
        & (pl.col("starts") <= 1)
        & (pl.col("ends") <= 1)
        & (pl.col("again") == 0)
    )
    told = with_workers_clocks(incident, moves.join(once.select("job"), on="job", how="semi"))
    return _with_units(incident, told, _READ_BEFORE)


def _by_the_queue(taken: pl.DataFrame, pushed: pl.DataFrame) -> pl.DataFrame:
    """Those of `taken` that the clock of their own push stamped: the queue's, which lets a job go
    before anybody can speak of it. A worker may speak first and stamp its start then."""
    return taken.join(pushed.select("job", "clock"), on=["job", "clock"], how="semi")


def _keyed_elsewhere(incident: Incident, moves: pl.DataFrame) -> bool:
    """Whether log lines carry job keys, too: then there is a second clock to compare with."""
    return incident.shared(job_pairs).height > moves.height


def _with_units(
    incident: Incident, moves: pl.DataFrame, meanings: tuple[str, ...] = _READ_AS_IT_HAPPENED
) -> pl.DataFrame:
    """`moves` whose stamps have one of `meanings`, with the unit of each stamp (ns) and whether it
    was read as it happened."""
    if moves.is_empty():
        return moves.with_columns(unit=pl.lit(None, pl.Int64), at_event=pl.lit(None, pl.Boolean))
    events = incident.snapshot.events
    told = [events.get_column(name).gather(moves.get_column("row")) for name in _STAMP_COLUMNS]
    units = {precision.value: length for precision, length in PRECISION_NS.items()}
    return (
        moves.hstack([column.cast(pl.String) for column in told])
        .filter(pl.col("meaning").is_in(meanings))
        .with_columns(
            unit=pl.col("precision").replace_strict(units, return_dtype=pl.Int64),
            at_event=pl.col("meaning").is_in(_READ_AS_IT_HAPPENED),
        )
        .drop(_STAMP_COLUMNS)
    )


_STAMP_COLUMNS = ["meaning", "precision"]


def _lines_about(incident: Incident, jobs: pl.Series) -> pl.DataFrame:
    """LINE_SCHEMA, `job` and `unit` of log lines that name exactly one job, one of `jobs`."""
    named = incident.shared(job_pairs).rename({"key": "job"})
    alone = named.filter(pl.len().over("row") == 1, pl.col("job").is_in(jobs.implode()))
    lane = incident.snapshot.events.get_column("lane").gather(alone.get_column("row"))
    alone = alone.filter(lane == Lane.LOG.value)
    return _with_units(incident, lines_at(incident, alone.get_column("row")).join(alone, on="row"))


def _worker_lines(incident: Incident, spoken: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(row, timestamp, unit, clock, job, lines): the first line of the only worker that runs it,
    and its last one; `lines` is how many it wrote.

    A queue may keep the start of the last attempt alone, of which only the last line surely is.
    """
    lines = spoken.filter(
        pl.col("actor").is_in(sorted(incident.workers)) & ~pl.col("body").str.contains(PUT_BACK)
    )
    only = lines.filter(pl.col("clock").n_unique().over("job") == 1)
    first = only.sort("timestamp", "row").with_columns(lines=pl.len().over("job"))
    by_job = (first.unique("job", keep=end, maintain_order=True) for end in ("first", "last"))
    return next(by_job), next(by_job)


def _pushers_lines(incident: Incident, spoken: pl.DataFrame) -> pl.DataFrame:
    """The lines in which somebody who runs no jobs says that it pushed one, one a job."""
    said = spoken.filter(
        ~pl.col("actor").is_in(sorted(incident.workers)) & pl.col("body").str.contains(PUSHED)
    )
    few = said.filter(pl.len().over("job") == 1).sort("timestamp", "row")
    return few.gather_every(max(1, -(-few.height // MAX_REQUESTS)))


def _begun_requests(incident: Incident, said: pl.DataFrame) -> pl.DataFrame:
    """The lines with which the requests began that pushed the jobs of `said`."""
    if said.is_empty():
        return said
    within = incident.executions.of_rows(said.get_column("row")).join(
        said.select("row", "job", "actor"), on="row"
    )
    members = incident.executions.rows_of(within.get_column("execution").unique())
    lines = lines_at(incident, members.get_column("row")).join(members, on="row")
    first = lines.sort("timestamp", "row").unique("execution", keep="first", maintain_order=True)
    first = first.filter(pl.col("body").str.contains(BEGUN) & ~pl.col("body").str.contains(PUSHED))
    begun = first.join(within.select("execution", "job", "actor"), on=["execution", "actor"])
    return _with_units(incident, begun)


def _handed_over(incident: Incident, once: pl.DataFrame) -> pl.DataFrame:
    """Requests and the work they handed over, where no queue stamped either end of it: of jobs
    that ran `once`, and of those that ran again, the queue did."""
    moves = incident.jobs.transitions.select("job", "kind")
    repeated = moves.group_by("job").agg(
        again=pl.col("kind").is_in(_NOT_ONCE).any()
        | ((pl.col("kind") == Kind.JOB_STARTED.value).sum() > 1)
        | ((pl.col("kind") == Kind.JOB_ENQUEUED.value).sum() > 1)
    )
    again = repeated.filter("again").get_column("job")
    found = handovers(incident, pl.concat([once.get_column("job"), again]).unique())
    if found.is_empty():
        return pl.DataFrame(schema=PAIR_SCHEMA)
    rows = pl.concat([found.get_column("begun_row"), found.get_column("taken_row")])
    lines = _with_units(incident, lines_at(incident, rows))
    lines = lines.select("row", "timestamp", "unit", "clock")
    both = found.join(lines, left_on="begun_row", right_on="row").join(
        lines, left_on="taken_row", right_on="row", suffix="_second"
    )
    return both.select(
        "id",
        how=pl.lit(REQUEST_HANDS_OVER),
        sender="clock",
        receiver="clock_second",
        sent="timestamp",
        received=pl.col("timestamp_second") + pl.col("unit_second") - 1,
        sent_row="begun_row",
        received_row="taken_row",
    )


def _request_pairs(incident: Incident) -> pl.DataFrame:
    """Calls between two services under one request id, where the caller names the callee."""
    if incident.executions.frame.get_column("actor").n_unique() < MIN_SERVICES:
        return pl.DataFrame(schema=PAIR_SCHEMA)
    shared = _shared_requests(incident)
    if shared.is_empty():
        return pl.DataFrame(schema=PAIR_SCHEMA)
    members = incident.executions.rows_of(shared.get_column("execution"))
    lines = lines_at(incident, members.get_column("row"))
    lines = lines.join(members, on="row").join(shared, on="execution")
    lines = _with_meaning(incident, lines)
    calls = _named_calls(lines)
    if calls.is_empty():
        return pl.DataFrame(schema=PAIR_SCHEMA)
    ends = (
        lines.sort("timestamp", "row")
        .group_by("id", "actor")
        .agg(
            lines=pl.len(),
            clock=pl.col("clock").first(),
            clocks=pl.col("clock").n_unique(),
            first=pl.col("timestamp").first(),
            first_row=pl.col("row").first(),
            first_unit=pl.col("unit").first(),
            first_body=pl.col("body").first(),
            last=pl.col("timestamp").last(),
            last_row=pl.col("row").last(),
            last_unit=pl.col("unit").last(),
        )
    )
    ends = ends.filter(pl.col("clocks") == 1)
    caller = ends.filter((pl.col("lines") > 1) & pl.col("first_body").str.contains(BEGUN))
    callee = ends.filter(pl.col("first_body").str.contains(BEGUN))
    both = calls.join(caller, left_on=["id", "caller"], right_on=["id", "actor"]).join(
        callee, left_on=["id", "callee"], right_on=["id", "actor"], suffix="_callee"
    )
    arrives = both.select(
        "id",
        how=pl.lit(CALL_ARRIVES),
        sender="clock",
        receiver="clock_callee",
        sent="first",
        received=pl.col("first_callee") + pl.col("first_unit_callee") - 1,
        sent_row="first_row",
        received_row="first_row_callee",
    )
    returns = both.select(
        "id",
        how=pl.lit(CALL_RETURNS),
        sender="clock_callee",
        receiver="clock",
        sent="first_callee",
        received=pl.col("last") + pl.col("last_unit") - 1,
        sent_row="first_row_callee",
        received_row="last_row",
    )
    return pl.concat([arrives, returns])


def _shared_requests(incident: Incident) -> pl.DataFrame:
    """(execution, id) of requests that two to a few services logged under different clocks."""
    frame = incident.executions.frame
    hashed = frame.select(  # numbers for texts: a tenth of the time
        "execution",
        "start",
        pl.col("clock").to_physical(),
        pl.col("id").hash(),
        asked=pl.col("kind") == "request",
    )
    again = hashed.filter(pl.col("asked") & pl.col("id").is_duplicated())
    several = again.group_by("id").agg(
        pl.col("execution", "start").min(),
        actors=pl.len(),
        clocks=pl.col("clock").max() - pl.col("clock").min(),
    )
    shared = several.filter((pl.col("clocks") > 0) & (pl.col("actors") <= MAX_SHARING))
    shared = shared.sort("start", "execution")
    few = shared.gather_every(max(1, -(-shared.height // MAX_REQUESTS)))
    wanted = again.filter(pl.col("id").is_in(few.get_column("id").implode()))
    return frame.select(pl.col("execution", "id").gather(wanted.get_column("execution")))


def _with_meaning(incident: Incident, lines: pl.DataFrame) -> pl.DataFrame:
    shown = lines.select("row", "timestamp", "clock", "actor", "body", "id").unique()
    return _with_units(incident, shown)


def _named_calls(lines: pl.DataFrame) -> pl.DataFrame:
    """(id, caller, callee) where a line of the caller names the callee and none the reverse."""
    found = []
    by_name = lines.select("id", callee="actor").unique()
    told = lines.select("id", "actor", "body", lower=pl.col("body").str.to_lowercase())
    for (callee,), ids in by_name.group_by("callee"):
        held = pl.col("lower").str.contains(str(callee).lower(), literal=True)
        named = told.filter((pl.col("actor") != callee) & held)
        if named.is_empty():
            continue
        name = rf"(?i)(?:^|[^\w.-]){re.escape(str(callee))}(?:[^\w-]|$)"
        others = named.join(ids, on="id").filter(pl.col("body").str.contains(name))
        found.append(others.select("id", pl.col("actor").alias("caller"), "callee"))
    calls = pl.concat(found).unique() if found else pl.DataFrame()
    if calls.is_empty():
        return calls
    back = calls.select("id", caller="callee", callee="caller")
    return calls.join(back, on=["id", "caller", "callee"], how="anti").sort("id", "caller")
