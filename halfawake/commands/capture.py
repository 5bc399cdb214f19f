"""`halfawake capture TIME -o FILE`: collect now, look later."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from halfawake.cli import UsageProblem
from halfawake.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halfawake.headless import Collected
    from timeline.event import Event
    from timeline.export.contract import ExportOptions


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from halfawake.where import add_live_arguments

    parser.add_argument(
        "time", metavar="WHERE", help="a TIME; with --redact also a .halfawake file or demo:STORY"
    )
    add_live_arguments(parser)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    parser.add_argument(
        "--redact", action="store_true", help="without secrets, to be handed on; counts are printed"
    )


def run(arguments: argparse.Namespace) -> ExitCode:
    from halfawake.bundles import save_bundle
    from halfawake.handover import leaving_options
    from halfawake.headless import collect
    from halfawake.where import live, target

    if arguments.output.is_dir():
        raise UsageProblem(f"{arguments.output} is a folder; name a file: -o night.halfawake")
    options = leaving_options(arguments.config) if arguments.redact else None
    find = live if options is None else target
    found = find(arguments.time, arguments)
    collected = collect(found)
    try:
        if options is not None:
            marks = found.about.marks if found.about is not None else ()
            return _save_redacted(arguments.output, collected, marks, options)
        save_bundle(arguments.output, collected.incident, collected.statuses)
    except OSError as error:
        raise UsageProblem(_kept_instead(arguments.output, error, collected)) from None
    rows = len(collected.incident.snapshot)
    sys.stderr.write(f"halfawake: {rows} events in {arguments.output}\n")
    return collected.exit_code


def _save_redacted(
    path: Path, collected: Collected, marks: Sequence[Event], options: ExportOptions
) -> ExitCode:
    """The bundle without its secrets; nothing of it is kept elsewhere."""
    from halfawake.bundles import save_bundle
    from timeline.export.publish import redactor_for
    from timeline.export.redact_bundle import counts_words, redacted

    redactor = redactor_for(options)
    incident, statuses, kept = redacted(collected.incident, collected.statuses, marks, redactor)
    save_bundle(path, incident, statuses, kept)
    told = f"{len(incident.snapshot)} events in {path}; {counts_words(redactor)}"
    sys.stderr.write(f"halfawake: {told}\n")
    return collected.exit_code


def _kept_instead(wanted: Path, error: OSError, collected: Collected) -> str:
    """Keep it among the autosaved incidents: what was read may be gone from its source by now."""
    from halfawake.bundles import autosave, autosave_folder

    told = f"{wanted} cannot be written: {error.strerror or error}"
    try:
        kept = autosave(collected.incident, collected.statuses, autosave_folder())
    except OSError:
        return f"{told}; nor could it be kept elsewhere. Name another place with -o."
    return f"{told}; it was kept as {kept} instead (halfawake open --last)."
