"""Shows a target: on the screen when there is a terminal, as plain text when there is none."""

from __future__ import annotations

import sys
import time
from datetime import tzinfo
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from halfawake.exit_codes import ExitCode
from halfawake.skeleton import skeleton
from timeline.progress import PreviewArrived

if TYPE_CHECKING:
    from halfawake.keeping import Keeper
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
    with skeleton(target.title, target.window):
        from halfawake.at_hand import at_hand
        from halfawake.handover import FileHandover
        from tui.app import HalfawakeApp
        from tui.zones import Zones

        keeper, notes = at_hand(target, lambda: app.state)
        app = HalfawakeApp(
            target.collector,
            target.window,
            environment="",
            title=target.title,
            now=time.time_ns,
            handover=FileHandover(Path.cwd(), target.config),
            follow=target.key or "",
            wish=target.wish,
            live=follow,
            notes=notes,
            keeping=keeper,
        )
        notes.begin(keeper.kept_notes if keeper is not None else ())
        app.state.zones = Zones(partial(_zones, target))
        for preview in target.collector.at_hand(target.window):
            app.state.take(PreviewArrived(preview))
    sentence = app.run()
    notes.end()
    if app.broken_by is not None:
        _keep(keeper, app)
        from halfawake import breakage

        return breakage.leave(app.broken_by)
    if sentence:
        sys.stderr.write(f"halfawake: {sentence}\n")
    _keep(keeper, app)
    if app.return_code:
        return ExitCode(app.return_code)
    from halfawake.headless import exit_code_of

    return exit_code_of(app.state.statuses)


def _zones(target: Target) -> list[tzinfo]:
    """Zones that can be shown beside UTC: this machine's, and the one that was named."""
    from halfawake.zone import machine_zone

    return [machine_zone(), *([target.zone] if target.zone is not None else [])]


def _keep(keeper: Keeper | None, app: HalfawakeApp) -> None:
    """Keep what was collected and how it was left, so that nine o'clock can reopen 03:14."""
    incident = app.state.incident
    if keeper is None or incident is None:
        return
    from tui.restore import view_of

    view = view_of(app.state, app.incident_screen.timeline)
    try:
        path = keeper.close(view, incident, app.state.statuses)
    except OSError as error:
        sys.stderr.write(f"halfawake: this incident could not be kept: {error}\n")
    else:
        if path is not None:
            sys.stderr.write(f"halfawake: kept as {path} (halfawake open --last)\n")


def _as_text(target: Target) -> ExitCode:
    from halfawake.handover import leaving_options
    from halfawake.headless import collect
    from timeline.export.plain import PlainOptions, render_plain

    options = PlainOptions(
        width=PLAIN_WIDTH, key=target.key or "", leaving=leaving_options(target.config)
    )
    collected = collect(target)
    incident, analysis = collected.incident, collected.analysis
    sys.stdout.write(render_plain(incident, analysis, collected.statuses, options))
    return collected.exit_code
