"""What one job, request or order is compared with: the nearest like it that went well.

Alike means the same job class, the same route, or the same first line; nearest means in time. It
looks around the moment first and farther away only when nothing is found there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from timeline.compare_sides import MOST_STEPS, outcome_of
from timeline.facts.job_names import OTHER_TYPES
from timeline.keys import split_key
from timeline.line_shapes import line_shape, route_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from timeline.event import Event
    from timeline.incident import Incident

NEAR_ROWS = (4_000, 40_000, 400_000)
"""Rows looked at around the moment, first few, then more: signing a line costs about 2 us."""
MOST_TRIED = 60
"""Alike ones that are looked at, the nearest first."""
MAIN_TYPES = ("job", "request", "trace", "txn")
"""Of several keys of a row the one that names a unit of work, in this order."""


class Similar(NamedTuple):
    """Another key and by what it is alike, in words."""

    key: str
    by: str


def main_key(event: Event, broad: frozenset[str], like: str = "") -> str:
    """The key by which a row is compared: of the type of `like` if it has one, else of its unit of
    work, else the first of the others; of a database row the thing it is (`user:4711`), which logs
    and jobs name as well. Empty when it has none."""
    usable = [key for key in event.keys if key not in broad]
    wanted = [split_key(like)[0]] if like else []
    if event.kind.value.startswith("row."):
        wanted += _thing(usable)
    for kind in (*wanted, *MAIN_TYPES, *OTHER_TYPES):
        for key in usable:
            if split_key(key)[0] == kind:
                return key
    return usable[0] if usable else ""


def story_key(event: Event, broad: frozenset[str], rows_with: Callable[[str], int]) -> str:
    """The key whose story a row belongs to: of a thing (a user, an order) if it names one, since
    its requests and jobs are part of that story; else its main key.

    A database row is itself such a thing; of several that a line names, the one with fewest rows:
    a campaign's story is not that of one of its sign-ups. `rows_with` counts the rows of a key.
    """
    units = (*MAIN_TYPES, *OTHER_TYPES, "row", "peer", "host")
    things = [key for key in event.keys if key not in broad and split_key(key)[0] not in units]
    if not things or event.kind.value.startswith("row."):
        return main_key(event, broad)
    return min(things, key=rows_with)


def _thing(keys: Iterable[str]) -> list[str]:
    """The types of keys that say what the database row is, best first."""
    told = [split_key(key) for key in keys]
    own = {value.rpartition("/")[2] for kind, value in told if kind == "row"}
    return [*(kind for kind, value in told if value in own and kind not in MAIN_TYPES), "row"]


def similar_that_went_well(incident: Incident, key: str) -> Similar:
    """The nearest like `key` that went well. Raises ValueError, saying what was looked for."""
    rows = incident.snapshot.rows_with([key])
    if rows.is_empty():
        raise ValueError(f"No row carries {key}.")
    job_class = _job_class(incident, key)
    if job_class:
        found = _of_class(incident, key, job_class)
        looked = f"{job_class} that finished"
    else:
        found, looked = _like_first_line(incident, key, rows)
    if found is None:
        raise ValueError(
            f"No other {looked} was seen in this window; ] opens a wider one. "
            "Queues that keep no successes show none."
        )
    return found


def _job_class(incident: Incident, key: str) -> str:
    told = incident.jobs.transitions.filter(pl.col("job") == key).get_column("job_class")
    named = told.drop_nulls()
    return str(named[0]) if named.len() else ""


def _of_class(incident: Incident, key: str, job_class: str) -> Similar | None:
    runs = incident.jobs.runs
    own = incident.jobs.transitions.filter(pl.col("job") == key).get_column("timestamp")
    alike = runs.filter(
        (pl.col("job_class") == job_class)
        & (pl.col("outcome") == "finished")
        & (pl.col("job") != key)
    ).sort((pl.col("start") - int(own[0])).abs(), "job")
    return _first_well(incident, alike.get_column("job"), f"another {job_class}")


def _like_first_line(incident: Incident, key: str, rows: pl.Series) -> tuple[Similar | None, str]:
    """By the route that its lines name, else by the shape of its first line."""
    snapshot = incident.snapshot
    kind = split_key(key)[0]
    told = _read(incident, rows.head(50))
    routes = told.get_column("route").drop_nulls()
    column, wanted = (
        ("route", routes[0]) if routes.len() else ("shape", told.get_column("shape")[0])
    )
    source = told.filter(pl.col(column) == wanted).get_column("source")[0]
    middle = snapshot.position_of(int(rows[0]))
    looked = f"{kind} on {wanted}" if column == "route" else f"{kind} that begins alike"
    for reach in NEAR_ROWS:
        first = max(middle - reach, 0)
        around = snapshot.order.slice(first, middle + reach - first)
        lines = _read(incident, around, source).filter(pl.col(column) == wanted)
        named = snapshot.keys_of(lines.get_column("row")).filter(
            pl.col("key").str.starts_with(f"{kind}:") & (pl.col("key") != key)
        )
        at = snapshot.events.get_column("timestamp")
        far = (at.gather(named.get_column("row")) - int(at[int(rows[0])])).abs()
        nearest = named.with_columns(far=far).sort("far", "key").get_column("key")
        found = _first_well(incident, nearest.unique(maintain_order=True), f"another {looked}")
        if found is not None or reach >= len(snapshot):
            return found, f"{looked} that went well"
    return None, f"{looked} that went well"


def _read(incident: Incident, rows: pl.Series, source: str = "") -> pl.DataFrame:
    """(row, source, route, shape) of some rows, perhaps of one source alone, in their order."""
    events = incident.snapshot.events
    told = pl.DataFrame({"row": rows, "source": events.get_column("source").gather(rows)})
    if source:
        told = told.filter(pl.col("source") == source)
    body = events.get_column("body").gather(told.get_column("row"))
    return told.with_columns(pl.col("source").cast(pl.String), body.alias("body")).select(
        "row", "source", route=route_in(pl.col("body")), shape=line_shape(pl.col("body"))
    )


def _first_well(incident: Incident, keys: Iterable[str], by: str) -> Similar | None:
    """The first that went well without an error on the way, else the first that went well."""
    second: Similar | None = None
    for key in _some(keys):
        rows = incident.snapshot.rows_with([key]).head(MOST_STEPS)
        outcome = outcome_of(incident.snapshot.events_at(rows.to_list()))
        if outcome.well and not outcome.errors:
            return Similar(key, by)
        if outcome.well and second is None:
            second = Similar(key, f"{by}, though not at once")
    return second


def _some(keys: Iterable[str]) -> Iterator[str]:
    for number, key in enumerate(keys):
        if number >= MOST_TRIED:
            return
        yield key
