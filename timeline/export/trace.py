"""The incident as a trace for Perfetto (ui.perfetto.dev) or chrome://tracing: zoom in with a mouse.

Sources are processes, actors their threads; a job that is seen to start and to end is a slice, all
else an instant. Findings, T and the onset have a process of their own. The format counts in µs from
the beginning of the window, so that nanoseconds survive in readers that keep numbers as doubles;
the recorded time stands beside every record. It must never pair a start with an end of another job.
Shape: Trace Event Format, JSON object form (phases `X`, `i`, `M`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from timeline.event import Kind, Precision
from timeline.export.document import Document, Evidence
from timeline.export.injection import clip, one_line
from timeline.export.publish import publish
from timeline.export.times import rfc3339
from timeline.export.told import redactions

if TYPE_CHECKING:
    from timeline.analysis import Analysis
    from timeline.export.contract import ExportOptions
    from timeline.export.redact import Redactor
    from timeline.finding import JsonValue
    from timeline.incident import Incident

NAME_CHARACTERS = 120
TEXT_CHARACTERS = 2_000
FINDINGS = "halfawake"
ENDS = (Kind.JOB_FINISHED, Kind.JOB_FAILED, Kind.JOB_DEAD, Kind.JOB_RETRIED)
"""What ends a run of a job."""


class TraceExporter:
    """Cited records on a scale that can be zoomed; with `--all` every record of the window."""

    name: ClassVar[str] = "trace"
    suffix: ClassVar[str] = ".json"

    def render(self, incident: Incident, analysis: Analysis, options: ExportOptions) -> str:
        return publish(incident, analysis, options, write, look_over)


def write(document: Document) -> str:
    """One JSON object, one event a line."""
    about: dict[str, JsonValue] = {
        "title": document.title,
        "zero": rfc3339(document.window_start, Precision.NANOSECOND),
        "times": "ts is µs since zero; recorded times stand in args, UTC, never moved",
        "records": str(document.records_total),
        "shown": str(len(document.evidence)),
        "redacted": redactions(document),
        "built by": f"halfawake {document.tool_version}".strip(),
    }
    return _text(about, [*_own(document), *_records(document)])


def look_over(text: str, redactor: Redactor) -> str:
    """The last redaction, string by string."""
    tree = redactor.value(json.loads(text))
    return _text(tree["otherData"], tree["traceEvents"])


def _text(about: JsonValue, events: Sequence[JsonValue]) -> str:
    """One event a line, so that two traces can be compared."""
    lines = ",\n".join(json.dumps(event) for event in events)
    head = json.dumps(about, indent=1)
    return f'{{"displayTimeUnit": "ns", "otherData": {head},\n"traceEvents": [\n{lines}\n]}}\n'


def _own(document: Document) -> Iterator[JsonValue]:
    """T, the onset and the findings: process 1."""
    yield _named("process_name", 1, 0, FINDINGS)
    zero, pin = document.window_start, document.pin
    yield _instant(1, 0, "T, the pinned instant", pin.timestamp - zero, {}, scope="g")
    began = document.impact.began
    if began is not None:
        yield _instant(1, 0, "onset", began.timestamp - zero, {}, scope="g")
    for number, proof in enumerate(document.findings, 1):
        yield _named("thread_name", 1, number, f"{number} {proof.verdict.value} {proof.term}")
        args: dict[str, JsonValue] = {
            "sentence": proof.sentence,
            "weakest link": proof.weakest_link,
            "cites": ", ".join(dict.fromkeys(step.cites for step in proof.steps)),
        }
        length = max(proof.ended - proof.began, 0)
        yield _slice(1, number, proof.term, proof.began - zero, length, args)


def _records(document: Document) -> Iterator[JsonValue]:
    """One process a source, one thread an actor, in the order of their first record."""
    places: dict[str, dict[str, int]] = {}
    ends = _ends(document)
    ended = {other.label for other in ends.values()}
    for record in document.evidence:
        actors = places.setdefault(record.source, {})
        pid = 2 + list(places).index(record.source)
        if not actors:
            yield _named("process_name", pid, 0, f"{record.source} ({record.lane.value})")
        actor = record.actor or record.source
        if actor not in actors:
            actors[actor] = len(actors) + 1
            yield _named("thread_name", pid, actors[actor], actor)
        at = record.moment.timestamp - document.window_start
        name = clip(one_line(record.body), NAME_CHARACTERS) or record.kind.value
        if record.label in ends:
            end = ends[record.label]
            length = end.moment.timestamp - record.moment.timestamp
            args = {**_about(record), "ended": end.kind.value, "ended by": end.label}
            yield _slice(pid, actors[actor], name, at, length, args)
        elif record.label not in ended or record.kind in (Kind.JOB_FAILED, Kind.JOB_DEAD):
            yield _instant(pid, actors[actor], name, at, _about(record))


def _ends(document: Document) -> dict[str, Evidence]:
    """By the label of a start, the first end of the same job after it and before its next start."""
    running: dict[tuple[str, str], Evidence] = {}
    ends: dict[str, Evidence] = {}
    for record in document.evidence:
        jobs = [key for key in record.keys if key.startswith("job:")]
        if len(jobs) != 1:
            continue
        run = (record.source, jobs[0])
        if record.kind is Kind.JOB_STARTED:
            running[run] = record
        elif record.kind in ENDS and run in running:
            ends[running.pop(run).label] = record
    return ends


def _about(record: Evidence) -> dict[str, JsonValue]:
    return {
        "record": record.label,
        "time": rfc3339(record.moment.timestamp, record.moment.precision),
        "clock": record.clock,
        "kind": record.kind.value,
        "severity": record.severity,
        "text": clip(one_line(record.body), TEXT_CHARACTERS),
        "keys": ", ".join(record.keys),
        "ref": record.ref,
    }


def _named(what: str, pid: int, tid: int, name: str) -> JsonValue:
    return {"ph": "M", "name": what, "pid": pid, "tid": tid, "args": {"name": one_line(name)}}


def _instant(
    pid: int, tid: int, name: str, at: int, args: dict[str, JsonValue], scope: str = "t"
) -> JsonValue:
    return {
        "ph": "i",
        "s": scope,
        "name": name,
        "pid": pid,
        "tid": tid,
        "ts": at / 1_000,
        "args": args,
    }


def _slice(
    pid: int, tid: int, name: str, at: int, length: int, args: dict[str, JsonValue]
) -> JsonValue:
    return {
        "ph": "X", "name": name, "pid": pid, "tid": tid, "ts": at / 1_000, "dur": length / 1_000,
        "args": args,
    }  # fmt: skip
