"""The timeline as CSV (RFC 4180), for spreadsheets and scripts: one line a record.

Records are told in full and in time order; T and inferred instants stand among them, and the last
line counts what is and is not there. A cell that a spreadsheet would calculate begins with an
apostrophe (`timeline.export.keys.as_text`), without exception: distances name their side in words
and need no sign.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from timeline.export import told
from timeline.export.injection import clip, one_line
from timeline.export.json_ import TEXT_CHARACTERS
from timeline.export.keys import as_text
from timeline.export.publish import publish
from timeline.export.times import from_pin, rfc3339
from timeline.words import grouped

if TYPE_CHECKING:
    from timeline.analysis import Analysis
    from timeline.export.contract import ExportOptions
    from timeline.export.document import Document, Evidence, Moment, Row
    from timeline.export.redact import Redactor
    from timeline.incident import Incident

COLUMNS = (
    "time", "distance", "source", "lane", "kind", "severity", "actor", "text", "keys", "ref",
)  # fmt: skip
KEYS_BETWEEN = "; "
TOTALS = "totals"
"""Kind of the last line, which has no time."""


class CsvExporter:
    """The rows of the timeline, one record a line."""

    name: ClassVar[str] = "csv"
    suffix: ClassVar[str] = ".csv"

    def render(self, incident: Incident, analysis: Analysis, options: ExportOptions) -> str:
        return publish(incident, analysis, options, write, look_over)


def write(document: Document) -> str:
    """Header, rows and totals, each line ending in CR LF."""
    return _text([COLUMNS, *_rows(document), _totals(document)])


def look_over(text: str, redactor: Redactor) -> str:
    """The last redaction, cell by cell: one over the raw text could break its quoting."""
    rows = list(csv.reader(io.StringIO(text, newline="")))
    redactor.screen(dict.fromkeys(cell for row in rows for cell in row))
    return _text([redactor.text(cell) for cell in row] for row in rows)


def _text(rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\r\n")
    table.writerows([as_text(cell) for cell in row] for row in rows)
    return text.getvalue()


def _rows(document: Document) -> list[Sequence[str]]:
    """By time; of equal times the order of the timeline is kept."""
    evidence = {record.label: record for record in document.evidence}
    pin = document.pin.timestamp
    dated: list[tuple[int, Sequence[str]]] = []
    for row in document.timeline:
        if not row.cites:
            dated.append((row.moment.timestamp, _own(row, pin)))
        for label in row.cites:
            record = evidence[label]
            dated.append((record.moment.timestamp, _record(record, pin)))
    return [cells for _, cells in sorted(dated, key=lambda entry: entry[0])]


def _record(record: Evidence, pin: int) -> Sequence[str]:
    return [
        *_when(record.moment, pin),
        one_line(record.source),
        record.lane.value,
        record.kind.value,
        record.severity,
        one_line(record.actor),
        clip(one_line(record.body), TEXT_CHARACTERS),
        KEYS_BETWEEN.join(one_line(key) for key in record.keys),
        one_line(record.ref),
    ]


def _own(row: Row, pin: int) -> Sequence[str]:
    """T, or an instant that was computed here: `kind` says which."""
    return [*_when(row.moment, pin), row.speaker, "", row.origin.value, "", "", row.text, "", ""]


def _when(moment: Moment, pin: int) -> Iterator[str]:
    yield rfc3339(moment.timestamp, moment.precision)
    distance = from_pin(moment.timestamp - pin, moment.precision)
    side = {"-": "before T", "+": "after T"}.get(distance[0], "from T")
    yield f"{distance.lstrip('+-')} {side}"


def _totals(document: Document) -> Sequence[str]:
    said = "; ".join(f"{fact.title}: {one_line(fact.text)}" for fact in told.built(document))
    doubts = f"To verify: {grouped(len(document.unknown))}, listed in the Markdown and JSON exports"
    text = f"{told.legend(document)} {said}. {doubts}"
    return ["", "", "halfawake", "", TOTALS, "", "", text, "", ""]
