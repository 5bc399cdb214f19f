"""The only way out for a document: built, redacted, rendered, and looked over once more.

Rendering can join what was harmless apart, so the finished text is redacted a second time; what
that finds is counted and the text rendered again with the true figures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from timeline.export.authors import authors_in
from timeline.export.build import document_of
from timeline.export.links import linked
from timeline.export.people import RULE, as_roles
from timeline.export.recount import without_broken
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
    its own, the others get one line by line. `details` asks for the detectors' own
    evidence fields, which can hold thousands of operations and which not every format prints;
    `bands` for the counts that a picture draws.
    """
    redactor = redactor_of(incident, analysis, options)
    built = document_of(incident, analysis, options, details=details, bands=bands)
    document = without_broken(built, redactor.value(built))
    names: tuple[tuple[str, int], ...] = ()
    if options.redacted:
        document, replaced = as_roles(document, options.keep, authors_in(incident))
        names = ((RULE, replaced),) if replaced else ()
    redactor.without_ids()  # in a finished text a number may be a coordinate
    document = linked(replace(document, ids_replaced=options.pseudonymise_ids), options.links)
    look_over = last_pass or (lambda text, last: last.lines(text))
    text = write(replace(document, redactions=tuple(sorted((*names, *redactor.counts)))))
    checked = look_over(text, redactor)
    if checked == text:
        return text
    return look_over(
        write(replace(document, redactions=tuple(sorted((*names, *redactor.counts))))), redactor
    )


def redactor_for(options: ExportOptions) -> Redactor:
    """A fresh redactor with the team's rules before the built-in ones; idle when switched off."""
    rules = (*options.extra_rules, *RULES) if options.redacted else ()
    return Redactor(rules, keep=options.keep, key=options.stand_in_key)


def redactor_of(incident: Incident, analysis: Analysis | None, options: ExportOptions) -> Redactor:
    """The same, which also replaces the ids of this incident where that was asked for."""
    redactor = redactor_for(options)
    if options.pseudonymise_ids:
        redactor.with_ids(_keys(incident, analysis))
    return redactor


def _keys(incident: Incident, analysis: Analysis | None) -> list[str]:
    """Every key that a record or a finding names, sorted: their order must not tell anything."""
    named = set(incident.snapshot.keys.get_column("key").unique().to_list())
    if analysis is not None:
        named.update(analysis.state.victims)
        named.update(key for finding in analysis.findings for key in finding.keys)
        named.update(work.key for finding in analysis.findings for work in finding.repairs())
    return sorted(named)
