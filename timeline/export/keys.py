"""The list that is worked through afterwards, as CSV: one line a key, finding by finding.

Who got what: done, failed, never tried, doubled, safe to replay or not. The order is the
detectors' own, so that work can be resumed from it. Cells that a spreadsheet would take for a
formula are made text (OWASP, "CSV Injection").
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, ClassVar

from timeline.export.injection import one_line
from timeline.export.markdown_words import IDS_SENTENCE
from timeline.export.publish import redactor_of

if TYPE_CHECKING:
    from timeline.analysis import Analysis
    from timeline.export.contract import ExportOptions
    from timeline.incident import Incident

COLUMNS = ("finding", "verdict", "key", "state", "note")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""With any of these a cell begins that Excel, LibreOffice or Google Sheets would calculate."""


class KeysExporter:
    """Every affected key with what became of it."""

    name: ClassVar[str] = "keys"
    suffix: ClassVar[str] = ".csv"

    def render(self, incident: Incident, analysis: Analysis, options: ExportOptions) -> str:
        redactor = redactor_of(incident, analysis, options)
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(COLUMNS)
        for finding in analysis.findings:
            if finding.qualifier and not finding.lists_work:
                continue
            for repair in finding.repairs():
                about = (finding.term, finding.verdict.value)
                told = (*about, repair.key, repair.state, repair.note)
                table.writerow(as_text(redactor.text(one_line(cell))) for cell in told)
        if said := _said(options):
            table.writerow(("redaction", "", "", "", as_text(redactor.text(one_line(said)))))
        return text.getvalue()


def _said(options: ExportOptions) -> str:
    """What a reader must know of the list, when it is not simply redacted."""
    if options.no_redact_reason:
        return f"not redacted, because: {options.no_redact_reason}"
    return IDS_SENTENCE if options.pseudonymise_ids else ""


def as_text(cell: str) -> str:
    """`cell`, with an apostrophe before what a spreadsheet would calculate."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell
