"""A host that logs whole seconds seems early by up to one: see `seventh_company/lookalikes.py`."""

from __future__ import annotations

from tests.score.seventh_company.lookalikes import LOOKALIKES

_LIKE = LOOKALIKES["whole-seconds"]
TERMS = _LIKE.terms
prepare = _LIKE.prepare
disturb = _LIKE.disturb
