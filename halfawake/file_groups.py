"""Which of the files named on the command line belong together as one source."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

_ENDINGS = frozenset(["gz", "zst", "log", "jsonl", "ndjson", "json", "txt", "csv", "out", "err"])


def grouped(paths: Sequence[Path]) -> dict[str, list[Path]]:
    """Source name to files: `app.log`, `app.log.1` and `app.log.2.gz` of one folder are one.

    Two folders that hold a file of the same name give `web/app` and `worker/app`.
    """
    groups: dict[tuple[Path, str], list[Path]] = {}
    for path in paths:
        groups.setdefault((path.parent, _stem(path)), []).append(path)
    stems = [stem for _, stem in groups]
    return {
        (f"{folder.name or folder}/{stem}" if stems.count(stem) > 1 else stem): found
        for (folder, stem), found in groups.items()
    }


def _stem(path: Path) -> str:
    """`app` of `app.log.2.gz`; a date between dots is a rotation too."""
    parts = path.name.split(".")
    while len(parts) > 1 and (parts[-1] in _ENDINGS or parts[-1].replace("-", "").isdigit()):
        parts.pop()
    return ".".join(parts) or path.name
