"""Runs overlap, each for an area of its own: see `seventh_company/lookalikes.py`."""

from __future__ import annotations

from tests.score.seventh_company.lookalikes import LOOKALIKES

_LIKE = LOOKALIKES["area-by-area"]
TERMS = _LIKE.terms
prepare = _LIKE.prepare
disturb = _LIKE.disturb
