"""`python -m halfawake` and the console script: hands the arguments to the command line."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command and leave with its exit code."""
    from halfawake.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
