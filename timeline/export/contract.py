"""What an export format is: a name, a suffix and one method. Registered as an entry point.

The group is `halfawake.exporters`. A format renders `timeline.export.document.Document` through
`timeline.export.publish.publish`, which redacts; it must never print an `Incident` itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from datetime import tzinfo

    from timeline.analysis import Analysis
    from timeline.event import Event
    from timeline.export.links import LinkTemplate
    from timeline.export.rule import Rule
    from timeline.incident import Incident

PASTE_LIMIT = 60_000
"""Characters of one pasted text. GitHub refuses a body above 65,536; the rest is for the prose
that people write around it."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What the person asked for. Equal options and incident give equal bytes."""

    no_redact_reason: str = ""
    """Why redaction is off, printed in the export; empty: everything is redacted."""
    title: str = ""
    """Heading of the document; empty: made from the environment and T."""
    marked: tuple[Event, ...] = ()
    """Rows the person marked; they always appear in the timeline."""
    zone: tzinfo | None = None
    """The reader's zone; its offset at T is named in the legend, times stay UTC."""
    root: str = ""
    """Folder that file references are printed relative to."""
    extra_rules: tuple[Rule, ...] = ()
    """The team's own redaction rules, applied before the built-in ones."""
    keep: tuple[str, ...] = ()
    """Values that stay although a rule knows them; `*` stands for any signs."""
    pseudonymise_ids: bool = False
    """For readers outside of the team: every id of a key becomes a stand-in (`user#1`)."""
    stand_in_key: bytes = field(default=b"", repr=False)
    """Derives stand-ins, so that two exports share them; empty: numbered by first appearance."""
    every_row: bool = False
    """Tell every record of the window instead of the few that tell the story."""
    links: tuple[LinkTemplate, ...] = ()
    """Where records are found in the team's own tools."""
    tool_version: str = ""
    limit: int = PASTE_LIMIT
    """Most characters of a text meant for pasting; JSON is never cut by it."""

    @property
    def redacted(self) -> bool:
        return not self.no_redact_reason


class Exporter(Protocol):
    """One format. The class takes no arguments; `name` is what `--format` is given."""

    name: ClassVar[str]
    suffix: ClassVar[str]
    """File name ending with its dot: `.md`."""

    def render(self, incident: Incident, analysis: Analysis, options: ExportOptions) -> str:
        """The whole text, ending with a line break. Never raises on account of its content."""
        ...
