"""An ordinary night in this company: whatever is claimed to have gone wrong here did not."""

from __future__ import annotations

from tests.score.healthy import healthy
from tests.score.seventh_company.surroundings import surroundings
from tests.score.seventh_company.utility import Shift, move_in, shift


def quiet_night(seed: str) -> Shift:
    """Everybody's noise and nobody's fault."""
    here = shift(healthy(seed, prepare=move_in))
    surroundings(here)
    return here
