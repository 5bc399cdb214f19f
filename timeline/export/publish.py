"""The only way out for a document: built, redacted, rendered, and looked over once more.

Rendering can join what was harmless apart, so the finished text is redacted a second time; what
that finds is counted and the text rendered again with the true figures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from timeline.export.build import document_of
from timeline.export.redact import Redactor
from timeline.export.rules import RULES

if TYPE_CHECKING:
    from timeline.analysis import Analysis
    from timeline.export.contract import ExportOptions
    from timeline.export.document import Document
    from timeline.incident import Incident


def publish(
    incident: Incident,
    analysis: Analysis,
    options: ExportOptions,
    write: Callable[[Document], str],
    last_pass: Callable[[str, Redactor], str] | None = None,
    *,
    details: bool = False,
    bands: bool = False,
) -> str:
    """The text that `write` makes of the redacted document.

    `last_pass` redacts the finished text; a format whose syntax a replacement could break passes
    its own, the others get one over the text as it stands. `details` asks for the detectors' own
    evidence fields, which can hold thousands of operations and which not every format prints;
    `bands` for the counts that a picture draws.
    """
    redactor = redactor_for(options)
    document = redactor.value(
        document_of(incident, analysis, options, details=details, bands=bands)
    )
    look_over = last_pass or (lambda text, last: last.text(text))
    text = write(replace(document, redactions=redactor.counts))
    checked = look_over(text, redactor)
    if checked == text:
        return text
    return look_over(write(replace(document, redactions=redactor.counts)), redactor)


def redactor_for(options: ExportOptions) -> Redactor:
    """A fresh redactor with the team's rules before the built-in ones; idle when switched off."""
    return Redactor((*options.extra_rules, *RULES) if options.redacted else ())
