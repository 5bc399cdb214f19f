"""Releases of a service: a checkout that halfawake reads, and commits made now."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lab.yard import Yard


class Checkout:
    """A real repository beside the yard, read as what runs."""

    def __init__(self, yard: Yard, service: str = "search") -> None:
        self.service = service
        self.folder: Path = yard.folder / service
        subprocess.run(["git", "init", "-q", self.folder], check=True)
        yard.configure(f"""
[env.yard.sources.commits]
connector = "changes"
git = "{self.folder}"
reflog = true
service = "{service}"
""")

    def release(self, version: str) -> None:
        """A commit and its tag."""
        (self.folder / "VERSION").write_text(version)
        who = ["-c", "user.name=release", "-c", f"user.email=release@{self.service}.example"]
        for words in (
            ["add", "."],
            [*who, "commit", "-qm", f"{self.service.capitalize()} {version}"],
            ["tag", version],
        ):
            subprocess.run(["git", "-C", self.folder, *words], check=True)
