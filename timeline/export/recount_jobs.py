"""What counts jobs again: the queue's own table, or the keys of Redis that hold them.

Only brands that keep a job under a name of its own: a job that stands in the middle of a list or a
sorted set (Sidekiq, Resque) is found by no single read, and gets none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from timeline.event import Lane
from timeline.export.document import Recount
from timeline.export.recounted import Carrier, Scope, quoted, shell

_SQL_REF = re.compile(r"(?P<table>[^/#]+)/(?P<id>[^/#]+)#")
_RESULTS = re.compile(r"(?P<prefix>.+):results:(?P<id>[^@]+)@")
"""Where RQ tells attempts; the job's own hash stands beside it."""
_REDIS_NAME = re.compile(r"[\w.:{}@+=-]+", re.ASCII)
_KEPT_AS_KEYS = frozenset({"rq", "bullmq", "celery"})
EXPIRING = "what has expired or was deleted since is not counted"


def job_count(scope: Scope, carriers: Sequence[Carrier], wanted: frozenset[str]) -> list[Recount]:
    """One read that counts the jobs of `wanted` which the source holds by their id."""
    if scope.lane is not Lane.QUEUE:
        return []
    places = {
        key: place
        for carrier in carriers
        for key in sorted(carrier.keys & wanted)
        if key.startswith("job:") and (place := _place(scope, carrier, key.removeprefix("job:")))
    }
    in_tables = {key: place for key, place in places.items() if isinstance(place, tuple)}
    in_redis = {key: place for key, place in places.items() if isinstance(place, str)}
    found = list(_in_tables(scope, in_tables))
    if in_redis:
        query = shell(["redis-cli", "EXISTS", *sorted(set(in_redis.values()))])
        found.append(
            Recount(
                scope.source, "job", "jobs", len(set(in_redis.values())), "redis", query,
                tuple(sorted(in_redis)), note=EXPIRING,
            )
        )  # fmt: skip
    return found


def _place(scope: Scope, carrier: Carrier, job: str) -> tuple[str, str] | str | None:
    """(table, id) of a job in a database, the key of one in Redis."""
    table = carrier.attributes.get("kept_in")
    if isinstance(table, str):
        match = _SQL_REF.match(carrier.ref)
        return (table, match["id"]) if match and match["table"] == table else None
    if scope.product not in _KEPT_AS_KEYS:
        return None
    if (match := _RESULTS.match(carrier.ref)) and match["id"] == job:
        return _redis(f"{match['prefix']}:job:{job}")
    name = carrier.ref.partition("#")[0]
    return _redis(name) if name.endswith(job) else None


def _redis(name: str) -> str | None:
    return name if _REDIS_NAME.fullmatch(name) else None


def _in_tables(scope: Scope, places: dict[str, tuple[str, str]]) -> Iterator[Recount]:
    for table in sorted({table for table, _ in places.values()}):
        held = {key: place for key, place in places.items() if place[0] == table}
        ids = sorted({one for _, one in held.values()}, key=lambda one: (len(one), one))
        listed = ", ".join(one if one.isdigit() and one.isascii() else quoted(one) for one in ids)
        name = ".".join(quoted(part, '"') for part in table.split("."))
        yield Recount(
            scope.source, f"job in {table}", f"jobs in {table}", len(ids), "sql",
            f'SELECT count(*) FROM {name} WHERE "id" IN ({listed});',  # noqa: S608  # never run here
            tuple(sorted(held)),
            note=EXPIRING,
        )  # fmt: skip
