"""The time zone this machine shows its clocks in, with its rules for every date.

A fixed offset of today is not enough: a pin in last month may lie on the other side of a clock
change. Standard library only; reads the environment and one symbolic link, never a file's content.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, tzinfo
from pathlib import Path

LOCALTIME = Path("/etc/localtime")
_DATABASE = "zoneinfo/"


def machine_zone(localtime: Path = LOCALTIME) -> tzinfo:
    """The zone of `TZ`, else of `/etc/localtime`; the present offset when neither has a name."""
    name = os.environ.get("TZ", "").removeprefix(":") or str(localtime.resolve())
    if name in ("UTC", "UTC0", "GMT"):
        return UTC
    zone = _named(name.rpartition(_DATABASE)[2])
    return zone or datetime.now(UTC).astimezone().tzinfo or UTC


def _named(name: str) -> tzinfo | None:
    if name in ("Etc/UTC", "Etc/UCT", "Zulu"):
        return UTC
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # a machine in UTC need not wait for it

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
