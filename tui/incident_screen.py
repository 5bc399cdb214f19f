"""The one screen: header, overview, rows, footer, and every gesture of a person on it.

Wiring only: what is known lives in `ScreenState`, what is drawn in the pure modules. Never reads a
source; it asks the collector and the hand-over object it was given.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual.screen import Screen
from textual.widgets import Input

from timeline.words import span_words
from tui import actions
from tui.canvas import Brush, Sheet
from tui.footer import footer_lines
from tui.header import header_height, header_lines
from tui.lanes import known_sources
from tui.overview import cursor_cell, finding_at, overview_height, overview_lines
from tui.state import CHANGED_FOR_NS
from tui.timeline import Timeline

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from timeline.event import Event
    from timeline.finding import Step
    from timeline.progress import Collector
    from timeline.window import Window
    from tui.pieces import Line
    from tui.state import Handover, ScreenState

MESSAGE_SECONDS = 8.0
"""How long the footer says what just happened, unless a key is pressed."""
AGE_SECONDS = 30.0
"""How often "31 min ago" and the change marker are drawn anew."""
LIVE_WITHIN_NS = 3_600_000_000_000
"""Reading on begins where the window ends; to catch up with more than an hour is another window."""
SMALLEST_WINDOW_NS = 2_000_000_000
HALF, DOUBLE = 0.5, 2.0


class IncidentScreen(Screen[None]):
    """What `halfawake at TIME` shows."""

    BINDINGS: ClassVar[list[BindingType]] = [*actions.bindings("incident")]
    AUTO_FOCUS = "#timeline"

    def __init__(
        self, state: ScreenState, brush: Brush, collector: Collector, handover: Handover
    ) -> None:
        super().__init__()
        self._state = state
        self._brush = brush
        self._collector = collector
        self._handover = handover
        self._message = ""
        self._message_number = 0
        self._axis_cell: int | None = None
        self._header = Sheet(brush, self._draw_header, header_height, id="header")
        self._overview = Sheet(brush, self._draw_overview, self._overview_height, id="overview")
        self._sources = 0
        self.timeline = Timeline(state, brush)
        self._footer = Sheet(brush, self._draw_footer, lambda _w, _h: 1, id="footer")
        self._search = Input(placeholder="words in a row's text", id="search")
        self._search.display = False

    def compose(self) -> ComposeResult:
        yield self._header
        yield self._overview
        yield self.timeline
        yield self._footer
        yield self._search

    def on_mount(self) -> None:
        self.set_interval(AGE_SECONDS, self._header.redraw)

    # -- drawing -----------------------------------------------------------------------------

    def _draw_header(self, width: int, _height: int) -> list[Line]:
        return header_lines(self._state, width, self.app.size.height, self._brush.glyphs)

    def _draw_overview(self, width: int, height: int) -> list[Line]:
        here = self._here()
        self._axis_cell = cursor_cell(self._state, width, here)
        terminal = self.app.size.height
        return overview_lines(self._state, width, height, terminal, here, self._brush.glyphs)

    def _overview_height(self, width: int, height: int) -> int:
        return overview_height(self._state, width, height)

    def _draw_footer(self, width: int, _height: int) -> list[Line]:
        return footer_lines(actions.footer_labels("incident"), self._message, width)

    def _here(self) -> int | None:
        event = self.timeline.event
        return event.timestamp if event else None

    def facts_changed(self, *, rows: bool) -> None:
        """The state took an update; `rows` when the timeline's rows are other ones now."""
        with self.app.batch_update():
            if rows:
                self.timeline.rows_changed()
            self._header.redraw()
            self._overview.redraw()
            if (sources := len(known_sources(self._state))) != self._sources:
                self._sources = sources
                self._overview.refresh(layout=True)
        if self._state.headline_is_new:
            self.set_timer(CHANGED_FOR_NS / 1e9, self._header.redraw)

    def say(self, message: str) -> None:
        """A sentence in the footer, until the next key or for a moment."""
        self._message = message
        self._message_number += 1
        number = self._message_number
        self._footer.redraw()
        self.set_timer(MESSAGE_SECONDS, lambda: self._hush(number))

    def _hush(self, number: int) -> None:
        if number == self._message_number and self._message:
            self._message = ""
            self._footer.redraw()

    def on_key(self) -> None:
        self._hush(self._message_number)

    def on_timeline_moved(self) -> None:
        if cursor_cell(self._state, self.size.width, self._here()) != self._axis_cell:
            self._overview.redraw()

    def on_click(self, event: events.Click) -> None:
        if event.widget is self._overview:
            width, height = self._overview.size
            glyphs = self._brush.glyphs
            number = finding_at(self._state, event.x, event.y, width, height, glyphs)
            if number is not None:
                self.action_finding(number)

    # -- findings ----------------------------------------------------------------------------

    def action_next_step(self) -> None:
        self._show_step(self._state.walk(1))

    def action_previous_step(self) -> None:
        self._show_step(self._state.walk(-1))

    def action_finding(self, number: int) -> None:
        if number > len(self._state.findings):
            self.say(f"There is no finding {number}: {len(self._state.findings)} were made.")
            return
        self._show_step(self._state.go_to_finding(number))

    def _show_step(self, step: Step | None) -> None:
        if step is None:
            self.say("No finding has steps to walk yet.")
            return
        if not self.timeline.go_to_event(step.event):
            self._show_all_rows()
            if not self.timeline.go_to_event(step.event):
                self.timeline.go_to_time(step.event.timestamp)
                self.say("This step's record is not among the rows read so far; nearest shown.")
        self.timeline.refresh()
        self._overview.redraw()

    def _show_all_rows(self) -> None:
        self._state.search = ""
        if self._state.follow:
            self._state.follow_key("")
            self.timeline.rows_changed()

    def action_proof(self) -> None:
        from tui.proof import ProofScreen, record_page  # not needed for the first frame
        from tui.reader import Reader

        event = self.timeline.event
        if event is None:
            self.say("There is no row yet whose record could be shown.")
        elif self._state.select_step_of(event):
            self._overview.redraw()
            self.app.push_screen(ProofScreen(self._brush, self._state, self._show_step))
        else:
            self.app.push_screen(
                Reader(self._brush, lambda width: record_page(self._state, event, width))
            )

    # -- looking closer ----------------------------------------------------------------------

    def action_follow(self) -> None:
        event = self.timeline.event
        if event is None or not event.keys:
            self.say("This row carries no key to follow.")
            return
        from tui.picker import KeyPicker  # not needed for the first frame

        incident = self._state.incident
        broad = incident.snapshot.broad_keys if incident else frozenset()
        counted = self._state.keys_with_counts(event)
        self.app.push_screen(KeyPicker(counted, broad), self._follow)

    def _follow(self, key: str | None) -> None:
        if not key:
            return
        self._state.follow_key(key)
        self._collector.look_up([key])
        self.facts_changed(rows=True)

    def action_mark(self) -> None:
        event = self.timeline.event
        if event is None:
            return
        marked = self._state.toggle_mark(event)
        count = len(self._state.marks)
        self.say(f"{'Marked' if marked else 'Unmarked'}; {count} marked for the export.")
        self.timeline.move(1)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A slash typed into the search is a letter."""
        return not (action == "search" and self._search.display)

    def action_search(self) -> None:
        self._search.value = self._state.search
        self._search.cursor_position = len(self._search.value)
        self._search.display = True
        self.set_focus(self._search)  # at once: the next key is the first letter

    def on_input_submitted(self, message: Input.Submitted) -> None:
        self._state.search = message.value.strip()
        self._leave_search()
        if not self._state.search:
            return
        here = self.timeline.cursor
        place = self._state.match_from(here - 1, 1)
        if place is None:
            self.say(f"No row holds {self._state.search!r}.")
            self._state.search = ""
        else:
            self.timeline.go_to(place)
        self._overview.redraw()

    def _leave_search(self) -> None:
        self._search.display = False
        self.timeline.focus()
        self.timeline.refresh()
        self._overview.redraw()

    def action_next_match(self) -> None:
        self._to_match(1)

    def action_previous_match(self) -> None:
        self._to_match(-1)

    def _to_match(self, direction: int) -> None:
        place = self._state.match_from(self.timeline.cursor, direction)
        if place is None:
            self.say("Nothing is searched for; / searches.")
        else:
            self.timeline.go_to(place)

    def action_back(self) -> None:
        """Take back one thing, the newest first."""
        if self._search.display:
            self._leave_search()
            return
        if self._state.search:
            self._state.search = ""
        elif self._state.follow:
            self._state.follow_key("")
            self.timeline.rows_changed()
        elif self._state.step >= 0:
            self._state.step = -1
        self.timeline.refresh()
        self._overview.redraw()

    # -- time --------------------------------------------------------------------------------

    def action_onset(self) -> None:
        onset = self._state.analysis.onset if self._state.analysis else None
        if onset is None:
            self.say("No onset stands out in what was read so far.")
            return
        self.timeline.go_to_time(onset)

    def action_to_pin(self) -> None:
        self.timeline.go_to_time(self._state.window.pin)

    def action_pin(self) -> None:
        event = self.timeline.event
        if event is None:
            return
        self._open(self._state.window.repinned(event.timestamp, self._state.now()))
        self.say("T is pinned here; u goes back.")

    def action_narrow(self) -> None:
        window = self._state.window
        if window.end - window.start <= SMALLEST_WINDOW_NS:
            self.say("The window cannot be smaller.")
            return
        self._open(window.scaled(HALF, self._state.now()))

    def action_widen(self) -> None:
        self._open(self._state.window.scaled(DOUBLE, self._state.now()))

    def action_live(self) -> None:
        state = self._state
        if state.live:
            self._collector.keep_reading(False)
            state.live = False
            self.say("Reading stopped; l goes on.")
        else:
            self.read_live()
        self._header.redraw()

    def read_live(self) -> None:
        """Read on behind the window, or say why not."""
        state = self._state
        distance = state.now() - state.window.end
        if distance > LIVE_WITHIN_NS:
            self.say(f"The window ended {span_words(distance)} ago; pin a later T to read on live.")
        elif self._collector.keep_reading(True):
            state.live = True
            self.say("Reading what arrives; the cursor stays where it is. l stops.")
        else:
            self.say("This is a recording: nothing new can arrive.")

    def _open(self, window: Window) -> None:
        self._state.open_window(window)
        self._collector.repin(window)
        self.facts_changed(rows=True)

    def action_undo(self) -> None:
        window = self._state.undo_window()
        if window is None:
            self.say("Nothing to undo: T and window are as they were opened.")
            return
        self._collector.repin(window)
        self.facts_changed(rows=True)
        self.say("Back to the T and window before.")

    # -- handing over ------------------------------------------------------------------------

    async def action_export(self) -> None:
        incident = self._state.incident
        if incident is None:
            self.say("Nothing has been read yet that could be exported.")
            return
        marked: list[Event] = sorted(self._state.marks.values(), key=lambda e: e.timestamp)
        analysis = self._state.analysis
        try:
            said = await asyncio.to_thread(self._handover.export, incident, analysis, marked)
        except OSError as problem:
            said = f"The export could not be written: {problem}."
        self.say(said)

    def action_status(self) -> None:
        incident = self._state.incident
        if incident is None:
            self.say("Nothing has been read yet that could be told.")
            return
        self.app.copy_to_clipboard(self._handover.status(incident, self._state.analysis))
        self.say("Three lines sent to the terminal's clipboard; e writes the full export.")

    # -- trust and help ----------------------------------------------------------------------

    def action_sources(self) -> None:
        from tui.reader import Reader  # not needed for the first frame
        from tui.sources_page import sources_page

        self.app.push_screen(Reader(self._brush, lambda w: sources_page(self._state, w)))

    def action_help(self) -> None:
        from tui.help_page import help_page  # not needed for the first frame
        from tui.reader import Reader

        self.app.push_screen(Reader(self._brush, lambda w: help_page(w, self._brush.glyphs)))

    def action_palette(self) -> None:
        self.app.action_command_palette()

    def action_quit(self) -> None:
        self.app.exit()

    # -- moving ------------------------------------------------------------------------------

    def action_cursor_up(self) -> None:
        self.timeline.move(-1)

    def action_cursor_down(self) -> None:
        self.timeline.move(1)

    def action_page_up(self) -> None:
        self.timeline.page(-1)

    def action_page_down(self) -> None:
        self.timeline.page(1)

    def action_first(self) -> None:
        self.timeline.go_to(0)

    def action_last(self) -> None:
        self.timeline.go_to(len(self._state.rows) - 1)
