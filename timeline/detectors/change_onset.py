"""When the errors began that a change may stand before, and who fails in them.

For `change-before`. The errors of all have one beginning; that of a single service is looked for
only where no change of a failing service explains the common one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from timeline.facts.changes_seen import Change, What, is_about
from timeline.facts.raised_errors import raised_after
from timeline.facts.sight import read_until
from timeline.onset import first_unusual, onset_of
from timeline.templates import service_of

if TYPE_CHECKING:
    from timeline.incident import Incident

MINUTE_NS = 60_000_000_000
LOOK_BACK_NS = 60 * MINUTE_NS
"""Changes that are older explain little (detector catalogue, D29)."""
SHORTLY_NS = 10 * MINUTE_NS
"""Within this a change of a failing service is likely to matter; later ones possibly."""
QUIET_NS = 10 * MINUTE_NS
MANY_ERRORS = 10
"""So many errors after so long without any have a beginning."""
AFTER_NS = 5 * MINUTE_NS
"""After the onset: who fails in it."""
MIN_SHARE = 0.1
"""Of the failures of the service that fails most: who has fewer merely suffers."""


def errors_began(incident: Incident) -> int | None:
    """When the errors began: the first bucket that stands out, else the first error of many that
    end a long quiet. A slow beginning stands out in no bucket."""
    onset = onset_of(incident, ())
    stamps = incident.failures.get_column("timestamp")
    if onset is not None or stamps.len() < MANY_ERRORS:
        return onset
    quiet = (stamps.diff().fill_null(stamps[0] - incident.window.start) >= QUIET_NS).arg_true()
    if not quiet.len() or stamps.len() - int(quiet[-1]) < MANY_ERRORS:
        return None
    return int(stamps[int(quiet[-1])])


def own_onset(
    incident: Incident, changes: Sequence[Change], failing: Sequence[str], onset: int | None
) -> tuple[int, tuple[str, ...]] | None:
    """(onset, (service,)) of the first service that fails more than ever after its own change.

    Everybody's errors may have risen before, for a reason of their own, or nobody's may stand out.
    Only where no change of a failing service stands before that rise is one judged by the errors of
    its service alone.
    """
    aimed = [one for one in changes if one.what is not What.COMMIT and not one.failed]
    if onset is not None and any(
        0 <= onset - one.timestamp <= LOOK_BACK_NS and is_about(one, failing) for one in aimed
    ):
        return None
    failures = incident.failures.with_columns(service=service_of(pl.col("actor")))
    by_service = failures.filter(pl.col("service") != "").sort("service", "timestamp")
    stamps = {
        str(name): part.get_column("timestamp")
        for (name,), part in by_service.group_by("service", maintain_order=True)
    }
    found = []
    for one in aimed:
        service = is_about(one, list(stamps))
        own = _risen(incident, stamps[service], one.timestamp) if service else None
        if own is not None and 0 <= own - one.timestamp <= SHORTLY_NS:
            found.append((own, (service,)))
    return min(found, default=None)


def _risen(incident: Incident, stamps: pl.Series, changed: int) -> int | None:
    """When (ns) the errors at `stamps` began to stand out, in a moment or against all the time
    before the change."""
    sudden = first_unusual(incident, stamps)
    many = sudden is not None and stamps.is_between(sudden, sudden + AFTER_NS).sum() >= MANY_ERRORS
    if sudden is not None and sudden >= changed and many:
        return sudden
    until = min(changed + SHORTLY_NS, read_until(incident))
    slow = raised_after(stamps, incident.window.start, changed, until)
    return slow.first if slow else None


def failing_services(incident: Incident, onset: int) -> tuple[str, ...]:
    """Services with the failures after the onset, most first."""
    failures = incident.failures.filter(
        pl.col("timestamp").is_between(onset, onset + AFTER_NS) & (pl.col("actor") != "")
    )
    counts = (
        failures.group_by(service=service_of(pl.col("actor")))
        .agg(n=pl.len())
        .filter(pl.col("n") >= MIN_SHARE * pl.col("n").max())
        .sort(["n", "service"], descending=[True, False])
    )
    return tuple(counts.get_column("service").to_list())
