"""What a collection holds of a world: one batch a source, with its coverage, clocks and sources.

An `Archive` is made once of a world; a `View` says how much of it is seen. A source that is left
out is gone with its coverage; a clock error moves the stamps of every host by an offset of its own,
and the bounds say so.
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


@dataclass(frozen=True, slots=True)
class Pages:
    """All that one source holds of a world: events and keys as frames, and beside each event its
    host, its place in the telling, and whether a collection would ask for it at all."""

    frame: pl.DataFrame
    keys: pl.DataFrame
    hosts: tuple[str, ...]
    places: tuple[int, ...]
    lane: Lane

    def seen(self, kept: frozenset[int] | None, offsets: dict[str, int]) -> Pages:
        """The same with the events at the places `kept` only, and the clocks of hosts moved."""
        pages = self if kept is None else self._only(kept)
        if not any(offsets.get(host) for host in pages.hosts):
            return pages
        moved = pl.Series("moved", [offsets[host] for host in pages.hosts], dtype=pl.Int64)
        return replace(pages, frame=pages.frame.with_columns(pl.col("timestamp") + moved))

    def _only(self, kept: frozenset[int]) -> Pages:
        rows = [row for row, place in enumerate(self.places) if place in kept]
        if len(rows) == len(self.places):
            return self
        numbers = pl.DataFrame({"row": rows}, schema={"row": KEY_SCHEMA["row"]})
        numbers = numbers.with_row_index("new")
        keys = self.keys.join(numbers, on="row", maintain_order="left").select(row="new", key="key")
        return Pages(
            self.frame[numbers.get_column("row")],
            keys,
            tuple(self.hosts[row] for row in rows),
            tuple(self.places[row] for row in rows),
            self.lane,
        )


@dataclass(frozen=True, slots=True)
class Archive:
    """A world as its sources hold it, to be collected from again and again."""

    world: World
    pages: dict[str, Pages]
    logged: tuple[tuple[int, str], ...]
    """Place and source of every log line inside the window, in the order of the telling."""

    @classmethod
    def of(cls, world: World) -> Archive:
        told = [*world.told, *_queue_events(world)]
        by_source: defaultdict[str, list[int]] = defaultdict(list)
        logged: list[tuple[int, str]] = []
        start, end = world.start, world.at(world.end_s)
        for place, (event, _) in enumerate(told):
            if event.lane is Lane.LOG:
                if not start <= event.timestamp < end:
                    continue
                logged.append((place, event.source))
            by_source[event.source].append(place)
        pages = {name: _pages(told, places) for name, places in by_source.items()}
        return cls(world, _with_keys_of_lines(pages), tuple(logged))

    def collected(self, view: View = CLEAR) -> Incident:
        """What a collection at `now_s` would hold of this world."""
        world = self.world
        kept, offsets = self._kept(view), self._offsets(view)
        seen = {
            name: pages.seen(kept, offsets)
            for name, pages in self.pages.items()
            if name not in view.without
        }
        seen = {name: pages for name, pages in seen.items() if pages.places}
        store = Store()
        for name, pages in seen.items():
            coverage = _coverage(world, name, pages.lane, view)
            store.add(Batch(name, pages.frame, pages.keys, coverage=coverage))
        bound = ClockBound(view.clock_error + SYNCED_NS, view.clock_error + SYNCED_NS, "declared")
        return Incident(
            window=Window(world.at(PIN_S), world.start, world.at(world.end_s)),
            snapshot=store.snapshot(),
            clocks=ClockTable(assumed=bound),
            key_rules=_RULES,
            sources=tuple(_info(world, name, seen[name].lane) for name in sorted(seen)),
            environment="production",
            expected_services=world.expected,
            knowledge=world.knowledge,
            collected_at=world.at(world.now_s),
        )

    def _kept(self, view: View) -> frozenset[int] | None:
        """Places of the events that are seen; None for all."""
        if view.log_share >= 1:
            return None
        sample = random.Random(f"{self.world.seed}/sample")
        lines = [place for place, source in self.logged if source not in view.without]
        dropped = {place for place in lines if sample.random() >= view.log_share}
        every = (place for pages in self.pages.values() for place in pages.places)
        return frozenset(place for place in every if place not in dropped)

    def _offsets(self, view: View) -> dict[str, int]:
        if not view.clock_error:
            return {}
        hosts = {host for pages in self.pages.values() for host in pages.hosts}
        return {host: _offset(self.world, host, view) for host in hosts}


def collected(world: World, view: View = CLEAR) -> Incident:
    """What a collection at `now_s` would hold of this world; for one look only."""
    return Archive.of(world).collected(view)


def _pages(told: list[tuple[Event, str]], places: list[int]) -> Pages:
    events = [told[place][0] for place in places]
    hosts = tuple(told[place][1] for place in places)
    return Pages(*frame_from(events), hosts, tuple(places), events[0].lane)


def _with_keys_of_lines(pages: dict[str, Pages]) -> dict[str, Pages]:
    """`pages` with the keys that the words of log lines hold, found in one go."""
    logs = [name for name, told in pages.items() if told.lane is Lane.LOG]
    if not logs:
        return pages
    bodies = pl.concat([pages[name].frame.get_column("body") for name in logs])
    keys = _RULES.in_column(bodies)
    found, first = dict(pages), 0
    for name in logs:
        end = first + pages[name].frame.height
        own = keys.filter(pl.col("row").is_between(first, end, "left"))
        own = own.select((pl.col("row") - first).cast(KEY_SCHEMA["row"]), "key")
        found[name] = replace(pages[name], keys=own)
        first = end
    return found


def _offset(world: World, host: str, view: View) -> int:
    drawn = random.Random(f"{world.seed}/{host}").uniform(-1, 1)
    return int(drawn * view.clock_error) // 1_000 * 1_000


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


def _info(world: World, name: str, lane: Lane) -> SourceInfo:
    systems = {
        world.brand.name: world.brand.system,
        "database": "postgresql 16.3 (primary)",
        "central-logs": "elasticsearch 8.19",
        "prometheus": "prometheus",
        "deploys": "changes",
    }
    forgets = world.brand.forgets if name == world.brand.name else ""
    return SourceInfo(name, lane, systems.get(name, "file"), forgets)


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
        lost = [
            next((facts.id for facts, _, _ in world.brand.told(job, now)), job.id)
            for job in mine
            if job.state() == "lost" and job.attempts[-1].ended is None
        ]  # by the id that the queue's other events carry, as its connector lists them
        waiting = sum(job.state() == "waiting" for job in mine)
        running = sum(job.state() in ("running", "lost") for job in mine)
        here = QueueNow(queue, f"{name}:queue:{queue}", waiting, running, overdue=lost)
        found.append((depth_event(name, here, now), name))
    return found
