"""What the screen has at hand besides its collector: who keeps it, and where notes go.

A demo is nobody's incident: nothing of it is kept, and its notes go to a file of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from halfawake.demo import FOLDER
from halfawake.keeping import Keeper
from halfawake.note_taking import NoteTaker

if TYPE_CHECKING:
    from halfawake.notebook import Notebook
    from halfawake.where import Target
    from tui.state import ScreenState


def at_hand(target: Target, state: Callable[[], ScreenState]) -> tuple[Keeper | None, NoteTaker]:
    """The keeper (None for a demo) and the notes of `target`; `state` is that of the screen."""
    is_demo = target.path is not None and target.path.parent == FOLDER
    notebooks = partial(_notebooks, target, is_demo=is_demo)
    notes = NoteTaker(
        notebooks,
        target.collector.add,
        lambda: state().window,
        only_new=is_demo,
        ready=lambda: state().incident is not None,
    )
    if is_demo:
        return None, notes
    keeper = Keeper(target.path, target.about, lambda: notes.told)
    keeper.find()
    return keeper, notes


def _notebooks(target: Target, *, is_demo: bool) -> list[Notebook]:
    """Where `halfawake note` writes, behind the demo's own if it is one.

    A wrong name was refused before there was a target.
    """
    from halfawake.bundles import autosave_folder
    from halfawake.notebook import FILE_NAME, Notebook, NotebookProblem, notebook_for

    try:
        notebook = notebook_for(target.config, target.environment, None)
    except NotebookProblem:
        notebook = notebook_for(None, None, None)
    own = [Notebook(autosave_folder().parent / "demo" / FILE_NAME)] if is_demo else []
    return [*own, notebook]
