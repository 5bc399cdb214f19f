"""What a collection holds of a world: one batch a source, with its coverage, clocks and sources.

A `View` says how much is seen. A source that is left out is gone with its coverage; a clock error
moves the stamps of every host by an offset of its own, and the bounds say so.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, replace

import polars as pl

from connectors.queues.present import QueueNow, depth_event
from connectors.queues.transitions import transition
from tests.score.queues import sqs_samples
from tests.score.world import PIN_S, World
from timeline.batch import Batch
from timeline.clock import MILLISECOND_NS, ClockBound, ClockTable
from timeline.columns import KEY_SCHEMA, frame_from
from timeline.coverage import Coverage, Sight
from timeline.event import Event, Lane
from timeline.incident import Incident, SourceInfo
from timeline.keys import KeyRules
from timeline.store import Store
from timeline.window import Window

SYNCED_NS = 5 * MILLISECOND_NS
"""How well clocks of one site agree in a world without a clock error, as declared."""
ROWS_ARE_NOW = "shows rows as they are now: deleted rows and overwritten values are gone"
_RULES = KeyRules()


@dataclass(frozen=True, slots=True)
class View:
    """How much of the world is seen: sources left out, clocks moved, log lines dropped."""

    without: frozenset[str] = frozenset()
    clock_error: int = 0
    """ns; every clock but one's own is off by up to this, and the bounds say so."""
    log_share: float = 1.0


CLEAR = View()


def collected(world: World, view: View = CLEAR) -> Incident:
    """What a collection at `now_s` would hold of this world."""
    window = Window(world.at(PIN_S), world.start, world.at(world.end_s))
    by_source: defaultdict[str, list[Event]] = defaultdict(list)
    offsets: dict[str, int] = {}
    sample = random.Random(f"{world.seed}/sample")
    for event, host in (*world.told, *_queue_events(world)):
        if event.source in view.without or not _seen(world, event, view, sample):
            continue
        moved = event
        if view.clock_error:
            moved = replace(event, timestamp=event.timestamp + _offset(world, host, view, offsets))
        by_source[event.source].append(moved)
    store = Store()
    for name, events in by_source.items():
        store.add(_batch(world, name, events, view))
    bound = ClockBound(view.clock_error + SYNCED_NS, view.clock_error + SYNCED_NS, "declared")
    return Incident(
        window=window,
        snapshot=store.snapshot(),
        clocks=ClockTable(assumed=bound),
        key_rules=_RULES,
        sources=tuple(_info(world, name, by_source[name]) for name in sorted(by_source)),
        environment="production",
        expected_services=world.expected,
        knowledge=world.knowledge,
        collected_at=world.at(world.now_s),
    )


def _seen(world: World, event: Event, view: View, sample: random.Random) -> bool:
    if event.lane is not Lane.LOG:
        return True
    inside = world.start <= event.timestamp < world.at(world.end_s)
    return inside and (view.log_share >= 1 or sample.random() < view.log_share)


def _offset(world: World, host: str, view: View, offsets: dict[str, int]) -> int:
    if host not in offsets:
        drawn = random.Random(f"{world.seed}/{host}").uniform(-1, 1)
        offsets[host] = int(drawn * view.clock_error) // 1_000 * 1_000
    return offsets[host]


def _batch(world: World, name: str, events: list[Event], view: View) -> Batch:
    frame, keys = frame_from(events)
    if events[0].lane is Lane.LOG:
        keys = _RULES.in_column(frame.get_column("body")).select(
            pl.col("row").cast(KEY_SCHEMA["row"]), "key"
        )
    return Batch(name, frame, keys, coverage=_coverage(world, name, events[0].lane, view))


def _coverage(world: World, name: str, lane: Lane, view: View) -> tuple[Coverage, ...]:
    start, end, now = world.start, world.at(world.end_s), world.at(world.now_s)
    if name == world.brand.name:
        told = world.brand.coverage(start, end, now)
    elif lane is Lane.DATABASE:
        told = (Coverage(name, start, end, Sight.NOW_ONLY, ROWS_ARE_NOW),)
    elif lane is Lane.LOG and view.log_share < 1:
        words = f"sampled: {view.log_share:.0%} of the lines are kept"
        told = (Coverage(name, start, end, Sight.PARTIAL, words),)
    else:
        told = (Coverage(name, start, end, Sight.FULL),)
    return (*told, *(weak for weak in world.weak if weak.source == name))


def _info(world: World, name: str, events: list[Event]) -> SourceInfo:
    systems = {
        world.brand.name: world.brand.system,
        "database": "postgresql 16.3 (primary)",
        "central-logs": "elasticsearch 8.19",
        "prometheus": "prometheus",
        "deploys": "changes",
    }
    forgets = world.brand.forgets if name == world.brand.name else ""
    return SourceInfo(name, events[0].lane, systems.get(name, "file"), forgets)


def _queue_events(world: World) -> list[tuple[Event, str]]:
    """What the queue still tells, and how deep it is now."""
    name, now = world.brand.name, world.at(world.now_s)
    found: list[tuple[Event, str]] = []
    for job in world.jobs:
        for facts, moment, host in world.brand.told(job, now):
            if world.start <= moment.timestamp < now:
                found.append((transition(name, facts, moment), host or name))
    for queue in sorted({job.queue for job in world.jobs} or {world.company.queue}):
        mine = [job for job in world.jobs if job.queue == queue and not job.removed]
        if name == "sqs":
            samples = sqs_samples(name, queue, mine, world.start, world.at(world.end_s))
            found += [(event, "CloudWatch") for event in samples]
        lost = [job.id for job in mine if job.state() == "lost" and job.attempts[-1].ended is None]
        waiting = sum(job.state() == "waiting" for job in mine)
        running = sum(job.state() in ("running", "lost") for job in mine)
        here = QueueNow(queue, f"{name}:queue:{queue}", waiting, running, overdue=lost)
        found.append((depth_event(name, here, now), name))
    return found
