"""The export before it leaves: what would be written, in every format, read before it is sent.

Rendering runs in a thread and the last format asked for wins. Writing and redacting are the
hand-over object's; this page shows, copies and asks.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from timeline.words import count_of
from tui import actions
from tui.footer import Footer
from tui.pieces import Line, padded, wrap
from tui.reader import Page, Reader
from tui.waiting import bytes_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.binding import BindingType

    from tui.canvas import Brush
    from tui.drafts import Draft, Format
    from tui.state import Handover

LINES_SHOWN = 1_000
"""Lines of a text on the page; who reads more reads the file."""
CHARACTERS_SHOWN = 2_000
"""Of one line: JSON of a long record fits no screen."""
COPY_BYTES = 74_994
"""What the terminal's clipboard takes: OSC 52 passes at most 100 000 bytes in the terminals that
state a limit (hterm's osc52.sh), eight of them its frame, and base64 makes four bytes of three."""
FORMAT_CELLS = 8


class ExportScreen(Reader):
    """Previews; `written` is called with the sentence that says where the file is."""

    BINDINGS: ClassVar[list[BindingType]] = [*actions.bindings("export")]
    SCOPES: ClassVar[tuple[actions.Scope, ...]] = ("reader", "export")

    def __init__(
        self,
        brush: Brush,
        handover: Handover,
        render: Callable[[str], Draft],
        written: Callable[[str], None],
    ) -> None:
        super().__init__(brush, self._page)
        self._handover = handover
        self._draft_of = render
        self._written = written
        self._formats = handover.formats()
        self._wanted = 0
        self._drafts: dict[str, Draft] = {}
        self._problem = ""
        self._drawn: tuple[Draft | None, int] = (None, 0)
        self._lines: list[Line] = []

    def on_mount(self) -> None:
        super().on_mount()
        self._ask_for_draft()

    @property
    def _format(self) -> Format:
        return self._formats[self._wanted]

    @property
    def _draft(self) -> Draft | None:
        return self._drafts.get(self._format.name)

    def _ask_for_draft(self) -> None:
        self._problem = ""
        if self._draft is None:
            self.run_worker(self._build_in_thread(self._format.name), exit_on_error=False)

    async def _build_in_thread(self, name: str) -> None:
        try:
            self._drafts[name] = await asyncio.to_thread(self._draft_of, name)
        except Exception as error:  # a stranger's format must not end the screen
            if name == self._format.name and isinstance(error, ValueError):
                self._problem = f"Nothing can be exported as {name}: {error}"
            elif name == self._format.name:
                self._problem = f"The format {name} broke: {type(error).__name__}: {error}"
        if name == self._format.name:
            self.reload(keep_place=False)

    # -- keys --------------------------------------------------------------------------------

    def action_next_format(self) -> None:
        self._turn(1)

    def action_previous_format(self) -> None:
        self._turn(-1)

    def _turn(self, direction: int) -> None:
        self._wanted = (self._wanted + direction) % len(self._formats)
        self._ask_for_draft()
        self.reload(keep_place=False)
        self.action_top()

    async def action_write(self) -> None:
        draft = self._draft
        if draft is None:
            self._say("It is not there yet; a moment.")
            return
        try:
            said = await asyncio.to_thread(self._handover.write, draft)
        except OSError as problem:
            self._say(f"The export could not be written: {problem.strerror or problem}.")
            return
        self.dismiss()
        self._written(said)

    def action_copy(self) -> None:
        draft = self._draft
        if draft is None:
            self._say("It is not there yet; a moment.")
            return
        size = len(draft.text.encode())
        if size > COPY_BYTES:
            most = bytes_words(COPY_BYTES)
            self._say(f"{bytes_words(size)} is more than a terminal's clipboard takes ({most}); "
                      "enter writes it to a file.")  # fmt: skip
            return
        self.app.copy_to_clipboard(draft.text)
        self._say(f"{bytes_words(size)} sent to the terminal's clipboard.")

    def on_key(self) -> None:
        if self.said:
            self._say("")

    def _say(self, sentence: str) -> None:
        self.said = sentence
        self.query_one(Footer).redraw()

    # -- drawing -----------------------------------------------------------------------------

    def _page(self, width: int) -> Page:
        draft = self._draft
        if draft is None or self._drawn != (draft, width):
            self._drawn = (draft, width)
            self._lines = draft_lines(draft, width) if draft is not None else []
        title: Line = [(" export ", "badge"), (" nothing is written yet", "text")]
        cursor = self._brush.glyphs.cursor
        head = format_lines(self._formats, self._wanted, cursor)
        if draft is not None:
            head += [[], [(f" {figures(draft)}", "info")], [(f" {draft.file}", "dim")], []]
        else:
            words = self._problem or f"Building {self._format.name} ..."
            head += [[], [(f" {words}", "warning" if self._problem else "accent")]]
        return Page(title, [[], *head, *self._lines])


def format_lines(formats: Sequence[Format], wanted: int, cursor: str) -> list[Line]:
    """Every format with what it is for, the one shown marked."""
    lines: list[Line] = []
    for number, one in enumerate(formats):
        here = number == wanted
        lines.append([
            (f" {cursor if here else ' '} ", "accent"),
            (padded(one.name, FORMAT_CELLS), "strong" if here else "text"),
            (one.purpose, "text" if here else "dim"),
        ])  # fmt: skip
    return lines


def figures(draft: Draft) -> str:
    """`15 rows, 7 redactions, 212 lines, 18.2 KiB`."""
    lines = draft.text.count("\n")
    return ", ".join((
        count_of(draft.rows, "row"),
        count_of(draft.redactions, "redaction"),
        count_of(lines, "line"),
        bytes_words(len(draft.text.encode())),
    ))  # fmt: skip


def draft_lines(draft: Draft, width: int) -> list[Line]:
    """The text as it would be written, wrapped; its first lines when it is long."""
    parts = draft.text.replace("\r\n", "\n").split("\n", LINES_SHOWN)
    rest = parts.pop() if len(parts) > LINES_SHOWN else ""
    lines: list[Line] = []
    for part in parts:
        shown = part[:CHARACTERS_SHOWN]
        indent = " " * min(len(shown) - len(shown.lstrip(" ")), width // 2)
        pieces = wrap(shown.lstrip(" "), width - 2 - len(indent))
        lines += [[(f" {indent}{piece}", "text")] for piece in pieces]
        if len(part) > len(shown):
            more = count_of(len(part) - len(shown), "more character")
            lines.append([(f" ({more} of this line)", "dim")])
    if rest:
        more = count_of(rest.count("\n") + (not rest.endswith("\n")), "more line")
        lines.append([(f" ({more}; the file holds all)", "dim")])
    return lines
