"""Updates of one row of which the later one cannot have seen, or has undone, the earlier one.

Two signs. `same base`: both writes record that they found the same old value, so whichever came
second wrote over the other without having seen it; that needs no clock. `put back`: the second
write found the first one's value and put the old one back while it changed something else, as a
program does that saves a whole row it had read before. Who wrote is told by transaction or request
ids, or inferred from the job that was running on the row, or from the request whose own line names
the row at that instant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from timeline.event import Event, Lane
from timeline.facts.records import LONGEST_TRANSACTION_NS
from timeline.facts.roles import RUN_SLACK_NS
from timeline.facts.spoken_writers import Span, spans_of, spoken_writers, writer_at
from timeline.facts.turns_taken import BACK, TURNS, turns
from timeline.facts.versions import NO_UPDATE, changes_in, details_of
from timeline.order import Verdict, at_least, before

if TYPE_CHECKING:
    from timeline.incident import Incident

SAME_BASE, PUT_BACK = "same base", "put back"
NEAR_NS = 5_000_000_000
"""Two writers of one row that nothing else ties together met within five seconds (D04, D02)."""
MAX_PAIRS = 200
"""More overwrites than this are one story; the earliest are told."""
MAX_LINES = 2_000
"""Lines of the requests that wrote which are looked at, by time."""
OWN_ACCORD = (
    r"(?i)^(?:.+_(?:at|on|count|counter|counts)|created|updated|modified|lock_version|version|"
    r"position|rank|attempts|retries|tries|touched|row_start|row_end)$"
)
"""Columns that are kept by frameworks, triggers or plain SQL (stamps, counter caches, places in a
list): they move between two recorded versions without leaving one."""
STATE = r"(?i)(?:^|_)(?:status|state|type|kind|id)$"
"""Columns whose equal new values are one and the same step, even where they are numbers."""
NUMBER = r'^"?-?\d+(?:\.\d+)?"?$'


@dataclass(frozen=True, slots=True)
class Writer:
    """A request or a job run (`name` is its key) that wrote, from its first sign to its last."""

    name: str
    began: Event
    ended: Event
    inferred: bool


@dataclass(frozen=True, slots=True)
class Write:
    """One recorded update of one column. `value` is what it left, as JSON text; `at` is ns UTC."""

    row: int
    at: int
    actor: str
    value: str
    txn: str
    request: str
    number: str
    lock: str


@dataclass(frozen=True, slots=True)
class Overwrite:
    """Two updates of one column of one row. `base` is the value that was there before both.

    `others` are the columns that the second write changed besides. `overlap` is how sure it is that
    the second writer had begun when the first wrote, and `because` why; None where it had not, or
    where nothing tells when it began (`writers` is empty then).
    """

    sign: str
    thing: str
    name: str
    table: str
    column: str
    base: str
    one: Write
    two: Write
    others: tuple[str, ...]
    writers: tuple[Writer, ...]
    overlap: Verdict | None
    because: str
    back: bool = False
    """Whether `base` was there more than once, and no clock tells which write came first."""

    @property
    def gap(self) -> int:
        return self.two.at - self.one.at

    @property
    def apart(self) -> bool:
        """Whether ids say that two different transactions, requests or people wrote."""
        named = (
            (self.one.txn, self.two.txn),
            (self.one.request, self.two.request),
            (self.one.actor, self.two.actor),
        )
        return any(one and two and one != two for one, two in named) or (
            len(self.writers) > 1 and self.writers[0].name != self.writers[1].name
        )


def overwrites(incident: Incident) -> list[Overwrite]:
    """Every pair of updates with one of the two signs, in time order."""
    changes = changes_in(incident, LONGEST_TRANSACTION_NS)
    pairs = _by_two_writers(incident, _signed(changes))
    if pairs.is_empty():
        return []
    pairs = pairs.with_columns(turns(incident, changes, pairs)).filter(
        (pl.col("sign") != SAME_BASE) | (pl.col("turns") != TURNS) | _one_version()
    )
    spans = _Spans.of(incident, pairs)
    found = (_told(incident, pair, spans) for pair in pairs.iter_rows(named=True))
    return [one for one in found if one is not None]


def _one_version() -> pl.Expr:
    """Whether both writes say that they changed one and the same version."""
    both = [
        (pl.col(name) != "") & (pl.col(name) == pl.col(f"{name}_1")) for name in ("lock", "number")
    ]
    return pl.any_horizontal(both)


def _signed(changes: pl.DataFrame) -> pl.DataFrame:
    """Each change beside the change of the same column before it, where they show a sign."""
    told = changes.sort("chain", "column", "timestamp", "seq", "row")
    earlier = ("row", "timestamp", "old", "new")
    told = told.with_columns(pl.col(name).shift(1).alias(f"{name}_1") for name in earlier)
    follows = (pl.col("chain") == pl.col("chain").shift(1)) & (
        pl.col("column") == pl.col("column").shift(1)
    )
    near = pl.col("timestamp") - pl.col("timestamp_1") <= LONGEST_TRANSACTION_NS
    same = (pl.col("old") == pl.col("old_1")) & (pl.col("old") != pl.col("new_1"))
    back = (pl.col("old") == pl.col("new_1")) & (pl.col("new") == pl.col("old_1"))
    sign = pl.when(same).then(pl.lit(SAME_BASE)).when(back).then(pl.lit(PUT_BACK))
    told = told.with_columns(sign=sign).filter(follows & near & pl.col("sign").is_not_null())
    counts = pl.col("new").str.contains(NUMBER) & ~pl.col("column").str.contains(STATE)
    one_step = (pl.col("sign") == SAME_BASE) & (pl.col("new") == pl.col("new_1")) & ~counts
    told = told.filter(~one_step & ~pl.col("column").str.contains(OWN_ACCORD))
    return told.sort("timestamp", "chain", "column").head(MAX_PAIRS)


def _by_two_writers(incident: Incident, pairs: pl.DataFrame) -> pl.DataFrame:
    """`pairs` with the details of both updates; without those that one transaction or request
    made, and those that are no updates."""
    if pairs.is_empty():
        return pairs
    details = details_of(incident, pl.concat([pairs["row"], pairs["row_1"]]))
    first = details.select(pl.all().name.suffix("_1"))
    pairs = pairs.join(details, on="row").join(first, on="row_1")
    one_writer = [
        (pl.col(name) != "") & (pl.col(name) == pl.col(f"{name}_1")) for name in ("txn", "request")
    ]
    updates = [~pl.col(name).is_in(NO_UPDATE) for name in ("action", "action_1")]
    pairs = pairs.filter(~pl.any_horizontal(one_writer), *updates)
    return pairs.sort("timestamp", "chain", "column")


def _told(incident: Incident, pair: dict[str, object], spans: _Spans) -> Overwrite | None:
    one, two = _write(pair, "_1"), _write(pair, "")
    others = tuple(name for name in _names(pair, "") if name not in _names(pair, "_1"))
    sign = str(pair["sign"])
    if sign == PUT_BACK and not others:
        return None  # somebody changed it back on purpose
    writers = spans.of_pair(str(pair["thing"]), one, two)
    if len(writers) == 1:
        return None  # one job that wrote twice
    overlap, because = _overlap(incident, one, writers)
    return Overwrite(
        sign=sign,
        thing=str(pair["thing"]),
        name=str(pair["name"]),
        table=str(pair["table"]),
        column=str(pair["column"]),
        base=str(pair["old_1"]),
        one=one,
        two=two,
        others=others,
        writers=writers,
        overlap=overlap,
        because=because,
        back=pair["turns"] == BACK,
    )


def _names(pair: dict[str, object], end: str) -> list[str]:
    """Columns that the version changed, without those that move of their own accord."""
    columns = pair[f"columns{end}"]
    if not isinstance(columns, list):
        return []
    return sorted(name for name in columns if not re.search(OWN_ACCORD, name))


def _write(pair: dict[str, object], end: str) -> Write:
    row, at = pair[f"row{end}"], pair[f"timestamp{end}"]
    if not isinstance(row, int) or not isinstance(at, int):
        raise TypeError("a version has a row and a stamp")
    names = ("actor", "new", "txn", "request", "number", "lock")
    actor, value, txn, request, number, lock = (str(pair[f"{name}{end}"]) for name in names)
    return Write(row, at, actor, value, txn, request, number, lock)


def _overlap(
    incident: Incident, one: Write, writers: tuple[Writer, ...]
) -> tuple[Verdict | None, str]:
    """How sure it is that the second writer had begun before the first one wrote.

    The first version's stamp is no later than its commit, so whoever began before it cannot have
    waited for that commit.
    """
    if not writers:
        return None, "when the second writer began is not on record"
    over = before(writers[0].ended, writers[1].began, incident.clocks)
    if over.verdict is not None and at_least(over.verdict, Verdict.LIKELY):
        return None, "the second writer began after the first was done"
    order = before(writers[1].began, incident.snapshot.event(one.row), incident.clocks)
    if order.verdict is not None:
        return order.verdict, order.because
    return None, "the second writer began after the first had written"


class _Run(NamedTuple):
    """One run of a job that has ended; ns, and its two event rows."""

    job: str
    start: int
    end: int
    start_row: int
    end_row: int


@dataclass(frozen=True)
class _Spans:
    """First and last line of the requests that wrote, and the job runs on the rows."""

    requests: dict[str, Writer]
    runs: dict[str, list[_Run]]
    """By thing: the job runs on it."""
    spoken: Mapping[str, tuple[tuple[int, str], ...]]
    """By thing: when a request spoke of it."""
    spans: Mapping[str, Span]
    """Of those requests."""
    incident: Incident

    @staticmethod
    def of(incident: Incident, pairs: pl.DataFrame) -> _Spans:
        named = [pairs.get_column(name) for name in ("request", "request_1")]
        ids = [value for value in pl.concat(named).unique().to_list() if value]
        spoken = spoken_writers(incident, pairs.get_column("thing"))
        keys = sorted({key for told in spoken.values() for _, key in told})
        spans = spans_of(incident, keys)
        return _Spans(_requests(incident, ids), _runs(incident, pairs), spoken, spans, incident)

    def of_pair(self, thing: str, one: Write, two: Write) -> tuple[Writer, ...]:
        """The two writers; one where a single job wrote both; none where they are not known."""
        told = [self.requests.get(write.request) for write in (one, two)]
        if told[0] is not None and told[1] is not None:
            return (told[0], told[1])
        first, second = (self._running(thing, write.at) for write in (one, two))
        if not first or not second:
            return self._speaking(thing, one, two)
        names = {run.job for run in (*first, *second)}
        if len(names) == 1:
            return (self._writer(first[0]),)
        for run in second:
            other = next((one for one in first if one.job != run.job), None)
            if other is not None:
                return (self._writer(other), self._writer(run))
        return ()

    def _speaking(self, thing: str, one: Write, two: Write) -> tuple[Writer, ...]:
        """The requests whose own lines name the thing as it was written."""
        names = [writer_at(self.spoken.get(thing, ()), write.at) for write in (one, two)]
        if not all(names):
            return ()
        return tuple(
            Writer(name, *self.spans[name], inferred=True) for name in dict.fromkeys(names)
        )

    def _running(self, thing: str, at: int) -> list[_Run]:
        runs = self.runs.get(thing, ())
        return [run for run in runs if run.start - RUN_SLACK_NS <= at <= run.end + RUN_SLACK_NS]

    def _writer(self, run: _Run) -> Writer:
        began, ended = self.incident.snapshot.events_at([run.start_row, run.end_row])
        return Writer(run.job, began, ended, inferred=True)


def _requests(incident: Incident, ids: list[str]) -> dict[str, Writer]:
    if not ids:
        return {}
    snapshot = incident.snapshot
    keys = pl.Series([f"request:{value}" for value in ids], dtype=pl.String)
    held = snapshot.keys.filter(pl.col("key").is_in(keys.implode()))
    shown = snapshot.events.select(pl.col("lane", "timestamp").gather(held.get_column("row")))
    lines = held.hstack(shown).filter(pl.col("lane") == Lane.LOG.value)
    spans = (
        lines.sort("timestamp", "row")
        .group_by("key", maintain_order=True)
        .agg(pl.col("row").first(), last=pl.col("row").last())
        .head(MAX_LINES)
    )
    firsts = snapshot.events_at(spans.get_column("row").to_list())
    lasts = snapshot.events_at(spans.get_column("last").to_list())
    return {
        key.removeprefix("request:"): Writer(key, first, last, inferred=False)
        for key, first, last in zip(spans.get_column("key"), firsts, lasts, strict=True)
    }


def _runs(incident: Incident, pairs: pl.DataFrame) -> dict[str, list[_Run]]:
    things = pairs.get_column("thing").unique()
    held = incident.jobs.entities.filter(pl.col("key").is_in(things.implode()))
    runs = incident.jobs.runs.drop_nulls("end").join(held, on="job").sort("start", "job")
    found: dict[str, list[_Run]] = {}
    told = runs.select("key", "job", "start", "end", "start_row", "end_row")
    for key, *run in told.iter_rows():
        found.setdefault(key, []).append(_Run(*run))
    return found


def overlapped(one: Overwrite) -> bool:
    """Whether it is at least likely that the two writers were under way at once."""
    return one.overlap is not None and at_least(one.overlap, Verdict.LIKELY)
