"""A row of a written postmortem as `timeline.postmortem` compares it with the records."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.notes.reading import Written
from timeline.clean import LINE_BREAK, clean
from timeline.postmortem import Claim

ASSUMED = "its zone is not written: read as UTC (--zone says another)"


def claim_of(written: Written) -> Claim:
    """The row with what had to be assumed of its time."""
    note, stamp = written.note, written.moment.stamp
    text = clean(f"{note.loosely} {note.text}".strip())
    return Claim(
        stamp.ns,
        stamp.precision,
        LINE_BREAK.join([text, *(clean(line.strip()) for line in written.lines)]),
        f"{clean(written.file)}@{written.offset}",
        why_undated=stamp.reason,
        assumed="" if stamp.ns is None else "; ".join(_assumed(written)),
    )


def _assumed(written: Written) -> Iterator[str]:
    if written.moment.assumed:
        yield written.moment.assumed
    if written.moment.stamp.zone_assumed:
        yield ASSUMED
