"""What strange logs cost, against plain ones in the same run; processor time, generous margins."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.strange.catalogue import BY_NAME
from bench.strange.reading import Reading, read
from bench.strange.shape import write

LINES = 20_000
FOREIGN = 5
"""An analysis of lines with letters beyond ASCII against one of plain lines."""
STATEMENTS = 2.5
"""An analysis of long statements against reading them."""


def _told(name: str, lines: int, folder: Path) -> Reading:
    return read(write(BY_NAME[name], folder, lines))


@pytest.mark.timing
@pytest.mark.parametrize("name", ["german", "japanese", "java-traces"])
def test_letters_beyond_ascii_cost_little(name: str, tmp_path: Path) -> None:
    _told("crlf", 500, tmp_path)  # what is loaded and read once
    plain = _told("crlf", LINES, tmp_path).analyse_processor_s
    assert _told(name, LINES, tmp_path).analyse_processor_s < FOREIGN * plain


@pytest.mark.timing
def test_long_statements_are_not_copied_for_nothing(tmp_path: Path) -> None:
    _told("crlf", 500, tmp_path)
    told = _told("postgresql-csvlog", LINES, tmp_path)
    assert told.analyse_processor_s < STATEMENTS * told.read_processor_s
