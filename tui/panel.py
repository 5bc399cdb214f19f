"""The findings beside the lanes: verdict words first, the current one with its steps.

Pure drawing. A detector that could not look always has a line: it must never read as a clean bill.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from rich.cells import cell_len

from timeline.summary import common_words
from timeline.words import order_words, wall_time
from tui.actions import key_of
from tui.pieces import Line, Piece, cut, fit, padded, paragraph, plain, width_of, wrap
from tui.selection import selection_words

if TYPE_CHECKING:
    from timeline.finding import Finding, Step
    from timeline.order import Verdict
    from tui.glyphs import Glyphs
    from tui.state import ScreenState
    from tui.theme import Role

VERDICT_CELLS = 9
SKIPPED_LINES = 3
"""Lines for detectors that could not look. On bare files that is most of them, and a list of what
is missing must not push the answer away: the page of sources has it all."""

STORY_LINES = 2
"""Most lines above the rows for the step being read; the rest of a long one is in its proof."""

_THOUSANDS = r"(?<=\d) (?=\d{3}\b)"

Owned: TypeAlias = "tuple[int, Line]"


def panel_lines(state: ScreenState, width: int, height: int, glyphs: Glyphs) -> list[Line]:
    """Exactly `height` lines of findings, the current one's steps, and what was not evaluated."""
    return [line for _, line in owned_lines(state, width, height, glyphs)]


def owned_lines(state: ScreenState, width: int, height: int, glyphs: Glyphs) -> list[Owned]:
    """The panel's lines, each with the number of the finding it belongs to (0 for none)."""
    lines: list[Owned]
    reserved = 1 if state.analysis is not None and state.analysis.not_evaluated else 0
    if state.analysis is None:
        lines = [(0, [("No finding yet: the sources are still answering.", "dim")])]
    elif not state.findings:
        lines = [(0, [("No finding. The rows below speak for themselves.", "text")])]
    else:
        lines = _findings(state, width, height - reserved, glyphs)
    lines = lines[: max(height - reserved, 0)]
    lines += [(0, line) for line in _common(state, height - len(lines) - reserved, glyphs)]
    lines += [(0, line) for line in _not_evaluated(state, width, height - len(lines), glyphs)]
    lines += [(0, []) for _ in range(height - len(lines))]
    return [(owner, fit(line, width)) for owner, line in lines[:height]]


def _findings(state: ScreenState, width: int, room: int, glyphs: Glyphs) -> list[Owned]:
    if len(state.findings) > room:
        return _some_findings(state, width, room, glyphs)
    current = state.current_finding
    spare = room - len(state.findings) - (len(current.steps) if current else 0)
    lines: list[Owned] = []
    for number, finding in enumerate(state.findings, 1):
        here = finding is current
        most = 2 if here and spare > 0 else 1
        lead = _lead(state, finding, glyphs)
        head = _head(number, finding, width, most, lead, here=here, glyphs=glyphs)
        if here:
            rest = len(state.findings) - 1 + len(head)
            head += _step_lines(state, room - rest, glyphs)
        lines += [(number, line) for line in head]
    return lines


def _some_findings(state: ScreenState, width: int, room: int, glyphs: Glyphs) -> list[Owned]:
    """One line each for the findings around the current one, then how many are left out."""
    count = max(room - 1, 1)
    first = min(max(state.finding - count // 2, 0), len(state.findings) - count)
    lines: list[Owned] = []
    for place in range(first, first + count):
        here = place == state.finding
        finding = state.findings[place]
        lead = _lead(state, finding, glyphs)
        head = _head(place + 1, finding, width, 1, lead, here=here, glyphs=glyphs)
        lines += [(place + 1, line) for line in head]
    left = len(state.findings) - count
    lines.append((0, [(f"   and {left} more, press their numbers", "dim")]))
    return lines[:room]


def _lead(state: ScreenState, finding: Finding, glyphs: Glyphs) -> str:
    """What stands before a sentence that goes on with the story above it."""
    return f"{glyphs.goes_on} " if state.continues(finding) else ""


def _head(
    number: int,
    finding: Finding,
    width: int,
    most: int,
    lead: str,
    *,
    here: bool,
    glyphs: Glyphs,
) -> list[Line]:
    """Number, verdict word and sentence in at most `most` lines."""
    cursor = glyphs.cursor if here else " "
    indent = 3 + VERDICT_CELLS + len(lead)
    room = width - indent
    role: Role = "dim" if finding.qualifier else "strong" if here else "text"
    sentence = finding.sentence()
    parts = wrap(sentence, room)
    if len(parts) > most:
        parts = [*parts[: most - 1], cut(" ".join(parts[most - 1 :]), room)]
    first: Line = [
        (f"{cursor}{number} ", "accent" if here else "dim"),
        (padded(finding.verdict.value, VERDICT_CELLS), verdict_role(finding.verdict)),
        (lead, "dim"),
        (parts[0], role),
    ]
    return [first, *([(" " * indent, "text"), (part, role)] for part in parts[1:])]


def verdict_role(verdict: Verdict) -> Role:
    """Certain stands out, possible steps back; the word itself is always printed."""
    roles: dict[str, Role] = {"certain": "success", "likely": "info", "possible": "warning"}
    return roles[verdict.value]


def _step_lines(state: ScreenState, room: int, glyphs: Glyphs) -> list[Line]:
    """The current finding's steps, as many as fit, kept around the current one."""
    finding = state.current_finding
    if finding is None or room <= 0:
        return []
    first = 0
    if len(finding.steps) > room:
        first = min(max(state.step - room // 2, 0), len(finding.steps) - room)
    chosen = finding.steps[first : first + room]
    return [
        _step(number, step, here=number - 1 == state.step, glyphs=glyphs)
        for number, step in enumerate(chosen, first + 1)
    ]


def _step(number: int, step: Step, *, here: bool, glyphs: Glyphs) -> Line:
    stamp = wall_time(step.event.timestamp, step.event.precision, digits=3)
    order = glyphs.order(step.order)
    return [
        (f"   {number} {order:<2}", "accent" if here else "dim"),
        (f"{stamp} ", "text" if here else "dim"),
        (f"{step.role}: {step.why}", "strong" if here else "dim"),
    ]


def _common(state: ScreenState, room: int, glyphs: Glyphs) -> list[Line]:
    """What the victims share; it has no line on a small terminal, the proof tells more."""
    if state.analysis is None:
        return []
    words = common_words(state.analysis)[: max(room, 0)]
    return [[(f" {glyphs.shared} ", "info"), (text, "text")] for text in words]


def _not_evaluated(state: ScreenState, width: int, room: int, glyphs: Glyphs) -> list[Line]:
    if state.analysis is None or room <= 0:
        return []
    skipped = state.analysis.not_evaluated
    lead = f" {glyphs.dash} "
    whole = [
        line for entry in skipped for line in paragraph(entry.sentence(), width, "dim", first=lead)
    ]
    if len(whole) <= min(room, SKIPPED_LINES):
        return whole
    if len(skipped) <= min(room, SKIPPED_LINES):
        return [[(lead, "dim"), (entry.sentence(), "dim")] for entry in skipped]
    names = ", ".join(entry.term for entry in skipped)
    count = (
        f" {len(skipped)} ({key_of('sources')} says why)" if len(skipped) > SKIPPED_LINES else ""
    )
    return [[(lead, "dim"), (f"not evaluated{count}: {names}", "dim")]]


def story_lines(state: ScreenState, width: int, glyphs: Glyphs) -> list[Line]:
    """What stands above the rows: one line, or two while a finding is walked that needs them.

    How many depends on the finding and not on the step, so that walking it moves nothing else.
    """
    finding = state.current_finding
    if state.current_step is None or finding is None or _one_line_said(state) is not None:
        return [story_line(state, width, glyphs)]
    number, places = state.finding + 1, range(len(finding.steps))
    needed = max(len(_why_lines(number, finding, place, width, glyphs)) for place in places)
    lines = _why_lines(number, finding, state.step, width, glyphs)
    if len(lines) > STORY_LINES:
        rest = " ".join(plain(line).strip() for line in lines[STORY_LINES - 1 :])
        lines[STORY_LINES - 1 :] = [[(f" {cut(rest, width - 2)}", "strong")]]
    elif len(lines) < min(needed, STORY_LINES):
        lines.append([])
    return [fit(line, width) for line in _with_order(lines, finding.steps[state.step], width)]


def story_line(state: ScreenState, width: int, glyphs: Glyphs) -> Line:
    """The same in one line: the step being read, or what is shown and how to get on."""
    said = _one_line_said(state)
    if said is not None:
        return _said(*said, width)
    finding, number = state.current_finding, state.finding + 1
    if finding is None:
        return _said("", "Rows around T; o goes to the onset, / searches, ? explains.", width)
    if state.current_step is None:
        return _said("", what_n_does(len(finding.steps), number), width)
    lines: list[Line] = [_why_line(number, finding, state.step, glyphs)]
    return fit(_with_order(lines, finding.steps[state.step], width)[0], width)


def _one_line_said(state: ScreenState) -> tuple[str, str] | None:
    """What is selected, searched for or followed, before any step."""
    if state.selection is not None:
        words = selection_words(state, state.selection)
        return "selected", f"{words}; enter looks at it alone, esc lets go"
    return None


def _why_line(number: int, finding: Finding, place: int, glyphs: Glyphs) -> list[Piece]:
    """Which step is read and why it matters, however long; ids nobody reads aloud cut short."""
    from timeline.facts.words import abridged  # not needed for the first frame

    step = finding.steps[place]
    words = f"{glyphs.order(step.order)} {step.role}: {abridged(step.why)}".strip()
    badge = f" finding {number} step {place + 1}/{len(finding.steps)} "
    return [(badge, "badge"), (f" {words}", "strong")]


def _why_lines(number: int, finding: Finding, place: int, width: int, glyphs: Glyphs) -> list[Line]:
    """The same on as many lines as it needs; a count and its thousands stay together."""
    badge, (words, role) = _why_line(number, finding, place, glyphs)
    kept = re.sub(_THOUSANDS, "\u00a0", words.strip())
    first, *rest = wrap(kept, max(width - cell_len(badge[0]) - 1, 1))
    parts = [first, *(wrap(" ".join(rest), width - 2) if rest else [])]
    told = [f" {part}".replace("\u00a0", " ") for part in parts]
    return [[badge, (told[0], role)], *([(part, role)] for part in told[1:])]


def _with_order(lines: list[Line], step: Step, width: int) -> list[Line]:
    """How sure the step's order is behind its words: with the reason where there is room for it
    and it was not told already, else in a word."""
    if step.order is None:
        return lines
    words = order_words(step.order)
    verdict = words.partition(":")[0]
    for told in (verdict,) if step.order.because in step.why else (words, verdict):
        lead = 2 if lines[-1] else 1
        if width_of(lines[-1]) + lead + cell_len(told) <= width:
            return [*lines[:-1], [*lines[-1], (" " * lead + told, "info")]]
    return lines


def _said(first: str, rest: str, width: int) -> Line:
    lead: list[Piece] = [(f" {first} ", "badge"), (" ", "text")] if first else [(" ", "text")]
    return fit([*lead, (rest, "dim")], width)


def what_n_does(steps: int, number: int) -> str:
    """What `n` does from here; a finding about what was not seen may rest on no record."""
    if not steps:
        return f"Finding {number} rests on no single record; enter shows why it stands here."
    if steps == 1:
        return f"n goes to the one record of finding {number}."
    return f"n walks the {steps} steps of finding {number}."
