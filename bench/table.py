"""Aligned text tables on standard output."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def write_table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A title, a header and rows; the first column left, the others right aligned."""
    everything = [head, *rows]
    widths = [max(len(row[column]) for row in everything) for column in range(len(head))]
    lines = [f"\n{title}"]
    for row in everything:
        first, *others = (
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("  ".join((first, *others)).rstrip())
    lines.insert(2, "  ".join("-" * width for width in widths))
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:,.1f} ms"


def ratio(value: float, base: float) -> str:
    return f"{value / base:.2f}"
