"""Every finding that can be made is on the page that lists them."""

from __future__ import annotations

import re
from pathlib import Path

from halfawake.plugins import detectors

PAGE = Path(__file__).parents[2] / "docs" / "findings.md"
TOLD_BY_ANOTHER = {"deadlock"}
"""Terms without a detector of their own: lock-queue's finds them."""


def test_the_page_lists_exactly_what_is_looked_for() -> None:
    listed = re.findall(r"^\| `([a-z-]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert listed == sorted(listed)
    assert set(listed) - TOLD_BY_ANOTHER == {detector.term for detector in detectors()}
