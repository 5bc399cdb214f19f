"""Below the picture: how to read it, the changes by name and, in a file, what was found."""

from __future__ import annotations

from timeline.export import svg_ink as ink
from timeline.export.document import Document, Mark
from timeline.export.injection import clip
from timeline.export.markup import Markup, tag, together, told
from timeline.export.sources import stretch_words
from timeline.export.times import from_pin, table_time
from timeline.export.told import redactions
from timeline.words import count_of, grouped

FINDINGS_SHOWN = 7
"""As many as the first screen holds."""
MARKS_SHOWN = 12
UNSEEN_SHOWN = 8
LINE_CHARACTERS = 165
"""Characters that fit across the picture in its small print."""

_HOW_TO_READ = (
    "Each lane has its own scales; its figures stand at its right. The line of a finding is solid "
    "when it is certain, dashed when likely, dotted when possible."
)


def legend(document: Document, top: float, *, is_file: bool) -> tuple[Markup, float]:
    """Drawn from `top` downward, and where it ends."""
    drawn, y = [_key(top)], top + 22
    drawn.append(ink.words(8, y, told(_HOW_TO_READ), colour=ink.FAINT))
    said = [*_marks(document)]
    if is_file:
        said += [*_sentences(document), *_unseen(document), _built(document)]
    for text in said:
        y += 18
        drawn.append(ink.words(8, y, told(clip(text, LINE_CHARACTERS))))
    return together(drawn), y + 14


def _key(top: float) -> Markup:
    wrong, waiting = ink.box(0.5, -2, 11, 6), "M0 0H5V-8H12V-3H16"
    key = (
        (ink.shape(ink.box(0, -9, 12, 9), colour=ink.CALM), "records"),
        (ink.shape(wrong, colour=ink.ERROR), "errors, below the line"),
        (ink.outline(wrong, colour=ink.WARNING), "warnings, below the line"),
        (ink.outline(waiting, colour=ink.DEPTH, width=2), "waiting in queues"),
        (ink.shape(ink.diamond(6, -4), colour=ink.MARK, stroke=ink.INK), "change or note"),
        (ink.hatched(0, -9, 16, 12, is_blind=False), "seen in part"),
        (ink.hatched(0, -9, 16, 12, is_blind=True), "not seen"),
    )
    drawn, x = [], 8.0
    for sign, said in key:
        where = f"translate({x:.0f} {top + 4:.0f})"
        drawn.append(tag("g", sign, ink.words(22, 0, told(said)), transform=where))
        x += 46 + 6.6 * len(said)
    return together(drawn)


def _marks(document: Document) -> list[str]:
    said = [_mark(document, mark) for band in document.bands for mark in band.marks]
    shown = said[:MARKS_SHOWN]
    more = len(said) - len(shown)
    return (
        [*shown, f"and {count_of(more, 'more change or note', 'more of them')}"] if more else shown
    )


def _mark(document: Document, mark: Mark) -> str:
    moment = mark.moment
    at = table_time(moment.timestamp, moment.precision)
    distance = from_pin(moment.timestamp - document.pin.timestamp, moment.precision)
    return f"\u25c6 {at} ({distance} from T) {mark.text}"


def _sentences(document: Document) -> list[str]:
    shown = document.findings[:FINDINGS_SHOWN]
    said = [
        f"{number} {proof.verdict.value} {proof.term}: {proof.sentence}"
        for number, proof in enumerate(shown, 1)
    ]
    more = len(document.findings) - len(shown)
    return [*said, *([f"and {count_of(more, 'more finding')}"] if more else [])]


def _unseen(document: Document) -> list[str]:
    """The hatched stretches with their reasons, which a printed page shows nowhere else."""
    said = [
        f"{band.source} {stretch_words(stretch)}"
        for band in document.bands
        for stretch in band.unseen
    ]
    more = len(said) - UNSEEN_SHOWN
    return [
        *said[:UNSEEN_SHOWN],
        *([f"and {count_of(more, 'more stretch', 'more stretches')}"] if more > 0 else []),
    ]


def _built(document: Document) -> str:
    """Totals, what was taken out, and who drew it."""
    version = f" {document.tool_version}" if document.tool_version else ""
    return (
        f"{count_of(document.records_total, 'record')} in all, {grouped(document.undated)} without "
        f"a time, redacted: {redactions(document)}, drawn by halfawake{version}"
    )
