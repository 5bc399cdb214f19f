"""Two rows for one meter that has two registers: see `seventh_company/lookalikes.py`."""

from __future__ import annotations

from tests.score.seventh_company.lookalikes import LOOKALIKES

_LIKE = LOOKALIKES["two-registers"]
TERMS = _LIKE.terms
prepare = _LIKE.prepare
disturb = _LIKE.disturb
