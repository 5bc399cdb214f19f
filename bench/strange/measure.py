"""What reading and explaining each strange log costs, each in a process of its own.

The peak of memory is then that of one log alone. Ratios between shapes travel between machines.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from bench.strange.catalogue import BY_NAME, SHAPES
from bench.strange.shape import write
from bench.table import write_table

LINES, QUICK_LINES = 300_000, 30_000
HEAD = ("log", "MB", "read", "processor", "analysed", "processor", "peak MB", "likely or above")


def measure(folder: Path, quick: bool) -> None:
    """Print the table of all shapes."""
    table(folder, QUICK_LINES if quick else LINES)


def table(folder: Path, lines: int) -> None:
    """Print one row for each shape, slowest first."""
    told = sorted((figures(folder, shape.name, lines) for shape in SHAPES), key=_slowness)
    rows = [
        (
            str(one["name"]),
            f"{one['mb']:.0f}",
            f"{one['read']:.2f} s",
            f"{one['read_processor']:.2f} s",
            f"{one['analyse']:.2f} s",
            f"{one['analyse_processor']:.2f} s",
            f"{one['peak_mb']:.0f}",
            f"{one['bold']:.0f}",
        )
        for one in told
    ]
    write_table(f"{lines:,} lines of each", HEAD, rows)


def figures(folder: Path, name: str, lines: int) -> dict[str, str | float]:
    """The figures of one shape; RuntimeError when its process ended otherwise than well."""
    from halfawake.__main__ import ALLOCATOR

    path = write(BY_NAME[name], folder, lines)
    done = subprocess.run(
        [sys.executable, "-m", "bench.strange.measure", str(path)],
        capture_output=True,
        check=False,
        env={**ALLOCATOR, **os.environ},
    )
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr.decode(errors='replace')[-2_000:]}")
    measured: dict[str, float] = json.loads(done.stdout)
    return {"name": name, **measured}


def _slowness(one: dict[str, str | float]) -> float:
    return -float(one["read_processor"]) - float(one["analyse_processor"])


def _alone(path: Path) -> dict[str, float]:
    from bench.strange.reading import read

    told = read(path)
    return {
        "mb": path.stat().st_size / 1e6,
        "read": told.read_s,
        "read_processor": told.read_processor_s,
        "analyse": told.analyse_s,
        "analyse_processor": told.analyse_processor_s,
        "peak_mb": told.peak_mb,
        "bold": len(told.bold),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_alone(Path(sys.argv[1]))))
