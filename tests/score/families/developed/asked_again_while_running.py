"""The caller of a long request gives up after a minute and asks again; the first request was never
stopped. Two processes close the same period at once.

There is no queue in it: the proxy's access log and the service's own step lines tell it. A person
sees it by: a 504 after exactly the proxy's limit; the same call a moment later on another host;
steps of both requests on one closing, in turn; two endings of one closing.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.watched import accessed, beside
from tests.score.second_company.elsewhere import Night, night, request_keys, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Entity, Truth
from tests.score.world import World

STEPS = ("freeze postings", "sum accounts", "carry forward", "write balances", "print statements")
ALPHABET = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    rng, limit = here.rng, here.rng.choice((30.0, 60.0))
    name = rng.choice(("closings", "book-closer", "period-end"))
    hosts = [f"{name}-{n}" for n in range(rng.randint(2, 4))]
    at, hit = rng.uniform(20, 60), list[Entity]()
    while at < here.onset_s - limit - 20:
        took = rng.uniform(6, limit * 0.6)
        _close(here, name, rng.choice(hosts), _hashid(here), at, took, limit)
        at += rng.uniform(45, 110)
    for _ in range(rng.randint(1, 3)):
        closing, first, second = _hashid(here), *rng.sample(hosts, 2)
        begun = here.onset_s - limit - 1 + 25 * len(hit)
        took = limit * rng.uniform(2.2, 3.5)
        one = _close(here, name, first, closing, begun, took, limit)
        two = _close(here, name, second, closing, begun + limit + 1, took * 1.1, limit)
        hit.append(frozenset({f"closing:{closing}"}) | request_keys(one) | request_keys(two))
    here.close_the_books()
    return fault(
        here,
        "overlapping-runs",
        min(here.end_s, here.onset_s + limit * 4.5),
        hit,
        alternates=("run-overlap", "re-press"),
        also=("retry-storm", "unsafe-replay", "delivered-again", "extra-runs"),
    )


def _hashid(here: Night) -> str:
    return "".join(here.rng.choices(ALPHABET, k=10))


def _close(
    here: Night, name: str, host: str, closing: str, at: float, took: float, limit: float
) -> str:
    """One request: what the service says of it until it ends, and what the proxy made of it."""
    rid, rng = here.request_id(), here.rng
    here.log(at, name, host, f"closing_id={closing} requested request_id={rid}")
    for place, step in enumerate(STEPS):
        seconds = at + took * (place + rng.uniform(0.1, 0.5)) / len(STEPS)
        if seconds < here.end_s - 1:
            words = f"closing_id={closing} step {place + 1}/5 {step} request_id={rid}"
            here.log(seconds, name, host, words)
    if at + took < here.end_s - 1:
        here.log(at + took, name, host, f"closing_id={closing} closed request_id={rid}")
    request = f"POST /internal/closings/{closing}/run"
    cut = took > limit
    accessed(here, at, "edge", request, 504 if cut else 200, min(took, limit), f" {host}:8080")
    if cut:
        words = "upstream timed out (110: Connection timed out) while reading response header from"
        line = f'31#31: *{rng.randint(900, 90_000)} {words} upstream, request: "{request} HTTP/1.1"'
        beside(here, at + limit, "edge-error", line, 17)
    return rid
