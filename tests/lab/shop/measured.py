"""A side channel: what each process itself measured, for the truth and never for the logs.

One JSON object a line, appended with a single write so that processes can share a file.
"""

from __future__ import annotations

import json
import os
from pathlib import Path


class Measured:
    """Appends what was measured to one file. Instants are ns since the epoch."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def note(self, what: str, **facts: str | int | None) -> None:
        """Append one measurement; safe from several threads and processes (O_APPEND)."""
        line = json.dumps({"what": what, **facts}) + "\n"
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)
