"""The proof behind a finding: every step, how sure its order is, what would decide the rest.

Pure drawing of one page plus the screen that walks it with n and p. The steps are a sequence
diagram where their actors fit, a list where they do not. The record of the current step stands
below the proof, so that claim and evidence are read together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len

from timeline.words import count_of, order_words, span_words, wall_time
from tui import actions
from tui.panel import verdict_role
from tui.pieces import Line, padded, paragraph, width_of, wrap
from tui.reader import Page, Reader
from tui.record import history_lines, interval_words, record_lines
from tui.sequence import diagram_of, legend

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.binding import BindingType

    from timeline.clock import ClockTable
    from timeline.event import Event
    from timeline.finding import Finding, Step
    from tui.canvas import Brush
    from tui.glyphs import Glyphs
    from tui.state import ScreenState
    from tui.theme import Role

ACTOR_CELLS = 20
"""Widest actor column of a proof."""
STEP_LINES = 6
"""Lines of a step with its own words: walking shows them all, not the last of them alone."""


def proof_page(state: ScreenState, width: int, glyphs: Glyphs) -> Page:
    """The current finding proved, with the record of its current step."""
    finding, step = state.current_finding, state.current_step
    if finding is None or state.incident is None:
        return Page([(" no finding ", "badge")], [])
    clocks = state.incident.clocks
    title: Line = [
        (f" finding {state.finding + 1} of {len(state.findings)} ", "badge"),
        (f" {finding.verdict.value} ", verdict_role(finding.verdict)),
        (finding.term, "strong"),
    ]
    lines: list[Line] = [[], *paragraph(finding.sentence(), width, "strong", first=" ")]
    lines += paragraph(finding.weakest_link, width, first=f" why {finding.verdict.value}: ")
    pin = state.window.pin
    own = [] if step is None else _own_words(finding.steps, state.step, clocks)
    diagram = diagram_of(finding.steps, state.step, pin, own, width, glyphs)
    if diagram is not None:
        focus = len(lines) + 2 + diagram.focus
        lines += [[], legend(glyphs), *diagram.lines]
    else:
        listed, focus = _listed(finding, step, clocks, width, glyphs)
        focus += len(lines)
        lines += listed
    lines += _closing_lines(finding, width)
    if step is not None:
        lines += [[], [(f" record of step {state.step + 1}", "info")]]
        lines += record_lines(step.event, pin, clocks, width)
        lines += history_lines(state.incident, step.event, width)
    return Page(title, lines, focus)


def _own_words(steps: Sequence[Step], place: int, clocks: ClockTable) -> list[str]:
    """What is told of the step being read alone: its order and where its clock lets it lie."""
    event, order = steps[place].event, steps[place].order
    words = []
    if place and order is not None:
        words.append(
            f"{gap_words(event.timestamp - steps[place - 1].event.timestamp)}; {order_words(order)}"
        )
    return [*words, f"lies in {interval_words(event, clocks)}"]


def _listed(
    finding: Finding, step: Step | None, clocks: ClockTable, width: int, glyphs: Glyphs
) -> tuple[list[Line], int]:
    """The steps below each other, and the line of the one being read."""
    lines: list[Line] = [[], [(" steps", "info")]]
    focus, cells = 0, _columns(finding)
    for number, item in enumerate(finding.steps, 1):
        if item is step:
            focus = len(lines)
        before = finding.steps[number - 2] if number > 1 else None
        lines += _step_lines(
            number, item, before, clocks, width, cells, here=item is step, glyphs=glyphs
        )
    return lines, focus


def _columns(finding: Finding) -> tuple[int, int]:
    """Cells of the stamp and actor columns, with their gaps."""
    events = [step.event for step in finding.steps]
    stamps = [len(wall_time(event.timestamp, event.precision)) for event in events]
    actors = [cell_len(event.actor or event.source) for event in events]
    return max(stamps, default=0) + 2, min(max(actors, default=0), ACTOR_CELLS) + 2


def _step_lines(
    number: int,
    step: Step,
    before: Step | None,
    clocks: ClockTable,
    width: int,
    cells: tuple[int, int],
    *,
    here: bool,
    glyphs: Glyphs,
) -> list[Line]:
    event = step.event
    cursor = glyphs.cursor if here else " "
    head: Line = [
        (f" {cursor} {number} {glyphs.order(step.order):<3}", "accent" if here else "dim"),
        (padded(wall_time(event.timestamp, event.precision), cells[0]), "text"),
        (padded(event.actor or event.source, cells[1]), "info"),
    ]
    indent = " " * 8
    why = wrap(f"{step.role}: {step.why}", max(width - width_of(head), 20))
    role: Role = "strong" if here else "text"
    lines: list[Line] = [[*head, (why[0], role)]]
    lines += [[(" " * width_of(head), "text"), (part, role)] for part in why[1:]]
    if before is not None and step.order is not None:
        gap = event.timestamp - before.event.timestamp
        lines += paragraph(
            f"{gap_words(gap)}; {order_words(step.order)}", width, "dim", first=indent
        )
    lines += paragraph(f"lies in {interval_words(event, clocks)}", width, "faint", first=indent)
    return lines


def gap_words(gap: int) -> str:
    """How the stamps of two steps stand to each other, the clocks believed or not."""
    if gap == 0:
        return "the same stamp as the step before"
    side = "after" if gap > 0 else "BEFORE"
    return f"stamped {span_words(gap)} {side} the step before"


def _closing_lines(finding: Finding, width: int) -> list[Line]:
    lines: list[Line] = []
    for name, sentences in (
        ("figures", finding.figures),
        ("assuming", finding.assumes),
        ("to decide it", finding.would_decide),
        ("it could also be", finding.alternatives),
        ("next", (finding.next_action,) if finding.next_action else ()),
        ("remedy", (finding.remedy,)),
    ):
        if sentences:
            lines += [[], [(f" {name}", "info")]]
            for sentence in sentences:
                lines += paragraph(sentence, width, first="   ")
    if finding.keys:
        lines += [[], [(f" {count_of(len(finding.keys), 'key')} affected", "info")]]
        lines += paragraph("  ".join(finding.keys), width, first="   ")
    return lines


def record_page(state: ScreenState, event: Event, width: int) -> Page:
    """One event in full, for a row that no finding cites."""
    from timeline.clock import ClockTable

    clocks = state.incident.clocks if state.incident else ClockTable()
    title: Line = [(" record ", "badge"), (" no finding cites this row", "dim")]
    record = record_lines(event, state.window.pin, clocks, width)
    return Page(title, [[], *record, *history_lines(state.incident, event, width)])


class ProofScreen(Reader):
    """The proof as a page; n and p walk its steps, enter and esc go back to the rows."""

    BINDINGS: ClassVar[list[BindingType]] = [*actions.bindings("proof")]
    SCOPES = ("proof", "reader")

    def __init__(self, brush: Brush, state: ScreenState, walked: Callable[[Step], None]) -> None:
        super().__init__(brush, lambda width: proof_page(state, width, brush.glyphs))
        self._state = state
        self._walked = walked

    def action_next_step(self) -> None:
        self._walk(1)

    def action_previous_step(self) -> None:
        self._walk(-1)

    def _walk(self, direction: int) -> None:
        step = self._state.walk(direction)
        if step is not None:
            self._walked(step)
            self.reload(keep_place=False)
            self._text.show_line(max(self._text.page.focus - STEP_LINES, 0))
