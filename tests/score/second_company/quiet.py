"""A night of another company on which nothing is wrong: what a detector says here is false."""

from __future__ import annotations

from tests.score.healthy import healthy
from tests.score.second_company.elsewhere import Night, night, settle
from tests.score.second_company.neighbours import neighbours


def quiet_night(seed: str) -> Night:
    """Traffic, the noise that every night has, and the neighbours; no fault."""
    here = night(healthy(seed, prepare=settle))
    neighbours(here)
    here.close_the_books()
    return here
