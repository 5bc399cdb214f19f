"""A sync sends what has gathered since it last succeeded. In a rush that is once too much for the
proxy in front of the receiver; from then on each attempt is larger than the one that was refused.

A person sees it by:
- the sender's count of bytes with every call: it was accepted up to a size and never above it;
- the proxy's refusals with 413, and its error line with the size it was offered;
- the receiver, which has no line of these requests at all.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.shopfloor import access_line
from tests.score.families.watched import beside
from tests.score.sixth_company.acts import SEVERITY_ERROR, answered, both_names, close, told
from tests.score.sixth_company.company import Shift, settle, shift
from tests.score.truth import Entity, Truth
from tests.score.world import World

_LIMITS = (1_048_576, 2_097_152, 8_388_608)
"""`client_max_body_size` as people set it."""


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    here = shift(world)
    rng, start = here.rng, here.onset_s
    limit, every = rng.choice(_LIMITS), rng.uniform(11, 30)
    line = rng.randint(280, 900)
    at = start - every * int((start - 20) / every)
    sizes, refused = dict[bool, list[int]](), list[Entity]()
    gathered = 0
    while at < here.end_s - 4:
        rush = at >= start - every * 3
        gathered += round(limit / line * rng.uniform(0.1, 0.6 if not rush else 0.9))
        if abs(at - start) < 1e-6:
            gathered = max(gathered, round(limit / line * rng.uniform(1.02, 1.2)))
        elif at < start:
            gathered = min(gathered, round(limit / line * 0.97))
        size = gathered * line + rng.randint(0, line - 1)
        rid = _synced(here, at, gathered, size, limit)
        sizes.setdefault(size > limit, []).append(size)
        if size > limit:
            refused.append(both_names(rid))
        else:
            gathered = 0
        at += every
    close(here)
    too_large = told(here, "client intended to send too large body")
    effect = len(refused) == len(too_large) > 3 and len(sizes[False]) > 5
    receiver = here.company.backs[0].name
    ids = [key.partition(":")[2] for one in refused for key in one]
    effect &= not any(event.actor == receiver for rid in ids for event in told(here, rid))
    effect &= max(sizes[False]) <= limit < min(sizes[True])
    return fault(here, "rejected-by-limit", here.end_s, refused, effect=effect)


def _synced(here: Shift, at: float, count: int, size: int, limit: int) -> str:
    """One attempt to hand over `size` bytes; returns the request's id."""
    worker, back, path = here.company.worker, here.company.backs[0], "/sync/changes"
    host, rid = here.rng.choice(worker.hosts), here.request_id()
    named = f"lines={count} bytes={size} request_id={rid}"
    here.line(at, worker, f"sync: POST http://{back.name}{path} {named}", host=host)
    refused = size > limit
    took = 0.004 if refused else size / 9e6 + 0.05
    status = 413 if refused else 202
    fields = {"request_id": rid, "content_length": str(size), "upstream": back.name}
    access_line(here, at + took, "proxy", "proxy-0", "POST", path, status, took * 1e3, fields)
    if refused:
        client = f"client: 10.64.5.{here.rng.randint(2, 90)}, server: {back.name}"
        words = f"client intended to send too large body: {size} bytes, {client}"
        error = f'*{here.rng.randint(10_000, 90_000)} {words}, request: "POST {path} HTTP/1.1"'
        beside(here, at + took, "nginx-error", error, SEVERITY_ERROR)
        words = f"sync: 413 Request Entity Too Large, kept for the next attempt: {named}"
        here.line(at + took + 0.002, worker, words, SEVERITY_ERROR, host)
        return rid
    where = here.say(at + 0.01, back, "begin", {"method": "POST", "path": path, "rid": rid})
    answered(here, at + took - 0.002, back, path, rid, where, took - 0.012, status=202)
    here.line(at + took + 0.002, worker, f"sync: 202 accepted {named}", host=host)
    return rid
