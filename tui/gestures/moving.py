"""The cursor among the rows, and the pages over them."""

from __future__ import annotations

from tui.gestures.patience import Patience


class Moving(Patience):
    """Moves the cursor; opens sources, help and the palette."""

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

    def action_sources(self) -> None:
        from tui.sources_page import SourcesScreen  # not needed for the first frame

        self.app.push_screen(SourcesScreen(self._brush, self._state, self))

    def action_help(self) -> None:
        from tui.help_page import help_page  # not needed for the first frame
        from tui.reader import Reader

        self.app.push_screen(Reader(self._brush, lambda w: help_page(w, self._brush.glyphs)))

    def action_palette(self) -> None:
        self.app.action_command_palette()

    def action_quit(self) -> None:
        self.app.exit()
