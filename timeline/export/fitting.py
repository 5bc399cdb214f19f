"""How many rows a timeline of many keeps where a format has a limit: those around T.

Only a timeline of all records is ever shortened here; the one that was chosen fits one look. What
is told beside it (findings, what is not known) is worth more than its farthest rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from timeline.export.document import Document, Origin

ROWS_KEPT = 15
"""As many rows as a chosen timeline has at most; they are cut last."""


def around_pin(
    document: Document, rows: Sequence[str], beside: Sequence[str], room: int
) -> tuple[Document, list[str]]:
    """The document and its rendered `rows` (one for each of its timeline, in order) without those
    farthest from T, so that `room` characters hold the rows and the lines `beside` them."""
    if len(rows) <= ROWS_KEPT:
        return document, list(rows)
    centre = next((n for n, r in enumerate(document.timeline) if r.origin is Origin.PIN), 0)
    start, end = max(centre - ROWS_KEPT // 2, 0), min(centre + ROWS_KEPT // 2 + 1, len(rows))
    room -= sum(len(line) + 1 for line in (*beside, *rows[start:end]))
    while True:
        above = len(rows[start - 1]) + 1 if start > 0 else 0
        below = len(rows[end]) + 1 if end < len(rows) else 0
        if above + below > room or not above + below:
            break
        room -= above + below
        start, end = start - (above > 0), end + (below > 0)
    return replace(document, timeline=document.timeline[start:end]), list(rows[start:end])
