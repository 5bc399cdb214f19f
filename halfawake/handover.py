"""What leaves the screen, as the screen asks for it: the exported timeline and the status lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from timeline.analysis import Analysis
    from timeline.event import Event
    from timeline.export.contract import ExportOptions
    from timeline.incident import Incident


class FileHandover:
    """Writes the Markdown export into a folder, never over a file that is there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def export(self, incident: Incident, analysis: Analysis | None, marked: Sequence[Event]) -> str:
        """Write the timeline; the sentence says where, or why not."""
        if analysis is None:
            return "Nothing to export yet: the sources are still being read."
        from halfawake.plugins import exporter

        format_ = exporter("md")
        text = format_.render(incident, analysis, export_options(marked))
        instant = datetime.fromtimestamp(incident.window.pin / 1e9, UTC)
        path = _free(self._folder, f"timeline-{instant:%Y%m%dT%H%M%SZ}", format_.suffix)
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            return f"{path} could not be written: {error.strerror}."
        return f"Timeline written to {path}"

    def status(self, incident: Incident, analysis: Analysis | None) -> str:
        from timeline.export.status import status

        return status(incident, analysis, export_options(()))


def export_options(marked: Sequence[Event], no_redact_reason: str = "") -> ExportOptions:
    """The options every way out of the product shares."""
    from halfawake import __version__
    from timeline.export.contract import ExportOptions

    return ExportOptions(
        no_redact_reason=no_redact_reason,
        marked=tuple(marked),
        root=str(Path.cwd()),
        tool_version=__version__,
    )


def _free(folder: Path, name: str, suffix: str) -> Path:
    path = folder / f"{name}{suffix}"
    number = 2
    while path.exists():
        path = folder / f"{name}-{number}{suffix}"
        number += 1
    return path
