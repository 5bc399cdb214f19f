"""Jobs that other jobs kept waiting: behind a push of many at once, or at T and still now.

A push that drains harms nobody as long as what comes after it is taken up as before; these are the
signs that it was not. Counts and lengths only; whether a queue is in trouble is for others to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Kind
from timeline.facts.jobs import ENDS
from timeline.facts.rates import MINUTE_NS

if TYPE_CHECKING:
    from timeline.facts.backlogs import QueueHistory
    from timeline.facts.rises import Rise

LONG_WAIT_NS = MINUTE_NS
"""Who waits this long in a queue that takes up work within seconds is kept waiting."""
USUAL_FOLD = 3
"""Against the median wait before: where half of the jobs wait that long anyway, nothing changed."""
MIN_HELD = 5
"""Fewer late-comers that waited are single slow starts."""
LATER = ("scheduled", "retry", "delayed")
"""States of jobs that are put off on purpose and do not wait for a worker."""


def kept_others_waiting(history: QueueHistory, rise: Rise) -> bool:
    """Whether work that came after the deepest point of `rise` waited behind it.

    Read from the jobs' own stamps where they are kept, else from what a broker counted in and out
    (a queue of `n` jobs that completes `c` a minute holds up whatever comes for `n / c` minutes).
    """
    waits = _waits(history)
    if waits.height:
        usual = waits.filter(pl.col("came") < rise.began).get_column("wait").median()
        behind = waits.filter(pl.col("came") > rise.peaked)
        held = behind.filter(pl.col("wait") >= LONG_WAIT_NS)
        often = isinstance(usual, (int, float)) and usual * USUAL_FOLD > LONG_WAIT_NS
        return held.height >= MIN_HELD and not often
    until = rise.over_at or rise.last_at
    came, done = history.arrivals(rise.peaked, until), history.completions(rise.peaked, until)
    if came is None or done is None or not done.per_minute:
        return False
    many = came.per_minute * (until - rise.peaked) >= MIN_HELD * MINUTE_NS
    return many and rise.peak / 2 / done.per_minute * MINUTE_NS >= LONG_WAIT_NS


def _waits(history: QueueHistory) -> pl.DataFrame:
    """(came, wait) in ns of every job that was pushed in sight and has begun or ended since."""
    kind, stamp = pl.col("kind"), pl.col("timestamp")
    left = (kind == Kind.JOB_STARTED.value) | kind.is_in(ENDS)
    jobs = history.moves.group_by("job").agg(
        came=pl.col("waits_from").filter(kind == Kind.JOB_ENQUEUED.value).min(),
        left=stamp.filter(left).min(),
    )
    seen = jobs.drop_nulls().filter(pl.col("came") >= history.kept_from)
    return seen.select("came", wait=pl.col("left") - pl.col("came"))


def still_waiting(history: QueueHistory) -> pl.Series:
    """When each job came (ns, ascending) that was pushed in sight, has not begun and is due.

    A queue keeps what waits, whatever it forgets of the rest: who came before an instant and waits
    now was waiting then.
    """
    kind = pl.col("kind")
    put_off = pl.col("status").str.to_lowercase().is_in(LATER)
    jobs = history.moves.group_by("job").agg(
        came=pl.col("waits_from").filter(kind == Kind.JOB_ENQUEUED.value).min(),
        moved=(kind != Kind.JOB_ENQUEUED.value).any() | put_off.fill_null(value=False).any(),
    )
    return jobs.filter(~pl.col("moved")).get_column("came").drop_nulls().sort()
