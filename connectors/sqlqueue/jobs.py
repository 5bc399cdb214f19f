"""From a row of a queue's tables to the transitions that it tells, in the shape all queues share.

Arguments are JSON or stay closed. What a stamp means is said by the description; nothing is
invented here: a column that is empty tells nothing, and a state tells only the stamps it vouches
for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.postgresql.session import Cell
from connectors.postgresql.session import Row as Cells
from connectors.queues.active_job import TITLE_CHARACTERS, call_of
from connectors.queues.payload import call_text, cut, json_value, keys_of, names_for, too_large
from connectors.queues.transitions import (
    LATEST_NS,
    JobFacts,
    Moment,
    iso,
    transition,
)
from connectors.sqlqueue.shape import Records, System
from connectors.sqlqueue.statements import ARGUMENT_LENGTH
from timeline.event import Event, Kind, Precision
from timeline.keys import KeyRules
from timeline.window import SECOND_NS


@dataclass(frozen=True, slots=True)
class Row:
    """One row by the names of its columns."""

    cells: Mapping[str, Cell]

    @classmethod
    def of(cls, fields: Sequence[str], cells: Cells) -> Row:
        return cls(dict(zip(fields, cells, strict=True)))

    @property
    def id(self) -> str:
        return self.text("id")

    @property
    def job(self) -> str:
        """Id of the job that it is, or is about."""
        return self.text("job")

    @property
    def running(self) -> bool:
        return self.cells.get("running") is True

    @property
    def lost(self) -> bool:
        """Whether it runs on record and its worker has missed its heartbeats."""
        return self.running and self.cells.get("lost") is True

    def text(self, name: str) -> str:
        cell = self.cells.get(name)
        return "" if cell is None else str(cell)

    def whole(self, name: str) -> int | None:
        cell = self.cells.get(name)
        return cell if isinstance(cell, int) and not isinstance(cell, bool) else None

    def stamp(self, name: str) -> int | None:
        """ns UTC of a column of microseconds; None where it cannot be an instant."""
        microseconds = self.whole(name)
        found = None if microseconds is None else microseconds * 1_000
        return found if found is not None and 0 < found <= LATEST_NS else None


@dataclass(frozen=True, slots=True)
class Call:
    """What a job was asked to do, cleaned."""

    job_class: str
    args: str
    positional: Sequence[object] = ()
    other_id: str = ""
    unopened: str = ""
    """Why its arguments are not shown, `YAML, 312 bytes, not opened`; empty when they are."""
    called: str = ""
    """What people call it, where that is not its class."""

    @property
    def title(self) -> str:
        if self.called and not self.job_class:
            return self.called
        shown = self.unopened or cut(self.args)
        if len(shown) > TITLE_CHARACTERS:
            shown = f"{shown[:TITLE_CHARACTERS]}…"
        return f"{self.called or self.job_class or 'a job without a class'}({shown})"


def call_in(row: Row, opaque_format: str) -> Call:
    """The call of a job's row: JSON arguments, also in Active Job's envelope; the rest closed."""
    job_class, other_id = row.text("job_class"), row.text("other_id")
    if (size := row.whole("opaque_bytes")) is not None:
        unopened = f"{opaque_format}, {size} bytes, not opened"
        return Call(job_class, "", other_id=other_id, unopened=unopened)
    size, raw = row.whole("args_bytes"), row.text("args")
    if size is None:
        return Call(job_class, "", other_id=other_id)
    if row.cells.get("args") is None or len(raw) > ARGUMENT_LENGTH:
        return Call(job_class, "", other_id=other_id, unopened=too_large(size))
    value = json_value(raw)
    if value is None and raw != "null":
        return Call(job_class, "", other_id=other_id, unopened=f"not JSON, {size} bytes")
    if isinstance(value, dict) and not ("job_class" in value and "arguments" in value):
        return Call(job_class, call_text((), value), other_id=other_id)
    listed = value if isinstance(value, list) else [] if value is None else [value]
    call = call_of({"class": job_class, "args": listed})
    return Call(
        call.job_class or job_class, call.text, call.arguments, other_id or call.active_job_id
    )


@dataclass(frozen=True, slots=True)
class JobLife:
    """Turns rows of one source into events."""

    source: str
    system: System
    label: str
    """The table of jobs, as references name it."""
    history_label: str
    key_rules: KeyRules
    arguments: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Names of positional arguments by job class."""
    call: Callable[[Row, str], Call] = call_in
    """Reads the call of a row whose arguments are kept in a form of the product's own."""

    def of(self, row: Row, history: Sequence[Row], now: int) -> Iterator[Event]:
        """Every transition that is on record of one job, in no particular order."""
        facts = self.facts(row)
        told = set[tuple[Kind, int]]()
        for past in history:
            for moment in self._moments(self.system.history, past, row, self.history_label):
                told.add((moment.kind, moment.timestamp))
                yield transition(self.source, facts, moment)
        for moment in self._moments(self.system.jobs, row, row, self.label):
            if (moment.kind, moment.timestamp) not in told:  # the history says it better
                yield transition(self.source, facts, moment)
        if row.lost and (silent := self._silence(row, now)) is not None:
            yield transition(self.source, facts, silent)

    def keys(self, row: Row) -> tuple[str, ...]:
        """`job:<id>`, Active Job's own id, and whatever the arguments name."""
        return self._keys(row, self.call(row, self.system.jobs.opaque_format))

    def facts(self, row: Row) -> JobFacts:
        call = self.call(row, self.system.jobs.opaque_format)
        details: dict[str, object] = {"kept_in": self.label}
        details |= {
            name: row.text(f"+{name}")
            for name in self.system.jobs.details
            if row.cells.get(f"+{name}") is not None
        }
        if call.other_id:
            details["active_job_id"] = call.other_id
        if call.unopened:
            details["payload"] = call.unopened
        if (due := row.stamp("due")) is not None:
            details["due_at"] = iso(due)
        if row.running and (beat := row.stamp("heartbeat")) is not None:
            details["last_heartbeat"] = iso(beat)
        if row.lost:
            details["lost"] = self.system.lost_means
        attempt, most = row.whole("attempt"), row.whole("max_attempts")
        return JobFacts(
            id=row.job,
            title=call.title,
            job_class=call.job_class,
            queue=row.text("queue"),
            args=cut(call.args),
            status=row.text("state"),
            keys=self._keys(row, call),
            attempt=attempt,
            retries_left=None if attempt is None or most is None else max(most - attempt, 0),
            details=details,
        )

    def _keys(self, row: Row, call: Call) -> tuple[str, ...]:
        names = names_for(call.job_class, self.arguments)
        ids = [f"job:{one}" for one in (row.job, call.other_id) if one]
        found = keys_of(self.key_rules, call.args, names, call.positional)
        return tuple(dict.fromkeys((*ids, *found)))

    def _moments(self, records: Records | None, row: Row, job: Row, label: str) -> Iterator[Moment]:
        if records is None:
            return
        worker, error = row.text("worker"), row.text("error")
        for stamp in records.stamps:
            found = row.stamp(f"@{stamp.name}")
            if found is None or (stamp.states and row.text("state") not in stamp.states):
                continue
            yield Moment(
                stamp.kind,
                found,
                stamp.words.format_map(_Words(row, job, found)),
                f"{label}/{row.id}#{stamp.name}@{found}",
                clock=stamp.clock,
                meaning=stamp.meaning,
                precision=Precision.MICROSECOND,
                worker=worker if stamp.kind is not Kind.JOB_ENQUEUED else "",
                error=error if stamp.with_error else "",
                stage=stamp.stage,
                details={"attempt": row.whole("attempt")}
                if row is not job and row.whole("attempt") is not None
                else {},
            )

    def _silence(self, row: Row, now: int) -> Moment | None:
        beat = row.stamp("heartbeat")
        if beat is None:
            return None
        return Moment(
            Kind.CHANGE,
            beat,
            f"was running: last heartbeat of worker {row.text('worker') or '?'}; "
            f"{self.system.lost_means}, so it was killed, is stuck or has lost the database at "
            "some instant after this",
            f"{self.label}/{row.id}#heartbeat@{beat}",
            clock=self.system.jobs.heartbeat_clock,
            worker=row.text("worker"),
            details={"seen_at": iso(now)},
        )


class _Words(dict[str, str]):
    """What a description's words may name; what a row does not know reads as `?`."""

    def __init__(self, row: Row, job: Row, stamp: int) -> None:
        due, attempt = job.stamp("due"), row.whole("attempt")
        begun = bool(job.whole("attempt"))
        later = due is not None and due - stamp >= SECOND_NS and not begun
        super().__init__(
            queue=job.text("queue") or "?",
            due="?" if due is None else iso(due),
            later=f", to run at {iso(due or 0)}" if later else "",
            worker=row.text("worker") or "?",
            attempt="?" if attempt is None else str(attempt),
        )

    def __missing__(self, name: str) -> str:
        return "?"


def undated(records: Records, row: Row) -> bool:
    """Whether a row tells no stamp at all that can be placed."""
    return not any(row.stamp(f"@{name}") is not None for name in records.columns)
