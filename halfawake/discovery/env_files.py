"""Variables of env files: read, never exported, never printed."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from connectors.discovery import FILE_BYTES

NAMES = (".env", ".env.local", ".env.development", ".env.development.local")
"""Files of a developer's machine, later ones before earlier ones as frameworks read them.
`.env.production` is not among them: what it names is not local, and nothing says what it is."""


@dataclass(frozen=True)
class EnvFiles:
    """Variables by name, the file each comes from, and what could not be read."""

    variables: dict[str, str] = field(default_factory=dict, repr=False)
    files: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_env_files(paths: Iterable[Path]) -> EnvFiles:
    """Everything in `paths`, later files first. A file that cannot be read is a note.

    Files of the working folder are called by their name, others by their path.
    """
    variables: dict[str, str] = {}
    files: dict[str, str] = {}
    notes = []
    for path in paths:
        name = path.name if path.parent.resolve() == Path.cwd() else str(path)
        try:
            text = _text(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            notes.append(f"{name} cannot be read: {error.strerror}.")
            continue
        read, damaged = _parsed(text)
        variables.update(read)
        files.update(dict.fromkeys(read, name))
        if damaged:
            lines = ", ".join(map(str, damaged[:5]))
            notes.append(f"{name}: not understood and left out: line {lines}.")
    return EnvFiles(variables, files, tuple(notes))


def _text(path: Path) -> str:
    """The beginning of a file. Raises OSError, which a folder of that name is too."""
    with path.open("rb") as file:
        return file.read(FILE_BYTES).decode("utf-8-sig", "replace")


def _parsed(text: str) -> tuple[dict[str, str], list[int]]:
    """Names and values, and the numbers of lines that are no assignment."""
    from dotenv.parser import parse_stream

    variables: dict[str, str] = {}
    damaged = []
    for binding in parse_stream(io.StringIO(text)):
        if binding.error:
            damaged.append(binding.original.line)
        elif binding.key is not None and binding.value:
            variables[binding.key] = binding.value
    return variables, damaged
