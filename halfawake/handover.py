"""What leaves the screen, as the screen asks for it: the exported timeline and the status lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from timeline.analysis import Analysis
    from timeline.event import Event
    from timeline.export.contract import ExportOptions
    from timeline.incident import Incident
    from tui.drafts import Draft, Format


USUAL = "md"
"""The format that is shown first: what is pasted into a postmortem."""
STAND_IN = re.compile(r"\{redacted:|\b(?:email|ip|user|session)#[0-9]+")
"""What stands in a text where something was taken out (`timeline.export.redact`)."""
_PURPOSES = {
    "md": "for the postmortem, an issue or a merge request",
    "json": "for scripts and agents; nothing is cut for length",
    "keys": "the list to work through afterwards: what became of each key",
    "list": "plain bullets, for an editor that takes no table",
    "slack": "numbered messages that ping nobody",
    "jira": "wiki markup, for an issue that renders no Markdown",
    "csv": "the timeline for a spreadsheet, one record a line",
    "gitlab": "quick actions that fill the timeline of an incident; whole minutes",
    "html": "one page to attach or to mail: pictures, filters, evidence; needs no server",
    "svg": "the lanes as a picture, for a document or a slide",
    "mermaid": "proofs as diagrams that GitHub and GitLab draw",
    "trace": "for ui.perfetto.dev: zoom into the cited records with a mouse",
}


class FileHandover:
    """Renders exports and writes them into a folder, never over a file that is there."""

    def __init__(self, folder: Path, config: Path | None = None) -> None:
        self._folder = folder
        self._config = config

    def formats(self) -> tuple[Format, ...]:
        """Every registered format, the usual one first; none of them is imported for it."""
        from halfawake.plugins import EXPORTERS, names
        from tui.drafts import Format

        known = sorted(names(EXPORTERS), key=lambda name: (name != USUAL, name))
        return tuple(Format(name, _PURPOSES.get(name, "")) for name in known)

    def draft(
        self, incident: Incident, analysis: Analysis, marked: Sequence[Event], name: str
    ) -> Draft:
        """The text in the format `name`, and what is said of it."""
        from halfawake.plugins import exporter
        from tui.drafts import Draft, Format

        format_ = exporter(name)
        options = export_options(marked, config=self._config)
        text = format_.render(incident, analysis, options)
        instant = datetime.fromtimestamp(incident.window.pin / 1e9, UTC)
        path = _free(self._folder, f"timeline-{instant:%Y%m%dT%H%M%SZ}", format_.suffix)
        rows = (
            text.count("\n") - 1 if format_.suffix == ".csv" else _rows(incident, analysis, options)
        )
        about = Format(name, _PURPOSES.get(name, ""))
        return Draft(about, text, str(path), rows, len(STAND_IN.findall(text)))

    def write(self, draft: Draft) -> str:
        """Write it; the sentence says where. Raises `OSError`."""
        wanted = Path(draft.file)
        path = wanted
        number = 2
        while True:
            try:
                with path.open("x", encoding="utf-8") as stream:
                    stream.write(draft.text)
            except FileExistsError:  # since it was shown; never over what is there
                path = wanted.with_stem(f"{wanted.stem}-{number}")
                number += 1
                continue
            return f"Timeline written to {path}"

    def status(self, incident: Incident, analysis: Analysis | None) -> str:
        """Three lines for the chat. Raises ValueError with a sentence."""
        from timeline.export.status import status

        return status(incident, analysis, export_options((), config=self._config))


def export_options(
    marked: Sequence[Event], no_redact_reason: str = "", *, config: Path | None = None
) -> ExportOptions:
    """The options every way out of the product shares, with the team's own redaction.

    Raises `RedactionProblem` or `LinkProblem` when the configuration, `config` or the usual one,
    cannot be used.
    """
    from halfawake import __version__
    from halfawake.link_config import team_links
    from halfawake.redact_config import team_redaction
    from timeline.export.contract import ExportOptions

    team = team_redaction(config)
    return ExportOptions(
        no_redact_reason=no_redact_reason,
        extra_rules=team.rules,
        keep=team.keep,
        links=team_links(config),
        marked=tuple(marked),
        root=str(Path.cwd()),
        tool_version=__version__,
    )


def leaving_options(
    config: Path | None, marked: Sequence[Event] = (), no_redact_reason: str = ""
) -> ExportOptions:
    """The same for a command. Raises `UsageProblem`: nothing is collected that could not leave."""
    from halfawake.cli import UsageProblem
    from halfawake.link_config import LinkProblem
    from halfawake.redact_config import RedactionProblem

    try:
        return export_options(marked, no_redact_reason, config=config)
    except (LinkProblem, RedactionProblem) as problem:
        raise UsageProblem(str(problem)) from None


def _rows(incident: Incident, analysis: Analysis, options: ExportOptions) -> int:
    """Rows of the timeline that every format tells."""
    from timeline.export.build import document_of

    return len(document_of(incident, analysis, options).timeline)


def _free(folder: Path, name: str, suffix: str) -> Path:
    path = folder / f"{name}{suffix}"
    number = 2
    while path.exists():
        path = folder / f"{name}-{number}{suffix}"
        number += 1
    return path
