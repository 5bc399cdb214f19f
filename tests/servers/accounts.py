"""Whom a server runs as: PostgreSQL, PgBouncer and Elasticsearch all refuse to run as root."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

UNPRIVILEGED_NAMES = ("postgres", "nobody")
"""In this order: Debian's PostgreSQL packages bring the first, every Unix has the second."""


@dataclass(frozen=True)
class Account:
    """A user to start a server as. Only root can use one."""

    uid: int
    gid: int

    def own(self, *paths: Path) -> None:
        """Give the paths to this account."""
        for path in paths:
            os.chown(path, self.uid, self.gid)

    def own_tree(self, folder: Path) -> None:
        """Give a folder and all that is in it to this account."""
        self.own(folder, *folder.rglob("*"))


def unprivileged_account() -> Account | None:
    """The account to drop to when we are root; None when we are not root and nothing changes."""
    if os.geteuid() != 0:
        return None
    for name in UNPRIVILEGED_NAMES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise LookupError(f"running as root, and none of {UNPRIVILEGED_NAMES} exists to drop to")


def reachable_by_all(path: Path) -> bool:
    """Whether every folder above the path can be entered by any user (root's home cannot)."""
    return all(folder.stat().st_mode & 0o001 for folder in path.resolve().parents)
