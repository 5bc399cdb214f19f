"""What the recorded nights look like in every text format, as files that a change shows up in.

`python -m tests.export.goldens` writes them anew; read the difference before it is committed.
Line ends are kept as LF, whatever a format asks for, so that no checkout can change them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from halfawake.bundles import open_bundle
from halfawake.demo import story_path
from tests.score.catalogue import detectors
from timeline.analysis import Analysis, analyse
from timeline.export.contract import Exporter, ExportOptions
from timeline.export.csv_ import CsvExporter
from timeline.export.jira import JiraExporter
from timeline.export.list_ import ListExporter
from timeline.export.slack import SlackExporter
from timeline.incident import Incident

FOLDER = Path(__file__).with_name("golden")
STORIES = ("night-hiccup", "signup-race", "friday-batch", "kicked-can")
FORMATS: dict[str, type[Exporter]] = {
    "csv": CsvExporter,
    "jira": JiraExporter,
    "list": ListExporter,
    "slack": SlackExporter,
}
OPTIONS = ExportOptions(tool_version="0.1.0")


@cache
def analysed(story: str) -> tuple[Incident, Analysis]:
    """A recorded night and what all detectors say of it."""
    incident, _ = open_bundle(story_path(story))
    return incident, analyse(incident, detectors())


def exported(story: str, exporter: Exporter) -> str:
    return exporter.render(*analysed(story), OPTIONS)


def golden(story: str, name: str) -> Path:
    suffix = FORMATS[name].suffix
    return FOLDER / (f"{story}{suffix}" if suffix == f".{name}" else f"{story}.{name}{suffix}")


def write() -> None:
    FOLDER.mkdir(exist_ok=True)
    for story in STORIES:
        for name, format_ in FORMATS.items():
            text = exported(story, format_()).replace("\r\n", "\n")
            golden(story, name).write_text(text, encoding="utf-8", newline="")


if __name__ == "__main__":
    write()
