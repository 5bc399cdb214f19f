"""The BullMQ connector: what runs and comes due, then the events stream around T, jobs by key.

Owns what may be claimed: the stream reaches back some thousand jobs of each queue; before it only
what still has a hash is visible, and a job that is not here is "not visible", never "did not run".
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from connectors.bullmq.finding import Queues, queues_of
from connectors.bullmq.history import StreamWords, told_by_stream, with_neighbours
from connectors.bullmq.jobs import Job, JobWords, read_jobs
from connectors.bullmq.options import BullMQOptions
from connectors.bullmq.present import QueueState, minute_counts, read_state
from connectors.bullmq.stream import MS_NS, History, read_history
from connectors.contract import CheckReport
from connectors.discovery import Candidate, Place, Sampled
from connectors.queues.account import Account, Memory
from connectors.queues.present import depth_event
from connectors.queues.redis_source import RedisQueue, listed, name, redis_candidates
from connectors.queues.transitions import iso, transition
from connectors.redis_marks import read_marks
from timeline.batch import Batch, Remark
from timeline.clean import clean
from timeline.event import Event
from timeline.keys import KeyRules, split_key
from timeline.problems import NothingHere
from timeline.window import Budget, Window

if TYPE_CHECKING:
    from pydantic import BaseModel

LOOKUP_JOBS = 500
"""Newest jobs of each state and queue whose data is searched for a key that is not a job id."""
QUEUE_FILES = tuple(
    f"{folder}{stem}.{extension}"
    for folder in ("", "src/", "lib/", "app/", "src/queues/", "queues/")
    for stem in ("queue", "queues", "worker", "workers", "jobs", "index")
    for extension in ("ts", "js", "mjs")
)
"""Where an application usually names its queues."""
_NAMED_QUEUE = re.compile(r"new\s+(?:Queue|Worker)(?:<[^>(]*>)?\(\s*['\"]([^'\"$:]{1,100})['\"]")


@dataclass(frozen=True, slots=True)
class _Queue:
    """What was read of one queue."""

    state: QueueState
    history: History
    told: dict[str, frozenset[str]]
    stream: StreamWords
    words: JobWords


class BullMQConnector(RedisQueue):
    """The named queues of one BullMQ installation. See `connectors.contract.Connector`."""

    system: ClassVar[str] = "bullmq"
    Options: ClassVar[type[BaseModel]] = BullMQOptions

    def __init__(self, source: str, options: BullMQOptions, key_rules: KeyRules) -> None:
        super().__init__(source, options, key_rules)
        self._options = options
        self._queues: Queues | None = None

    @staticmethod
    def candidates(place: Place) -> Iterator[Candidate]:
        """REDIS_URL; queues from the usual files of a checkout that uses bullmq."""
        named: dict[str, None] = {}
        if '"bullmq"' in place.text(place.folder / "package.json"):
            for path in QUEUE_FILES:
                named.update(dict.fromkeys(_NAMED_QUEUE.findall(place.text(place.folder / path))))
        options = {"queues": list(named)} if named else {}
        yield from redis_candidates(place, "bullmq", ("REDIS_URL",), options)

    async def sample(self) -> Sampled:
        """Names of the queues that were searched for, to be written beside the source."""
        queues = await self._found()
        if not queues.searched:
            return Sampled()
        names = ", ".join(clean(names.queue) for names in queues.names)
        told = [f"queues found by a search at every start: {names}", queues.limits]
        return Sampled(notes=tuple(note for note in told if note))

    async def check(self) -> CheckReport:
        """Version, queues, what the stream reaches back to, clock, and what BullMQ forgets."""
        queues = await self._found()
        states = [await read_state(self._redis, names) for names in queues.names]
        if not any(state.exists for state in states):
            named = ", ".join(map(clean, self._options.queues))
            raise NothingHere(
                f"No BullMQ queue of these names: {named}",
                where=f"{self._redis.where}, prefix {self._options.prefix}",
                remedy="Check queues, prefix and the database number.",
            )
        server = await self._server()
        facts = [*server.facts, *([queues.limits] if queues.limits else [])]
        for state in states:
            history = await read_history(self._redis, state.names, None, 0, 1)
            since = "no events are kept"
            if history.begins is not None:
                since = f"its {history.length} events begin at {iso(history.begins)}"
            queue = clean(state.names.queue)
            counts = ", ".join(f"{n} {kind}" for kind, n in state.counts.items() if n)
            absent = "" if state.exists else " (not there)"
            facts.append(f"queue {queue}{absent}: {counts or 'empty'}; {since}")
        versions = {v.rpartition(":")[2] for s in states if (v := s.meta["version"])}
        return CheckReport(
            system=f"BullMQ {', '.join(sorted(versions)) or 'of unknown version'} "
            f"on Redis {server.version}",
            facts=tuple(facts),
            cannot_see=(
                "what happened before a queue's events stream begins, unless the job is kept",
                "the reason of an attempt that is retried, beyond the stacks the job keeps",
                "queues that are not named, or not found: BullMQ keeps no list of them",
            ),
            clock=await self.clock(),
            writes_refused=server.writes_refused,
            retention=KEEPS,
            rights=server.rights,
        )

    async def fetch(self, window: Window, budget: Budget) -> AsyncIterator[Batch]:
        """What runs, waits and comes due now; then every entry and job inside `window`."""
        try:
            account = await self._opened(budget)
            queues = await self._found()
            if queues.limits:
                account.cut(queues.limits)
            states = [await read_state(self._redis, names) for names in queues.names]
            present = [depth_event(self.source, state.now(), account.now) for state in states]
            present += await read_marks(self._redis, self.source, window)
            yield self._told(present, account)
            begins: dict[str, int | None] = {}
            for state in states:
                if account.late:
                    account.cut(f"queue {clean(state.names.queue)}: the time it may take was up")
                    continue
                queue = await self._queue(state, window)
                begins[clean(state.names.queue)] = queue.history.begins
                counted = await minute_counts(self._redis, self.source, state.names, window)
                yield self._told(counted, account)
                async for batch in self._pages(queue, window, account):
                    yield batch
            yield account.closing(
                window, _memory(begins, account.now), tuple(_oddities(self.source, states))
            )
        except BaseException:
            await self._redis.close()
            raise

    async def lookup(
        self, keys: Sequence[str], span: Window, budget: Budget
    ) -> AsyncIterator[Batch]:
        """Jobs by id in every named queue, and the newest jobs whose data names another key."""
        try:
            account = await self._opened(budget)
            wanted = {value for kind, value in map(split_key, keys) if kind == "job"}
            others = {key for key in keys if split_key(key)[0] not in ("job", "row", "")}
            found: set[str] = set()
            queues = await self._found()
            for names in queues.names:
                state = await read_state(self._redis, names)
                queue = await self._queue(state, span)
                hits = await self._holding(queue, wanted, others, found)
                for batch in self._events_of(queue, hits, account):
                    yield batch
            missing = [f"job:{job}" for job in sorted(wanted) if f"job:{job}" not in found]
            if missing:
                reason = "no such job in the queues that are read"
                yield account.not_found(missing, _limited(reason, queues))
            if absent := sorted(others - found):
                reason = f"none of the newest {LOOKUP_JOBS} jobs of each state has it in its data"
                yield account.not_found(absent, _limited(reason, queues))
        except BaseException:
            await self._redis.close()
            raise

    async def _found(self) -> Queues:
        """The queues to read; they are searched for once."""
        if self._queues is None:
            self._queues = await queues_of(self._redis, self._options)
        return self._queues

    async def _queue(self, state: QueueState, window: Window) -> _Queue:
        names, options = state.names, self._options
        history = await read_history(
            self._redis, names, window, options.whole_stream, options.page_jobs
        )
        return _Queue(
            state,
            history,
            dict(told_by_stream(history.entries)),
            StreamWords(names, options.lock_duration_s),
            JobWords(options, self._key_rules, names),
        )

    async def _pages(self, queue: _Queue, window: Window, account: Account) -> AsyncIterator[Batch]:
        """Batches of what the stream and the hashes tell of `window`, and of all running jobs."""
        name_of_queue = clean(queue.state.names.queue)
        if queue.history.cut:
            account.cut(f"{name_of_queue}: more events than {self._options.whole_stream} were kept")
        running = {clean(job) for job in queue.state.active}
        in_window = [e.job for e in queue.history.entries if window.contains(e.stamp) and e.job]
        ids = list(dict.fromkeys((*await self._ended(queue, window), *in_window)))
        perishable = [*queue.state.active, *(j for j, _ in queue.state.due), *queue.state.waiting]
        ids = list(dict.fromkeys((*perishable, *ids)))
        limit = self._options.max_jobs
        if len(ids) > limit:
            account.cut(f"{name_of_queue}: {len(ids)} jobs changed; {limit} of them were read")
        jobs = await read_jobs(self._redis, queue.state.names, ids[:limit], self._options.page_jobs)
        changes = [
            event
            for entry in queue.history.entries
            if window.contains(entry.stamp)
            and (event := queue.stream.change(self.source, entry)) is not None
        ]
        told = self._transitions(
            queue,
            jobs,
            set(map(clean, ids)),
            lambda job, stamp: window.contains(stamp) or job in running,
        )
        page = self._options.page_jobs
        for batch in self._paged([*changes, *told], account, page, name_of_queue):
            yield batch

    async def _ended(self, queue: _Queue, window: Window) -> list[str]:
        """Kept jobs that ended in the window by their worker's clock, and the newest ones."""
        names, found = queue.state.names, []
        low, high = window.start // MS_NS, window.end // MS_NS
        for kind in ("completed", "failed"):
            key, page = names.key(kind), self._options.page_jobs
            for skip in range(0, self._options.max_jobs, page):
                reply = await self._redis.one("ZRANGEBYSCORE", key, low, high, "LIMIT", skip, page)
                found += [name(job) for job in listed(reply)]
                if len(listed(reply)) < page:
                    break
        return found

    def _transitions(
        self,
        queue: _Queue,
        jobs: dict[str, Job],
        ids: Collection[str],
        wanted: Callable[[str, int], bool],
    ) -> Iterator[Event]:
        """What the stream and the hashes tell of the jobs `ids`, where `wanted(job, stamp)`."""
        names = queue.history.names()
        states = {clean(j): "active" for j in queue.state.active}
        states |= {clean(j): "delayed" for j, _ in queue.state.due}
        states |= {clean(j): "wait" for j in queue.state.waiting}
        facts = {
            job_id: queue.words.facts(
                jobs.get(job_id, Job(job_id)), names.get(job_id, ""), states.get(job_id, "")
            )
            for job_id in ids
        }
        starts: dict[str, int] = {}
        for entry, beside in with_neighbours(queue.history.entries):
            if entry.job not in facts:
                continue
            moment = queue.stream.moment(entry, beside, starts.get(entry.job))
            if entry.event == "active":
                starts[entry.job] = entry.stamp
            if moment is not None and wanted(entry.job, entry.stamp):
                yield transition(self.source, facts[entry.job], moment)
        for job_id, job in jobs.items():
            for moment in queue.words.moments(job, queue.told.get(job_id, frozenset())):
                before = queue.history.begins
                forgotten = queue.history.is_whole or before is None or moment.timestamp < before
                if forgotten and wanted(job_id, moment.timestamp):
                    yield transition(self.source, facts[job_id], moment)

    async def _holding(
        self, queue: _Queue, wanted: set[str], others: set[str], found: set[str]
    ) -> dict[str, Job]:
        """Jobs of the queue with a wanted id or key; what was found is added to `found`."""
        names, page = queue.state.names, self._options.page_jobs
        by_id = sorted(wanted)
        hits = await read_jobs(self._redis, names, by_id, page)
        in_stream = {entry.job for entry in queue.history.entries}
        hits |= {j: Job(j) for j in by_id if j in in_stream and j not in hits}
        found |= {f"job:{job_id}" for job_id in hits}
        if not others:
            return hits
        searched = [*queue.state.active, *queue.state.waiting, *(j for j, _ in queue.state.due)]
        for kind in ("completed", "failed"):
            reply = await self._redis.one("ZRANGE", names.key(kind), -LOOKUP_JOBS, -1)
            searched += [name(job) for job in listed(reply)]
        jobs = await read_jobs(self._redis, names, list(dict.fromkeys(searched)), page)
        for job_id, job in jobs.items():
            if hit := others.intersection(queue.words.facts(job).keys):
                found |= hit
                hits[job_id] = job
        return hits

    def _events_of(self, queue: _Queue, jobs: dict[str, Job], account: Account) -> Iterator[Batch]:
        if jobs and (events := list(self._transitions(queue, jobs, jobs, _always))):
            yield self._told(events, account)


def _limited(reason: str, queues: Queues) -> str:
    return f"{reason}; {queues.limits}" if queues.limits else reason


def _always(_job: str, _stamp: int) -> bool:
    return True


def _memory(begins: dict[str, int | None], now: int) -> Memory:
    """The queue whose stream begins latest decides how far back silence means something."""
    if not begins:
        return Memory(now, "no queue was read")
    queue = max(begins, key=lambda name: begins[name] or now)
    horizon = begins[queue]
    if horizon is None:
        return Memory(now, f"{queue} has no events stream: only kept jobs are visible")
    return Memory(
        horizon,
        f"the events of {queue} begin at {iso(horizon)}; earlier, only kept jobs are visible",
        "A job that is not here may have come and gone. A higher streams.events.maxLen keeps more.",
    )


def _oddities(source: str, states: Sequence[QueueState]) -> Iterator[Remark]:
    for state in states:
        queue = clean(state.names.queue)
        if state.unlocked:
            named = ", ".join(map(clean, state.unlocked[:5]))
            yield Remark(
                source,
                "orphaned",
                f"{len(state.unlocked)} active jobs of {queue} have no lock: {named}. Their "
                "worker is gone or stuck; BullMQ will call them stalled and run them again.",
                len(state.unlocked),
            )
        if not state.exists:
            yield Remark(source, "no-such-queue", f"there is no queue {queue} under this prefix")


KEEPS = (
    "events: about 10,000 entries of each queue by default (streams.events.maxLen)",
    "finished jobs: as long as removeOnComplete and removeOnFail allow, for ever by default",
)
"""Defaults of BullMQ 5 and 6, src/classes/queue.ts."""
