"""`python -m bench.strange [LINES]`: the table with as many lines of each log as wanted."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from bench.strange.measure import LINES, table

FOLDER = Path(tempfile.gettempdir()) / "halfawake-bench"

FOLDER.mkdir(parents=True, exist_ok=True)
table(FOLDER, int(sys.argv[1].replace("_", "")) if len(sys.argv) > 1 else LINES)
