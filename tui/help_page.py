"""Keys and words on one page; the keys come from the action registry alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from timeline.order import Verdict
from tui import actions
from tui.pieces import Line, paragraph
from tui.reader import Page

if TYPE_CHECKING:
    from tui.glyphs import Glyphs

KEY_CELLS = 20


def glossary(glyphs: Glyphs) -> tuple[tuple[str, str], ...]:
    """Every sign and word of the screen with its meaning."""
    return (
        ("T", "The pinned instant: what woke you. It is not assumed to be the fault."),
        ("onset", "When it began, computed from the rows; often minutes before T."),
        (
            "certain",
            "Exact ids, certain order, and a source was looking wherever nothing is claimed.",
        ),
        ("likely", "One order or one join is only probable."),
        ("possible", "At least one order is undecided, or an absence nobody could have seen."),
        (glyphs.order_sign(Verdict.CERTAIN), "This step certainly came after the one before it."),
        (
            glyphs.order_sign(Verdict.LIKELY),
            "It likely came after: the gap is large against the clocks.",
        ),
        (
            glyphs.order_sign(Verdict.POSSIBLE),
            "Undecided: the stamps are closer than the clocks can tell.",
        ),
        (glyphs.pin, "T in every lane."),
        (
            glyphs.unseen,
            "A source could not fully see this: emptiness here is no evidence.",
        ),
        (f"{glyphs.tick} {glyphs.ticks}", "One database row, several rows."),
        (glyphs.change, "A deployment, a configuration change or a note."),
        (glyphs.passing, "The instant of that change in every other lane."),
        ("max 9/s", "How many rows a second the lane's highest bar stands for."),
        ("running", "How many jobs ran at once; max is the most of them."),
        (glyphs.unended, "A job began and nobody told its end: it may run still."),
        ("due", "Jobs and retries that come due after the queue was looked at."),
        ("[ ]", "Below the lanes: the stretch being selected."),
        (glyphs.mark, "A row you marked for the export."),
        ("1 2 3", "In the rows' margin: steps of the current finding."),
        ("Blind", "What could not be seen, and therefore cannot be ruled out."),
        (
            "Trust",
            "How far clocks, zones and order can be believed. Times are never moved.",
        ),
        (glyphs.shared, "What everything that was hit has in common."),
        ("not evaluated", "A detector lacked a source; this is not a clean bill."),
    )


def help_page(width: int, glyphs: Glyphs) -> Page:
    """All keys by group, then the glossary."""
    lines: list[Line] = []
    group = ""
    for action in sorted(actions.of("incident"), key=lambda a: _GROUPS.index(a.group)):
        if action.group != group:
            group = action.group
            lines += [[], [(f" {group}", "info")]]
        lines += _entry(action.key_text, action.help, width)
    lines += [[], [(" Words and signs", "info")]]
    for word, meaning in glossary(glyphs):
        lines += _entry(word, meaning, width)
    return Page([(" help ", "badge"), (" every key, every word", "text")], lines)


_GROUPS = [
    actions.FINDINGS,
    actions.TIME,
    actions.LOOK,
    actions.MOVE,
    actions.HAND_OVER,
    actions.TRUST,
]


def _entry(name: str, words: str, width: int) -> list[Line]:
    first = f"   {name:<{KEY_CELLS}}"
    found = paragraph(words, width, first=first)
    head = found[0]
    return [[(first, "strong"), *head[1:]], *found[1:]]
