"""Notes while the screen is open: written as `halfawake note` writes them, and read back at once.

What others write into the same files, from any shell, is found by a look at their size and age
once a second, in a thread of its own. A note has one way onto the screen, whoever wrote it: it is
read from the file and handed to the collector.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halfawake.notebook import Notebook
    from timeline.batch import Batch
    from timeline.event import Event
    from timeline.incident import SourceInfo
    from timeline.window import Window

LOOK_EVERY_S = 1.0
SIGHT = "not seen: what nobody wrote down"
MOST_TOLD = 2_000
"""Notes of one incident; a diary that was named by mistake holds more."""

Hold = Callable[["SourceInfo", "Batch"], bool]
"""Shows events that no source gave; False while there is nothing yet to show them beside."""
_Known = tuple[int, str, str]


@dataclass
class NoteTaker:
    """Takes and watches notes. The first of `notebooks` is written to, all of them are watched.

    They are asked for once, after the screen has shown something: reading a configuration takes
    longer than a first frame may.

    `window` gives the one looked at now: its notes are told, and whatever is written while the
    screen is open; with `only_new`, nothing that stood there before.
    """

    notebooks: Callable[[], Sequence[Notebook]]
    hold: Hold
    window: Callable[[], Window]
    only_new: bool = False
    ready: Callable[[], bool] = lambda: True
    """Whether there is something on the screen that notes could stand beside."""
    told: list[Event] = field(default_factory=list)
    """What was told, oldest first by arrival."""
    _kept: Sequence[Event] = ()
    _before: set[_Known] | None = None
    _known: set[_Known] = field(default_factory=set)
    _seen: object = None
    _over: threading.Event = field(default_factory=threading.Event)
    _looking: threading.Lock = field(default_factory=threading.Lock)
    _thread: threading.Thread | None = None

    def begin(self, kept: Sequence[Event] = ()) -> None:
        """Watch from now on. `kept` are notes of an earlier look at the same incident."""
        self._kept = tuple(kept)
        self._thread = threading.Thread(target=self._watch, name="notes", daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join(timeout=LOOK_EVERY_S)

    def add(self, at: int, text: str, *, to_the_second: bool) -> str:
        """Write a note at `at` (ns UTC); the sentence says where it is.

        Raises ValueError with a sentence when it could not be written. Blocks: never call it on
        the screen's loop.
        """
        from halfawake.notebook import Line, NotebookProblem, append, login_name

        notebook = self._books[0]
        try:
            append(notebook.path, Line(at, text, login_name(), to_the_second))
        except NotebookProblem as problem:
            raise ValueError(str(problem)) from None
        self._look()
        return f"in {notebook.path}" + (f" ({notebook.remark})" if notebook.remark else "")

    def _watch(self) -> None:
        while not self._over.is_set():
            if self.ready():
                self._look()
            self._over.wait(LOOK_EVERY_S)

    @cached_property
    def _books(self) -> Sequence[Notebook]:
        return tuple(self.notebooks())

    def _look(self) -> None:
        with self._looking:
            window = self.window()
            seen = [(window.pin, window.start), *(_age_of(book.path) for book in self._books)]
            if seen != self._seen and self._tell(window):
                self._seen = seen

    def _tell(self, window: Window) -> bool:
        """Hand over what is new; False when nobody could take it yet."""
        from timeline.batch import BatchExtras, batch_of
        from timeline.coverage import Coverage, Sight
        from timeline.event import Lane
        from timeline.incident import SourceInfo

        found = {book: read_notebook(book) for book in self._books}
        if self._before is None:
            self._before = {_known(event) for events in found.values() for event in events}
        taken = True
        for book, events in found.items():
            new = [event for event in events if self._wanted(event, window)]
            if book is self._books[0]:
                new += [event for event in self._kept if _known(event) not in self._known]
            if not new:
                continue
            seen = Coverage(book.source, window.start, window.end, Sight.FULL, SIGHT)
            extras = BatchExtras(() if book.configured else (seen,))
            info = SourceInfo(book.source, Lane.NOTE, "notes")
            if self.hold(info, batch_of(book.source, new, extras)):
                self._known |= {_known(event) for event in new}
                self.told = [*self.told, *new][-MOST_TOLD:]
            else:
                taken = False
        return taken

    def _wanted(self, event: Event, window: Window) -> bool:
        known = _known(event)
        if known in self._known or len(self._known) >= MOST_TOLD:
            return False
        stood_there = self._before is not None and known in self._before
        return not stood_there or (not self.only_new and window.contains(event.timestamp))


def read_notebook(notebook: Notebook) -> list[Event]:
    """Every note of the notebook that has a time; none when it cannot be read."""
    from connectors.notes import NotesConnector, NotesOptions
    from timeline.keys import KeyRules
    from timeline.problems import SourceProblem

    paths = list(notebook.read_from) or [str(notebook.path)]
    try:
        options = NotesOptions.model_validate({"paths": paths, "zone": notebook.zone})
        connector = NotesConnector(notebook.source, options, KeyRules())
        return asyncio.run(connector.everything())
    except (SourceProblem, ValueError):
        return []


def _known(event: Event) -> _Known:
    """What makes a note the same although the file around it was edited."""
    return event.timestamp, event.actor, event.body


def _age_of(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size
