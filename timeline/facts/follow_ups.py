"""Rows that should have been followed by something, and were not.

The contract is learnt from the window itself: when most rows of a table are followed by a row of
another table that refers to them (or by a job about them), the ones that are not stand out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.facts.sight import absence, read_until
from timeline.order import Verdict

if TYPE_CHECKING:
    from timeline.incident import Incident

MIN_FOLLOWED = 5
"""Rows with the follow-up before it is taken for a rule."""
RULE_SHARE = 0.5
"""Share of a table's rows that must have the follow-up for the same reason."""
CUT_SHARE = 0.9
"""Share of a stretch's rows that must lack the follow-up before the stretch is called cut out."""
PATIENCE_FOLD = 3
"""A row is only late after this multiple of the longest wait seen among the others."""
MIN_PATIENCE_NS = 10_000_000_000


@dataclass(frozen=True, slots=True)
class FollowUps:
    """Rows of `table` without their `effect` (a table name, or `job`).

    `missing` are entity keys, oldest first; `usual` is the longest wait (ns) among the `followed`
    rows. `verdict` and `reasons` grade the absence, which holds until `until` (ns).
    """

    table: str
    effect: str
    missing: tuple[str, ...]
    followed: int
    usual: int
    verdict: Verdict
    reasons: tuple[str, ...]
    until: int


def missing_follow_ups(incident: Incident) -> FollowUps | None:
    """The best established rule that some rows of the window break, or None.

    A rule about rows goes before one about jobs, because queues forget and tables do not.
    """
    candidates = [found for found in (_by_rows(incident), _by_jobs(incident)) if found is not None]
    return next((found for found in candidates if found.missing), None)


def clean_cut(rule: FollowUps, missing: Sequence[int], created: pl.Series) -> bool:
    """Whether the rows without their follow-up are one stretch of all rows, with rows that have it
    before and after.

    What was held in a memory that was lost is gone all at once, however large a part of the window
    it was. A follow-up that only began later, or is still to come, has no such rows on one side.
    `missing` are the instants (ns UTC, ascending) at which the rows without it were created,
    `created` those of all rows of the table in the window.
    """
    if not missing:
        return False
    inside = int(created.is_between(missing[0], missing[-1]).sum())
    earlier = int((created < missing[0]).sum())
    later = rule.followed - earlier - (inside - len(missing))
    return len(missing) >= CUT_SHARE * inside and min(earlier, later) >= MIN_FOLLOWED


def _owned(incident: Incident) -> pl.DataFrame:
    """(table, key, source, created) of rows created inside the window."""
    records, window = incident.records, incident.window
    rows = records.summary.join(records.owners, on="record").filter(
        pl.col("created").is_between(window.start, read_until(incident))
        & pl.col("deleted").is_null()
    )
    return rows.select("table", "key", "source", "created")


def _by_rows(incident: Incident) -> FollowUps | None:
    records = incident.records
    effects = records.references.join(
        records.summary.select(
            "record", effect="table", followed_at="created", effect_source="source"
        ),
        on="record",
    )
    # A row written by the same transaction was not caused by a job: equal now() tells.
    pairs = (
        incident.shared(_owned)
        .join(effects, on="key")
        .filter((pl.col("table") != pl.col("effect")) & (pl.col("followed_at") > pl.col("created")))
    )
    return _best(incident, pairs, Lane.DATABASE)


def _by_jobs(incident: Incident) -> FollowUps | None:
    jobs = incident.jobs
    effects = jobs.entities.join(jobs.summary.select("job", "first_seen"), on="job").select(
        "key", effect=pl.lit("job"), followed_at="first_seen", effect_source=pl.lit("")
    )
    pairs = incident.shared(_owned).join(effects, on="key")
    return _best(incident, pairs, Lane.QUEUE)


def _best(incident: Incident, pairs: pl.DataFrame, lane: Lane) -> FollowUps | None:
    """The rule with the most followers, with the rows that break it."""
    if pairs.is_empty():
        return None
    owned = incident.shared(_owned)
    total = owned.group_by("table").agg(total=pl.len())
    rules = (
        pairs.group_by("table", "effect", "key")
        .agg(
            wait=(pl.col("followed_at") - pl.col("created")).min().clip(lower_bound=0),
            effect_source=pl.col("effect_source").first(),
        )
        .group_by("table", "effect")
        .agg(
            followed=pl.len(),
            usual=pl.col("wait").max(),
            effect_source=pl.col("effect_source").first(),
            keys=pl.col("key"),
        )
        .join(total, on="table")
        .filter(
            (pl.col("followed") >= MIN_FOLLOWED)
            & (pl.col("followed") >= RULE_SHARE * pl.col("total"))
        )
        .sort(["followed", "table", "effect"], descending=[True, False, False])
    )
    if rules.is_empty():
        return None
    rule = rules.row(0, named=True)
    until = read_until(incident)
    patience = max(MIN_PATIENCE_NS, PATIENCE_FOLD * rule["usual"])
    late = owned.filter(
        (pl.col("table") == rule["table"])
        & ~pl.col("key").is_in(rule["keys"])
        & (pl.col("created") < until - patience)
    ).sort("created", "key")
    sources = incident.sources_in(lane) if lane is Lane.QUEUE else (rule["effect_source"],)
    since = late["created"][0] if late.height else until - 1
    gone = absence(incident, sources, since, until)
    return FollowUps(
        table=rule["table"],
        effect=rule["effect"],
        missing=tuple(late.get_column("key").to_list()),
        followed=rule["followed"],
        usual=rule["usual"],
        verdict=gone.verdict,
        reasons=gone.reasons,
        until=until,
    )
