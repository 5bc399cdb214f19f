"""What a file of notes was written in, by its content: a look at its beginning, nothing parsed.

Standard library only: a file that is named on the command line is looked at before the screen is
painted. `is_certain` answers for a file that nobody called notes.
"""

from __future__ import annotations

import re
import zipfile
from enum import StrEnum
from pathlib import Path

HEAD_BYTES = 16_384
"""Looked at to recognise a file. A Slack message with its author's profile has about 3 000."""
MOST_MEMBERS = 200_000
"""Of an archive's table of contents that are looked at."""


class Format(StrEnum):
    """The value is what `format` of the configuration is given."""

    MARKDOWN = "markdown"
    """Lines that begin with a time, or JSON lines; also what `halfawake note` writes."""
    SLACK = "slack"
    """Slack's own export: a zip, its folder, a channel's folder, or one day of it."""
    GITLAB = "gitlab"
    """Timeline events of an incident as GitLab's API gives them."""


DAY_FILE = re.compile(r"(?:^|/)(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})\.json$")
_SLACK_STAMP = re.compile(rb'"ts"\s*:\s*"[0-9]{9,11}\.[0-9]{6}"')
_SLACK_MESSAGE = re.compile(rb'"(?:type"\s*:\s*"message|user_profile|client_msg_id|thread_ts)"')
_GITLAB = re.compile(rb'"(?:occurredAt|occurred_at)"\s*:')
_GITLAB_NOTE = re.compile(rb'"note"\s*:')
_NOTE_SUFFIXES = (".md", ".markdown", ".notes")


def recognised(path: Path) -> Format:
    """The format of a file or folder; lines with times when it is none of the others."""
    if path.is_dir():
        return Format.SLACK if is_slack_folder(path) else Format.MARKDOWN
    suffix = path.suffix.lower()
    if suffix == ".zip":
        return Format.SLACK
    if suffix == ".json":
        head = _head(path)
        if _SLACK_STAMP.search(head):
            return Format.SLACK
        if _GITLAB.search(head):
            return Format.GITLAB
    return Format.MARKDOWN


def is_certain(path: Path) -> bool:
    """Whether a file that was simply named can be nothing but notes of people."""
    if path.is_dir():
        return is_slack_folder(path)
    match path.suffix.lower():
        case ".zip":
            return _is_slack_archive(path)
        case ".json":
            head = _head(path)
            is_slack = _SLACK_STAMP.search(head) and _SLACK_MESSAGE.search(head)
            return bool(is_slack or (_GITLAB.search(head) and _GITLAB_NOTE.search(head)))
        case suffix if suffix in _NOTE_SUFFIXES:
            return _begins_notes(path)
    return False


def is_slack_folder(path: Path) -> bool:
    """Whether a folder is a Slack export or one channel of it."""
    try:
        entries = [entry.name for entry in path.iterdir()]
    except OSError:
        return False
    if "users.json" in entries and "channels.json" in entries:
        return True
    days = [name for name in entries if DAY_FILE.search(name)]
    return bool(days) and _SLACK_STAMP.search(_head(path / days[0])) is not None


def _is_slack_archive(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()[:MOST_MEMBERS]
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return False
    return any(DAY_FILE.search(name) for name in names)


def _begins_notes(path: Path) -> bool:
    from connectors.notes.written import note_in_line

    text = _head(path).decode("utf-8", "replace")
    return any(note_in_line(line) is not None for line in text.splitlines())


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError:
        return b""
