"""`python -m bench [PART…] [--quick]`: prints tables of times and ratios.

Ratios against a floor measured in the same run travel between machines; times do not.
"""

from __future__ import annotations

import argparse
import compileall
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

PARTS = {
    "first-rows": ("bench.first_rows", "time to the first rows at T, against others"),
    "load": ("bench.load", "a million lines: read, keyed, ordered, explained; peak memory"),
    "detectors": ("bench.detectors", "cost of each detector at a million lines, and its growth"),
    "keys": ("bench.keystrokes", "key to frame at a million rows, while loading and after"),
    "screen": ("bench.screen", "keys, bytes, idleness and start against a bare scroll view"),
    "streaming": ("bench.streaming", "five logs that grow by 10,000 lines a second each"),
    "search": ("bench.search", "search and filter over a million rows, and the keys meanwhile"),
    "wide-table": ("bench.wide_table", "ten million rows of PostgreSQL: cost of each statement"),
    "bundle": ("bench.bundle", "a million events written, read and opened; size against gzip"),
    "exports": ("bench.exports", "ten thousand rows in every format"),
    "redaction": ("bench.redaction", "megabytes a second of redaction, on three kinds of text"),
    "smoke": ("bench.smoke", "the store at ten million rows"),
    "strange": ("bench.strange.measure", "logs unlike our own: each read and explained"),
    "wide": ("bench.wide", "five million documents in Elasticsearch, of which little travels"),
}

ON_REQUEST = frozenset(["wide", "wide-table", "strange"])
"""Parts that need a server or many minutes: measured only when they are named."""


def main() -> None:
    """Measure the parts that were asked for, all by default."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="What is measured, against whom.",
        epilog="; ".join(f"{name}: {words}" for name, (_, words) in PARTS.items()),
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="small sizes and few runs, for CI")
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(tempfile.gettempdir()) / "halfawake-bench",
        help="where generated logs are kept for the next run (up to 1.3 GB)",
    )
    arguments = parser.parse_args()
    if unknown := [part for part in arguments.parts if part not in PARTS]:
        parser.error(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    compiled()
    for part in arguments.parts or [part for part in PARTS if part not in ON_REQUEST]:
        measure: Callable[[Path, bool], None] = import_module(PARTS[part][0]).measure
        measure(arguments.folder, arguments.quick)


def compiled() -> None:
    """Have the bytecode of every room on disk, as an installer leaves it: imports are timed."""
    for room in ("bench", "connectors", "halfawake", "timeline", "tui"):
        for folder in import_module(room).__path__:
            compileall.compile_dir(folder, quiet=2)


if __name__ == "__main__":
    main()
