"""The application: hands the collector's updates to the screen's state, and owns colours and exit.

Importing this module loads Textual and the standard library only: no Polars, no pydantic, no
driver. The first frame is painted before the collector is started.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import App, SystemCommand
from textual.markup import escape
from textual.message import Message

from timeline.progress import (
    Broke,
    CollectionEnded,
    Collector,
    IncidentGrew,
    PreviewArrived,
    SetupFailed,
    StatusChanged,
    Update,
)
from timeline.wish import Wish
from tui import actions, theme
from tui.canvas import Brush
from tui.glyphs import glyphs_for
from tui.incident_screen import IncidentScreen
from tui.state import Handover, ScreenState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.screen import Screen
    from textual.theme import Theme

    from timeline.window import Window
    from tui.density import Density
    from tui.gestures.noting import Notes
    from tui.restore import Keeping

INTERRUPTED = 130
"""Exit code after SIGTERM or SIGHUP, as shells report an interruption."""
TERMINAL_LOOK_S = 1.0
LEAVE_WITHIN_S = 3.0
"""Longer than the collector needs to cancel every source."""


@dataclass
class Arrived(Message):
    """An update from the collector's thread, with what was counted there already."""

    update: Update
    density: Density | None = None

    def can_replace(self, message: Message) -> bool:
        """Only the newest of several waiting snapshots is drawn."""
        return (
            isinstance(message, Arrived)
            and isinstance(self.update, IncidentGrew)
            and isinstance(message.update, IncidentGrew)
            and (self.update.analysis is not None or message.update.analysis is None)
        )


class HalfawakeApp(App[str]):
    """The screen over one collection. `run()` returns a sentence when set-up failed, else None.

    `follow` is a key whose story is shown first, `wish` what is wished besides, once it is known
    that some row grants it; `live` reads on behind the window. `now` gives
    the present in ns UTC; `handover` redacts and writes what leaves the screen; `encoding` is that
    of the terminal (standard output's by default).
    """

    CSS_PATH = "halfawake.tcss"
    _begins_in: Theme | None = None
    TITLE = "halfawake"
    ENABLE_COMMAND_PALETTE = True

    def __init__(
        self,
        collector: Collector,
        window: Window,
        *,
        environment: str,
        title: str,
        now: Callable[[], int],
        handover: Handover,
        follow: str = "",
        wish: Wish | None = None,
        live: bool = False,
        notes: Notes | None = None,
        keeping: Keeping | None = None,
        encoding: str | None = None,
    ) -> None:
        # the framework asks for the theme and its variables while it is being constructed
        self.brush = Brush(glyphs_for(encoding or sys.stdout.encoding))
        begins_in = self._begins_in = theme.theme_for(os.environ)
        super().__init__()
        for own in theme.OWN_THEMES:
            self.register_theme(own)
        self.set_reactive(HalfawakeApp.theme, begins_in.name)
        self._begins_in = None
        self.animation_level = "none"
        self._collector = collector
        self._live = live
        self._wish = wish or Wish()
        self.state = ScreenState(window, environment=environment, title=title, now=now)
        self.state.follow_key(follow)
        self.broken_by: Exception | None = None
        """What ended the application, when that was a defect of its own."""
        self.incident_screen = IncidentScreen(self.state, self.brush, collector, handover)
        self.incident_screen.notes = notes
        if keeping is not None:
            self.incident_screen.return_to(keeping)
        self.set_class(self.brush.glyphs.ascii_only, "-ascii")

    @property
    def current_theme(self) -> Theme:
        """The theme, also while the framework is being constructed and knows none of ours.

        To change it later would parse every style twice before the first frame.
        """
        return self._begins_in or super().current_theme

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return theme.variables_for(self.current_theme)

    def get_css_variables(self) -> dict[str, str]:
        variables = super().get_css_variables()
        self.brush.use(variables)
        return variables

    def get_default_screen(self) -> IncidentScreen:
        return self.incident_screen

    def on_mount(self) -> None:
        self._end_on_signals()
        self.app_resume_signal.subscribe(self, lambda _: self._come_back())
        self.incident_screen.keep_from_now_on()
        self.call_after_refresh(self._begin)

    def _come_back(self) -> None:
        """Draw everything: the shell has written over a screen that was suspended."""
        self.screen.refresh(layout=True)

    def _begin(self) -> None:
        self._collector.start(self.state.window, self._from_collector)
        if keys := [self.state.follow] if self.state.follow else list(self._wish.keys):
            self._collector.look_up(keys)
        if self._live:
            self.incident_screen.read_live()

    def _end_on_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is None:
                continue
            try:
                loop.add_signal_handler(number, self._interrupted)
            except (NotImplementedError, RuntimeError, ValueError):
                return  # not the main thread, or a platform without signals: the default stands
        if sys.stdin.isatty():
            self.set_interval(TERMINAL_LOOK_S, self._leave_with_the_terminal)

    def _interrupted(self) -> None:
        """Leave now; a process that cannot (its terminal is gone) is ended a moment later."""
        watchdog = threading.Timer(LEAVE_WITHIN_S, os._exit, (INTERRUPTED,))
        watchdog.daemon = True
        watchdog.start()
        self.exit(return_code=INTERRUPTED)

    def _leave_with_the_terminal(self) -> None:
        """A closed window does not always bring a signal; reading from it would spin for ever."""
        poll = select.poll()
        poll.register(sys.stdin.fileno(), select.POLLHUP)
        if any(state & (select.POLLHUP | select.POLLERR) for _, state in poll.poll(0)):
            self._interrupted()

    def _fatal_error(self) -> None:
        """Leave quietly: the framework would print every variable, which are production data."""
        self.broken_by = self._exception
        self._close_messages_no_wait()

    def on_unmount(self) -> None:
        self._collector.close()

    # -- updates -----------------------------------------------------------------------------

    def _from_collector(self, update: Update) -> None:
        """Called in the collector's thread: counts there, so that the screen only draws."""
        density = None
        if isinstance(update, IncidentGrew):
            from tui.density import density_of  # Polars is loaded by whoever made the snapshot
            from tui.running import running_of

            snapshot, window = update.incident.snapshot, update.incident.window
            density = density_of(snapshot, window)
            density.running = running_of(update.incident)
            snapshot.position_at(window.pin)  # brings the times into order here, not while drawing
        self.post_message(Arrived(update, density))

    def on_arrived(self, message: Arrived) -> None:
        update = message.update
        if isinstance(update, SetupFailed):
            self.exit(result=update.sentence, return_code=update.exit_code)
            return
        if isinstance(update, Broke):
            self.broken_by = update.error
            self.exit(return_code=1)
            return
        self.state.take(update, message.density)
        rows = isinstance(update, (PreviewArrived, IncidentGrew))
        if rows or isinstance(update, (StatusChanged, CollectionEnded)):
            self.incident_screen.facts_changed(rows=rows)
        self.incident_screen.findings_came()
        if isinstance(update, CollectionEnded) and self._wish:
            self._grant()
        self._reload_page()

    def _grant(self) -> None:
        """Show what was wished, once everything was read: not before it is known to be there."""
        incident = self.state.incident
        if incident is None:
            return
        wish, self._wish = self._wish, Wish()
        self.incident_screen.grant(wish, incident.snapshot)

    def _reload_page(self) -> None:
        if self.screen is self.incident_screen:
            return
        from tui.reader import Reader  # loaded already: such a page is open

        if isinstance(self.screen, Reader):
            self.screen.reload()

    def export_screenshot(self, *, title: str | None = None, simplify: bool = False) -> str:
        """The current frame as an SVG that fetches nothing when it is looked at."""
        from tui.picture import self_contained  # not needed for the first frame

        return self_contained(super().export_screenshot(title=title, simplify=simplify))

    # -- palette -----------------------------------------------------------------------------

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every action of the registry, then the themes. The palette reads markup: escaped."""
        if screen is not self.incident_screen:
            return
        for action in actions.of("incident"):
            if action.numbered:
                yield from self._finding_commands(action)
            elif action.name != "palette":
                run = partial(screen.run_action, action.name)
                words = escape(f"{action.help} Key: {action.key_text}")
                yield SystemCommand(action.title, words, run)
        yield SystemCommand("theme: Choose colours", "Any theme works.", self.action_change_theme)

    def _finding_commands(self, action: actions.Action) -> Iterable[SystemCommand]:
        for number, finding in enumerate(self.state.findings, 1):
            title = escape(f"finding: Go to {number} ({finding.term})")
            run = partial(self.incident_screen.action_finding, number)
            yield SystemCommand(title, action.help, run)
