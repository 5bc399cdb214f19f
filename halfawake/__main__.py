"""`python -m halfawake` and the console script: hands the arguments to the command line."""

from __future__ import annotations

import gc
import os
import sys

GARBAGE_THRESHOLD = 100_000
"""Objects made between two looks for garbage cycles (Python's own is 700): while modules load
there is none, and looking for it takes a tenth of the time to the first rows."""


ALLOCATOR = {"_RJEM_MALLOC_CONF": "dirty_decay_ms:200,muzzy_decay_ms:0"}
"""Settings of jemalloc, which Polars brings: memory that is no longer used goes back to the system
after a fifth of a second (jemalloc's TUNING.md). Without it a loaded window keeps what was used to
parse it; a shorter time costs more page faults than it saves memory."""


def main() -> None:
    """Run the command and leave with its exit code."""
    for name, value in ALLOCATOR.items():
        os.environ.setdefault(name, value)  # read when Polars is loaded, which is later
    gc.set_threshold(GARBAGE_THRESHOLD)
    from halfawake.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
