"""What the command's exit code says. One enum, documented in the README, never a bare number."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """0 done, 1 broken, 2 bad usage, 3 partly blind, 4 blind, 5 unsafe, 130 interrupted."""

    DONE = 0
    BROKEN = 1
    """A defect of halfawake itself; the report says where it was written."""
    USAGE = 2
    """A wrong argument or configuration; nothing was asked of any system."""
    PARTIAL = 3
    """Done, but some source failed or was cut."""
    NO_ANSWER = 4
    """No source answered."""
    COULD_WRITE = 5
    """`check --strict`: an account could change what it is meant to look at."""
    INTERRUPTED = 130
