"""Shows a target: on the screen when there is a terminal, as plain text when there is none."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from halfawake.exit_codes import ExitCode

if TYPE_CHECKING:
    from halfawake.where import Target
    from tui.app import HalfawakeApp

PLAIN_WIDTH = 200
"""Columns of the plain text: wide enough to search in, whatever the terminal it ends up in."""


def show(target: Target, *, follow: bool = False) -> ExitCode:
    """Open the screen, or print header, state, findings and timeline.

    The screen reads on behind the window from the beginning with `follow`; plain text ends.
    """
    if sys.stdout.isatty() and sys.stdin.isatty():
        return _on_screen(target, follow=follow)
    return _as_text(target)


def _on_screen(target: Target, *, follow: bool) -> ExitCode:
    from halfawake.handover import FileHandover
    from tui.app import HalfawakeApp

    app = HalfawakeApp(
        target.collector,
        target.window,
        environment="",
        title=target.title,
        now=time.time_ns,
        handover=FileHandover(Path.cwd()),
        follow=target.key or "",
        live=follow,
    )
    sentence = app.run()
    if sentence:
        sys.stderr.write(f"halfawake: {sentence}\n")
    if app.return_code:
        return ExitCode(app.return_code)
    _keep(target, app)
    from halfawake.headless import exit_code_of

    return exit_code_of(app.state.statuses)


def _keep(target: Target, app: HalfawakeApp) -> None:
    """Autosave what was collected, so that nine o'clock can reopen 03:14."""
    incident = app.state.incident
    if target.recorded or incident is None:
        return
    from halfawake.bundles import autosave, autosave_folder

    try:
        path = autosave(incident, app.state.statuses, autosave_folder())
    except OSError as error:
        sys.stderr.write(f"halfawake: this incident could not be kept: {error}\n")
    else:
        sys.stderr.write(f"halfawake: kept as {path} (halfawake open --last)\n")


def _as_text(target: Target) -> ExitCode:
    from halfawake.headless import collect
    from timeline.export.plain import PlainOptions, render_plain

    collected = collect(target)
    options = PlainOptions(width=PLAIN_WIDTH, key=target.key or "")
    incident, analysis = collected.incident, collected.analysis
    sys.stdout.write(render_plain(incident, analysis, collected.statuses, options))
    return collected.exit_code
