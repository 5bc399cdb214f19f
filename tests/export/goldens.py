"""What the recorded nights look like in every format, as files that a change shows up in.

`python -m tests.export.goldens` writes them anew; read the difference before it is committed, and
look at the pictures. Line ends are kept as LF, whatever a format asks for, so that no checkout can
change them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from halfawake.bundles import open_bundle
from halfawake.demo import story_path
from halfawake.plugins import EXPORTERS, exporter, names
from tests.score.catalogue import detectors
from timeline.analysis import Analysis, analyse
from timeline.export.contract import Exporter, ExportOptions
from timeline.export.csv_ import CsvExporter
from timeline.export.gitlab import GitlabExporter
from timeline.export.jira import JiraExporter
from timeline.export.json_ import SCHEMA_VERSION, schema
from timeline.export.list_ import ListExporter
from timeline.export.slack import SlackExporter
from timeline.incident import Incident

FOLDER = Path(__file__).with_name("golden")
STORIES = ("night-hiccup", "signup-race", "friday-batch", "kicked-can")
FORMATS: dict[str, type[Exporter]] = {
    "csv": CsvExporter,
    "gitlab": GitlabExporter,
    "jira": JiraExporter,
    "list": ListExporter,
    "slack": SlackExporter,
}
OPTIONS = ExportOptions(tool_version="0.1.0")
PUBLISHED = FOLDER.parents[2] / "docs" / f"export-schema-{SCHEMA_VERSION}.json"
"""The schema of the JSON export, where people look for it."""


@cache
def analysed(story: str) -> tuple[Incident, Analysis]:
    """A recorded night and what all detectors say of it."""
    incident, _ = open_bundle(story_path(story))
    return incident, analyse(incident, detectors())


def exported(story: str, exporter: Exporter) -> str:
    return exporter.render(*analysed(story), OPTIONS)


def registered() -> tuple[str, ...]:
    """Every format that `--format` takes."""
    return names(EXPORTERS)


def as_kept(story: str, name: str) -> str:
    """The night in the format `name`, with the line ends that files here have."""
    return exported(story, exporter(name)).replace("\r\n", "\n")


def golden(story: str, name: str) -> Path:
    suffix = exporter(name).suffix
    return FOLDER / (f"{story}{suffix}" if suffix == f".{name}" else f"{story}.{name}{suffix}")


def write() -> None:
    FOLDER.mkdir(exist_ok=True)
    PUBLISHED.write_text(schema(), encoding="utf-8", newline="")
    for story in STORIES:
        for name in registered():
            golden(story, name).write_text(as_kept(story, name), encoding="utf-8", newline="")


if __name__ == "__main__":
    write()
