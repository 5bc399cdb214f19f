"""An ordinary night in this company: whatever is claimed to have gone wrong here did not."""

from __future__ import annotations

from tests.score.healthy import healthy
from tests.score.third_company.acts import close
from tests.score.third_company.house import Watch, move_in, watch


def quiet_night(seed: str) -> Watch:
    """Everybody's noise and nobody's fault."""
    here = watch(healthy(seed, prepare=move_in))
    close(here)
    return here
