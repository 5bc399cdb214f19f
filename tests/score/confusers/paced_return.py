"""A planned return of the workers at a measured pace: see `seventh_company/lookalikes.py`."""

from __future__ import annotations

from tests.score.seventh_company.lookalikes import LOOKALIKES

_LIKE = LOOKALIKES["paced-return"]
TERMS = _LIKE.terms
prepare = _LIKE.prepare
disturb = _LIKE.disturb
