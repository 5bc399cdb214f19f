"""A night of the fifth company on which nothing is wrong: what a detector says here is false."""

from __future__ import annotations

from tests.score.fifth_company.harbour import Watch, settle, watch
from tests.score.fifth_company.surroundings import surroundings
from tests.score.healthy import healthy


def quiet_night(seed: str) -> Watch:
    """Traffic, the noise that every night has, and what goes on around it; no fault."""
    here = watch(healthy(seed, prepare=settle))
    surroundings(here)
    here.close_the_books()
    return here
