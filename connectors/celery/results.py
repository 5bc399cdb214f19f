"""Celery's stored results, found only by a task's id, and the transitions that they tell.

A result holds the time of an end alone (worker's clock). A task that started or is retried leaves
no stamp, but its key was set to expire a known time after it was written, by Redis' own clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from connectors.celery.options import CeleryOptions
from connectors.queues.payload import iso_ns, json_value, mapping, number, opaque, too_large, word
from connectors.queues.redis_source import octets, replies, whole
from connectors.queues.transitions import WORKER_CLOCK, JobFacts, Moment, iso
from connectors.redis_reads import Failure, RedisReads, Reply
from timeline.clean import clean
from timeline.event import Kind, Meaning, Precision
from timeline.window import MINUTE_NS, SECOND_NS

MS_NS = 1_000_000
PAGE_RESULTS = 100
RESULT_BYTES = 64 * 1024
"""Largest stored result that is fetched: it also holds what the task returned."""
KINDS: Mapping[str, tuple[Kind, str]] = {
    "SUCCESS": (Kind.JOB_FINISHED, "succeeded"),
    "FAILURE": (Kind.JOB_FAILED, "failed"),
    "RETRY": (Kind.JOB_RETRIED, "failed and is to be tried again"),
    "STARTED": (Kind.JOB_STARTED, "started"),
    "REVOKED": (Kind.JOB_DEAD, "was revoked"),
    "REJECTED": (Kind.JOB_DEAD, "was rejected"),
}
"""celery 5.7, states.py."""


@dataclass(frozen=True, slots=True)
class Result:
    """One stored result. Texts are cleaned; the task's return value is not kept."""

    id: str
    status: str = ""
    done: int | None = None
    """`date_done`, ns UTC by the worker's clock; Celery writes it for ends alone."""
    stored: int | None = None
    """When it was written, by Redis' clock, if it expires after the configured time."""
    stored_exactly: bool = True
    worker: str = ""
    name: str = ""
    queue: str = ""
    retries: int | None = None
    error: str = ""
    opaque: str = ""
    children: int = 0


async def read_results(
    redis: RedisReads, options: CeleryOptions, ids: Sequence[str], now: int
) -> dict[str, Result]:
    """The results that exist, by id; sizes first, then those within bounds."""
    found: dict[str, Result] = {}
    for start in range(0, len(ids), PAGE_RESULTS):
        part = ids[start : start + PAGE_RESULTS]
        keys = [f"{options.result_prefix}{task}" for task in part]
        sizes = [whole(n) for n in await replies(redis, [("STRLEN", key) for key in keys])]
        values = await replies(
            redis,
            [("GETRANGE", k, 0, min(n, RESULT_BYTES)) for k, n in zip(keys, sizes, strict=True)],
        )
        expiries = await _expiries(redis, keys, now)
        for task, size, value, expiry in zip(part, sizes, values, expiries, strict=True):
            if size:
                found[clean(task)] = _result(clean(task), size, value, expiry, options)
    return found


async def _expiries(
    redis: RedisReads, keys: Sequence[str], now: int
) -> list[tuple[int | None, bool]]:
    """When each key expires (ns UTC), and whether that is exact: PEXPIRETIME needs Redis 7."""
    exact = await redis.many([("PEXPIRETIME", key) for key in keys])
    if not any(isinstance(reply, Failure) for reply in exact):
        return [(whole(n) * MS_NS if whole(n) > 0 else None, True) for n in _plain(exact)]
    rest = await replies(redis, [("TTL", key) for key in keys])
    seconds = now // SECOND_NS
    return [((seconds + whole(n)) * SECOND_NS if whole(n) > 0 else None, False) for n in rest]


def _plain(answered: Sequence[Reply | Failure]) -> list[Reply]:
    return [reply for reply in answered if not isinstance(reply, Failure)]


def _result(
    task: str,
    size: int,
    value: Reply,
    expiry: tuple[int | None, bool],
    options: CeleryOptions,
) -> Result:
    at, exact = expiry
    lasts = options.result_expires_s * SECOND_NS
    stored = at - lasts if at is not None and lasts else None
    content = octets(value) or b""
    if size > RESULT_BYTES:
        return Result(task, stored=stored, stored_exactly=exact, opaque=too_large(size))
    meta = mapping(json_value(content))
    if "status" not in meta:
        return Result(task, stored=stored, stored_exactly=exact, opaque=opaque(content))
    raised = mapping(meta.get("result"))
    error = word(meta.get("traceback"))
    if not error and word(raised.get("exc_type")):
        error = f"{word(raised['exc_type'])}: {_message(raised.get('exc_message'))}"
    children = meta.get("children")
    return Result(
        task,
        status=word(meta["status"]),
        done=iso_ns(meta.get("date_done")),
        stored=stored,
        stored_exactly=exact,
        worker=word(meta.get("worker")) or word(raised.get("hostname")),
        name=word(meta.get("name")),
        queue=word(meta.get("queue")),
        retries=number(meta.get("retries")),
        error=error,
        children=len(children) if isinstance(children, list) else 0,
    )


def _message(value: object) -> str:
    parts = value if isinstance(value, list) else [value]
    return ", ".join(word(part) for part in parts)


def moments(result: Result, options: CeleryOptions) -> Iterator[Moment]:
    """The one transition that a result tells; none for a state without a stamp."""
    kind, words = KINDS.get(result.status, (Kind.LOG, f"is {result.status}"))
    details: dict[str, object] = {}
    if result.stored is not None:
        details["stored_at"] = iso(result.stored)
    if result.worker:
        details["worker"] = result.worker
    if result.children:
        details["children"] = result.children
    stamp, by_worker = result.done, True
    meaning, precision = Meaning.OCCURRED, Precision.MICROSECOND
    if stamp is None and result.stored is not None and result.status:
        stamp, by_worker, meaning = result.stored, False, Meaning.DERIVED
        precision = Precision.MILLISECOND if result.stored_exactly else Precision.SECOND
        words += f" (time derived: its result expires {options.result_expires_s} s after it)"
    if stamp is None:
        return
    yield Moment(
        kind=kind,
        timestamp=stamp,
        words=words,
        ref=clean(f"{options.result_prefix}{result.id}#{result.status}"),
        clock=(result.worker or WORKER_CLOCK) if by_worker else "",
        meaning=meaning,
        precision=precision,
        worker=result.worker,
        error=result.error,
        details=details,
    )


def facts_of(result: Result) -> JobFacts:
    """What a result alone says of its task: its name only with `result_extended`."""
    called = result.name.rpartition(".")[2]
    return JobFacts(
        id=result.id,
        title=f"{called}()" if called else f"task {result.id}",
        job_class=result.name,
        queue=result.queue,
        status=result.status,
        keys=(f"job:{result.id}",),
        attempt=None if result.retries is None else result.retries + 1,
    )


def expires_otherwise(result: Result) -> bool:
    """Whether `result_expires_s` is not what the application uses: both stamps should agree."""
    if result.done is None or result.stored is None:
        return False
    return abs(result.done - result.stored) > MINUTE_NS
