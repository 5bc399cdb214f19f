"""Jobs that other jobs kept waiting: behind a push of many at once, or at T and still now.

A push that drains harms nobody as long as what comes after it is taken up as before; these are the
signs that it was not. Counts and lengths only; whether a queue is in trouble is for others to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Kind
from timeline.facts.first_tries import first_tries
from timeline.facts.rates import MINUTE_NS, SECOND_NS

if TYPE_CHECKING:
    from timeline.facts.backlogs import QueueHistory
    from timeline.facts.rises import Rise

LONG_WAIT_NS = MINUTE_NS
"""Who waits this long in a queue that takes up work within seconds is kept waiting."""
USUAL_FOLD = 3
"""Against the median wait before: where half of the jobs wait that long anyway, nothing changed."""
MIN_HELD = 5
"""Fewer late-comers that waited are single slow starts."""
PROMPT_NS = 10 * SECOND_NS
"""What idle workers take up within so long has found no line to stand in."""
MIN_PROMPT = 10
"""Jobs that were taken up at once, from which on nothing was held up by a lack of hands."""
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
    """(came, wait) in ns of every job that was pushed in sight and has begun or ended since, as
    far as its first start is known."""
    jobs = first_tries(history.moves).filter("timed").drop_nulls(["came", "left"])
    seen = jobs.filter(pl.col("came") >= history.kept_from)
    return seen.select("came", wait=pl.col("left") - pl.col("came"))


def begun_at_once(history: QueueHistory, rise: Rise) -> bool:
    """Whether nearly every job that came for the first time during `rise` was taken up as promptly
    as before: then what seems to wait is put off, or tried again, and there is no line.

    Only where the queue keeps all of that time; a job that has not begun counts as waiting.
    """
    if rise.began < history.kept_from or rise.peaked > history.kept_until:
        return False
    jobs = first_tries(history.moves).drop_nulls("came").filter("timed")
    wait = pl.col("left") - pl.col("came")
    earlier = jobs.filter(pl.col("came") < rise.began).select(wait.median()).item()
    usual = USUAL_FOLD * earlier if isinstance(earlier, (int, float)) else 0
    fresh = jobs.filter(pl.col("came").is_between(rise.began, rise.peaked))
    prompt = fresh.filter(wait <= max(PROMPT_NS, min(usual, LONG_WAIT_NS))).height
    return prompt >= MIN_PROMPT and fresh.height - prompt < MIN_HELD


def untimed(history: QueueHistory, rise: Rise) -> int:
    """Jobs that came while the depth was up and of which nobody kept when they were first begun:
    they may have waited as well, and are not counted."""
    until = rise.last_at if rise.over_at is None else rise.over_at
    jobs = first_tries(history.moves).filter(~pl.col("timed"))
    return jobs.filter(pl.col("came").is_between(rise.began, until)).height


def tried_again(history: QueueHistory, at: int) -> tuple[int, int]:
    """(jobs, the latest instant in ns) that had failed and were put off beyond `at` (ns)."""
    jobs = history.moves.group_by("job").agg(
        due=pl.col("waits_from").max(),
        came=pl.col("timestamp").min(),
        again=(pl.col("tries").max() > 0) | (pl.col("kind") == Kind.JOB_RETRIED.value).any(),
    )
    off = jobs.filter((pl.col("due") > at) & (pl.col("came") <= at) & pl.col("again"))
    due = off.get_column("due").max()
    return off.height, due if isinstance(due, int) else at


def still_waiting(history: QueueHistory) -> pl.Series:
    """When each job came (ns, ascending) that was pushed in sight, has not begun and is due.

    A queue keeps what waits, whatever it forgets of the rest: who came before an instant and waits
    now was waiting then.
    """
    kind = pl.col("kind")
    put_off = pl.col("status").str.to_lowercase().is_in(LATER)
    jobs = history.moves.group_by("job").agg(
        came=pl.col("waits_from").filter(kind == Kind.JOB_ENQUEUED.value).min(),
        moved=(kind != Kind.JOB_ENQUEUED.value).any()
        | put_off.fill_null(value=False).any()
        | (pl.col("tries").max().fill_null(0) > 0)
        | pl.col("begun").is_not_null().any(),
    )
    return jobs.filter(~pl.col("moved")).get_column("came").drop_nulls().sort()
