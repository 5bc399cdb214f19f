"""A clock that is off, for one process: Debian's faketime, loaded before the program."""

from __future__ import annotations

import platform
from pathlib import Path

from tests.servers.process import ServerMissing

INSTALL_LINE = "apt-get install faketime"
LIBRARY = Path(f"/usr/lib/{platform.machine()}-linux-gnu/faketime/libfaketimeMT.so.1")


def clock_off_by(seconds: float) -> dict[str, str]:
    """Environment of a process whose wall clock is off by so much; waits keep their true length.

    Raises ServerMissing.
    """
    if not LIBRARY.exists():
        raise ServerMissing("faketime", INSTALL_LINE)
    return {
        "LD_PRELOAD": str(LIBRARY),
        "FAKETIME": f"{seconds:+g}s",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
