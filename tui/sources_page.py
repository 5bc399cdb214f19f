"""Every source on one page: what it answered, what it could not see, and what to do about it.

The cursor stands on a source: it can be skipped while it answers, or asked again when it has not
answered in full. The page is a pure function; the screen around it only moves and asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from timeline.progress import Phase
from timeline.words import LANE_WORDS, clock_face, count_of
from tui import actions
from tui.footer import Footer
from tui.lanes import Known, known_sources
from tui.pieces import Line, paragraph
from tui.reader import Page, Reader
from tui.waiting import progress_words

if TYPE_CHECKING:
    from textual.binding import BindingType

    from timeline.coverage import Coverage
    from timeline.progress import SourceStatus
    from tui.canvas import Brush
    from tui.gestures.patience import Patience
    from tui.state import ScreenState
    from tui.theme import Role

_PHASE_ROLES: dict[Phase, Role] = {
    Phase.DONE: "success",
    Phase.CUT: "warning",
    Phase.FAILED: "error",
}


class SourcesScreen(Reader):
    """The page with its cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [*actions.bindings("sources")]
    SCOPES: ClassVar[tuple[actions.Scope, ...]] = ("reader", "sources")

    def __init__(self, brush: Brush, state: ScreenState, patience: Patience) -> None:
        super().__init__(brush, self._page)
        self._state = state
        self._patience = patience
        self._chosen = ""

    def _page(self, width: int) -> Page:
        self._chosen = self._source()
        return sources_page(self._state, width, self._chosen, self._brush.glyphs.cursor)

    def _source(self) -> str:
        """The source at the cursor: first of all one that is waited for or did not answer."""
        known = known_sources(self._state)
        if any(one.name == self._chosen for one in known):
            return self._chosen
        for wanted in (_is_waited_for, _is_incomplete, _is_known):
            for one in known:
                if wanted(one.status):
                    return one.name
        return known[0].name if known else ""

    def action_line_up(self) -> None:
        self._step(-1)

    def action_line_down(self) -> None:
        self._step(1)

    def _step(self, direction: int) -> None:
        """To the next source while there is one and it is in sight, else by a line."""
        names = [known.name for known in known_sources(self._state)]
        place = names.index(self._source()) + direction if names else -1
        if not 0 <= place < len(names) or not self._text.shows(self._text.page.focus):
            self._text.scroll_by(direction)
            return
        self._chosen = names[place]
        self.reload(keep_place=False)

    def action_skip(self) -> None:
        self._say(self._patience.skip_source(self._chosen))

    def action_retry(self) -> None:
        self._say(self._patience.retry_source(self._chosen))

    def _say(self, sentence: str) -> None:
        self.said = sentence
        self.query_one(Footer).redraw()

    def on_key(self) -> None:
        if self.said:
            self._say("")


def _is_waited_for(status: SourceStatus | None) -> bool:
    return status is not None and not status.answered


def _is_incomplete(status: SourceStatus | None) -> bool:
    return status is not None and status.incomplete


def _is_known(status: SourceStatus | None) -> bool:
    return status is not None


def sources_page(state: ScreenState, width: int, chosen: str = "", cursor: str = ">") -> Page:
    """One block for each source, then records that carry no time; `chosen` has the cursor."""
    count = len(state.statuses)
    title: Line = [
        (" sources ", "badge"),
        (f" {state.answered} of {count} answered", "text"),
    ]
    lines: list[Line] = []
    focus = 0
    for known in known_sources(state):
        lines.append([])
        here = known.name == chosen
        focus = len(lines) if here else focus
        lines += _source_lines(state, known, width, cursor if here else "")
    lines += _undated_lines(state, width)
    if state.analysis is not None and state.analysis.looked_for:
        lines += [[], [(" looked for, and not found in what the sources show", "info")]]
        lines += paragraph(", ".join(state.analysis.looked_for), width, first="   ")
    if state.analysis is not None and state.analysis.not_evaluated:
        lines += [[], [(" detectors that could not look", "info")]]
        for entry in state.analysis.not_evaluated:
            lines += paragraph(entry.sentence(), width, first="   ")
    return Page(title, lines, focus)


def _source_lines(state: ScreenState, known: Known, width: int, cursor: str) -> list[Line]:
    status = known.status
    head: list[tuple[str, Role]] = [
        (f"{cursor or ' '} ", "accent"),
        (known.name, "strong"),
        (f"  {LANE_WORDS[known.lane]}", "dim"),
    ]
    if status is not None:
        head += [
            (f"  {status.system}", "dim"),
            (f"  {status.phase.value}", _PHASE_ROLES.get(status.phase, "accent")),
            (f"  {progress_words(status)}", "text"),
        ]
    lines: list[Line] = [head]
    if status is not None and status.problem:
        lines += paragraph(status.problem, width, "error", first="   ")
    if status is not None and status.remedy:
        lines += paragraph(status.remedy, width, "info", first="   do: ")
    if cursor and (hint := _hint(status)):
        lines += paragraph(hint, width, "info", first="   ")
    incident = state.incident
    if incident is None:
        return lines
    forgets = next((s.forgets for s in incident.sources if s.name == known.name), "")
    if forgets:
        lines += paragraph(forgets, width, "warning", first="   forgets: ")
    lines += paragraph(incident.clocks.bound(known.name).words(), width, first="   clock: ")
    for entry in incident.snapshot.coverage.of(known.name):
        lines += paragraph(_coverage_words(entry), width, first="   sight: ")
    for remark in incident.snapshot.remarks:
        if remark.source == known.name:
            lines += paragraph(remark.sentence, width, "warning", first="   note: ")
    return lines


def _hint(status: SourceStatus | None) -> str:
    """What can be done about the source at the cursor."""
    if _is_waited_for(status):
        return "x goes on without it: its rows so far stay, the rest is named a blind spot."
    return "r asks it again for this window." if _is_incomplete(status) else ""


def _coverage_words(entry: Coverage) -> str:
    sight = entry.sight.value.replace("_", " ")
    words = f"{sight} {clock_face(entry.start)} to {clock_face(entry.end)}"
    words += f", {entry.reason}" if entry.reason else ""
    return f"{words}. {entry.remedy}" if entry.remedy else words


UNDATED_SHOWN = 20
"""Undated records printed on the page; they are counted in full."""


def _undated_lines(state: ScreenState, width: int) -> list[Line]:
    if state.incident is None or not state.incident.snapshot.undated.height:
        return []
    undated = state.incident.snapshot.undated
    lines: list[Line] = [[], [(f" {count_of(undated.height, 'record')} without a time", "info")]]
    for source, reason, body, ref in undated.head(UNDATED_SHOWN).iter_rows():
        lines += paragraph(f"{body}", width, "dim", first=f"   {source} {ref}, {reason}: ")
    return lines
