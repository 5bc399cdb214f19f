"""Timelines in the shapes that written postmortems have; every text here is made up."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.logs.zones import ZoneRule
from connectors.notes.claims import claim_of
from connectors.notes.files import read_notes
from tests.connectors.test_notes import at
from timeline.event import Precision

SHAPES: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "a book's template: bold marks in a list under a day": (
        """## Timeline

2026-03-14 (*all times UTC*)

* 14:51 A newspaper links to the shop
* 14:54 **OUTAGE BEGINS** — carts cannot be opened
* **15:01** *OUTAGE ENDS*
""",
        [
            ("2026-03-14T14:51", "A newspaper links to the shop"),
            ("2026-03-14T14:54", "**OUTAGE BEGINS** — carts cannot be opened"),
            ("2026-03-14T15:01", "*OUTAGE ENDS*"),
        ],
    ),
    "a tracker's: a heading a day, who after a dash": (
        """# Timeline

All times UTC.

### 2026-03-14

- `20:18` - @user declares incident
- 20:25 - rollback begins

### 2026-03-15

- 00:10 - closed
""",
        [
            ("2026-03-14T20:18", "declares incident"),
            ("2026-03-14T20:25", "rollback begins"),
            ("2026-03-15T00:10", "closed"),
        ],
    ),
    "a public collection's: two columns, full stamps, another zone above": (
        """## Timeline

All times in CET.

| Time | Event |
|------|-------|
| 2026-03-14 13:30 | New nodes join |
| 2026-03-14 14:00+ | Pods restart |
| 2026-03-16 | Vendor answers |
""",
        [
            ("2026-03-14T12:30", "New nodes join"),
            ("2026-03-14T13:00", "14:00+ Pods restart"),
            ("", "Vendor answers"),
        ],
    ),
    "a blog's: the zone in the head of the column": (
        """| Time (UTC) | Event |
| --- | --- |
| 2026-03-14 02:07 | Requests fail |
| 2026-03-14 02:10–02:30 | Mitigation rolls out |
""",
        [
            ("2026-03-14T02:07", "Requests fail"),
            ("2026-03-14T02:10", "02:10–02:30 Mitigation rolls out"),
        ],
    ),
    "a guide's: 12-hour clocks with a zone of one country": (
        """## Saturday, March 14, 2026

- 7:20 PM CEST: the queue grows ([graph](https://graph.example/1))
- 7:25 PM CEST: page goes out
""",
        [
            ("2026-03-14T17:20", "the queue grows ([graph](https://graph.example/1))"),
            ("2026-03-14T17:25", "page goes out"),
        ],
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_is_read_row_by_row(tmp_path: Path, shape: str) -> None:
    text, expected = SHAPES[shape]
    path = tmp_path / "postmortem.md"
    path.write_text(text, encoding="utf-8")
    reading = read_notes([str(path)], ZoneRule.named(""))
    rows = sorted([*reading.notes, *reading.undated], key=lambda one: one.offset)
    claims = [claim_of(row) for row in rows]
    found = [(claim.timestamp, claim.text) for claim in claims]
    assert found == [(at(stamp) if stamp else None, said) for stamp, said in expected]
    assert not any(claim.assumed for claim in claims)
    assert all(claim.precision is Precision.MINUTE for claim in claims if claim.timestamp)


def test_sentences_with_a_time_inside_are_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "postmortem.md"
    path.write_text("The alert fired and at 02:13 we looked at it.\n", encoding="utf-8")
    reading = read_notes([str(path)], ZoneRule.named(""))
    assert (reading.notes, reading.prose) == ([], 1)
