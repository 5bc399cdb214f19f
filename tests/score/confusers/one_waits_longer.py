"""One caller tries again and waits longer every time: see `seventh_company/lookalikes.py`."""

from __future__ import annotations

from tests.score.seventh_company.lookalikes import LOOKALIKES

_LIKE = LOOKALIKES["one-waits-longer"]
TERMS = _LIKE.terms
prepare = _LIKE.prepare
disturb = _LIKE.disturb
