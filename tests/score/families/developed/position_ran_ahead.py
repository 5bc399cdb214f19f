"""A relay remembers the last number it has sent; a slow transaction commits a smaller one later.

Writers put what is to be sent into an outbox table with numbers from a sequence. The number is
taken when the row is written, the row is seen when its transaction commits. The relay asks every
second for numbers above its position: what commits behind the position is never sent.

A person sees it by: the relay's lines, which name every number it sent and its position; outbox
rows with a number below a position that had been said before they were committed, which no line
and no job names; their neighbours, sent within a second or two.
"""

from __future__ import annotations

from dataclasses import replace

from tests.score.families.acts import fault
from tests.score.families.shopfloor import asked_for, attempt, row_keys, thing_keys
from tests.score.queues import SHOWING
from tests.score.truth import Entity, Truth
from tests.score.world import World

BRANDS = tuple(brand for brand in SHOWING if brand != "sidekiq")
OUTBOX, RELAY, HOST = "outbox_messages", "relay", "relay-0"
KINDS = ("customer.synced", "price.announced", "stock.announced")


def prepare(world: World) -> None:
    """Commit times are kept, as `track_commit_timestamp` does."""
    world.company = replace(world.company, commit_times=True)


def inject(world: World) -> Truth:
    rng = world.rng
    number = rng.randint(80_000, 300_000)
    written: list[tuple[float, float, int, str]] = []
    late = 0
    wanted = rng.randint(3, 9)
    at = 12.0
    while at < world.end_s - 15:
        number += 1
        slow = at >= world.onset_s and late < wanted and rng.random() < 0.08
        late += slow
        thing = world.new_id()
        commit = at + (rng.uniform(4, 11) if slow else rng.uniform(0.004, 0.03))
        columns = {"kind": rng.choice(KINDS), f"{world.company.thing}_id": thing}
        world.row(at, OUTBOX, str(number), columns=columns, commit=commit)
        written.append((at, commit, number, thing))
        at += rng.expovariate(0.35)
    sent = _relayed(world, written)
    left = [(at, commit, n, thing) for at, commit, n, thing in written if n not in sent]
    left = [row for row in left if row[1] < world.end_s - 30]
    return fault(
        world,
        "orphaned-record",
        world.end_s,
        [_names(world, n, thing) for _, _, n, thing in left],
        effect=len(left) >= 2 and all(commit - at > 3 for at, commit, _, _ in left),
        onset_s=left[0][0] if left else world.onset_s,
    )


def _names(world: World, number: int, thing: str) -> Entity:
    return thing_keys(world, thing) | row_keys(OUTBOX, str(number))


def _relayed(world: World, written: list[tuple[float, float, int, str]]) -> set[int]:
    """The relay's rounds, once a second; the numbers it has sent."""
    rng, sent = world.rng, set[int]()
    position = written[0][2] - 1
    at = 12.5
    while at < world.end_s - 2:
        at += 1.0
        page = [(n, thing) for _, commit, n, thing in written if n > position and commit < at]
        if not page:
            continue
        for place, (n, thing) in enumerate(page):
            _send(world, at + 0.02 + place * 0.01, n, thing)
            sent.add(n)
        position = max(n for n, _ in page)
        page_words = f'msg="page relayed" messages={len(page)} position={position}'
        words = f"{page_words} lag_ms={rng.randint(3, 900)}"
        world.log(at + 0.05 + len(page) * 0.01, RELAY, HOST, words, source="relay-log")
    return sent


def _send(world: World, at: float, number: int, thing: str) -> None:
    firm = world.company
    args, keys = f"{firm.thing}_id={thing}", (f"{firm.thing}:{thing}",)
    job = asked_for(world, at, "AnnounceMessage", "announcements", args, keys, HOST)
    attempt(world, job, at + world.rng.uniform(0.05, 0.6), world.rng.uniform(0.03, 0.3))
    words = f"msg=sent outbox_message_id={number} {firm.thing}_id={thing} job_id={job.id}"
    world.log(at + 0.004, RELAY, HOST, words, source="relay-log")
