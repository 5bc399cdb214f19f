"""`python -m halfawake` and the console script: hands the arguments to the command line."""

from __future__ import annotations

import gc
import sys

GARBAGE_THRESHOLD = 100_000
"""Objects made between two looks for garbage cycles (Python's own is 700): while modules load
there is none, and looking for it takes a tenth of the time to the first rows."""


def main() -> None:
    """Run the command and leave with its exit code."""
    gc.set_threshold(GARBAGE_THRESHOLD)
    from halfawake.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
