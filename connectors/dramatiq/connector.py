"""The dramatiq connector: what waits, what workers hold, retries to come, the dead, lost workers.

Owns what may be claimed: dramatiq deletes a message as it succeeds and notes no start, so a job
that is not here is "not visible", never "did not run". Facts: dramatiq 2.2.1, dispatch.lua and
middleware/retries.py.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from connectors.contract import CheckReport
from connectors.discovery import Candidate, Place, Sampled
from connectors.dramatiq.finding import Queues, queues_of
from connectors.dramatiq.messages import MessageWords
from connectors.dramatiq.options import DEAD, DELAYED, MESSAGES, DramatiqOptions
from connectors.dramatiq.reads import DramatiqReads, State, Worker
from connectors.queues.account import Account, Memory
from connectors.queues.present import QueueNow, depth_event
from connectors.queues.redis_source import RedisQueue, redis_candidates, whole
from connectors.queues.transitions import WORKER_CLOCK, iso, transition
from connectors.redis_marks import read_marks
from timeline.batch import Batch, Remark
from timeline.clean import clean
from timeline.event import Event, Kind, Lane, Precision, intrinsic_seq
from timeline.keys import KeyRules, split_key
from timeline.problems import NothingHere
from timeline.window import Budget, Window

if TYPE_CHECKING:
    from pydantic import BaseModel

FORGETS = "dramatiq deletes a message as it succeeds and keeps only what waits, is held, or is dead"
REMEDY = "A job that is not here may have succeeded."


class DramatiqConnector(RedisQueue):
    """One dramatiq broker on Redis. See `connectors.contract.Connector`."""

    system: ClassVar[str] = "dramatiq"
    Options: ClassVar[type[BaseModel]] = DramatiqOptions

    def __init__(self, source: str, options: DramatiqOptions, key_rules: KeyRules) -> None:
        super().__init__(source, options, key_rules)
        self._options = options
        self._queues: Queues | None = None
        self._words = MessageWords(options, key_rules)

    @staticmethod
    def candidates(place: Place) -> Iterator[Candidate]:
        """The variables that name a broker's Redis."""
        yield from redis_candidates(place, "dramatiq", ("DRAMATIQ_BROKER_URL", "REDIS_URL"), {})

    async def sample(self) -> Sampled:
        """Names of the queues that were searched for, to be written beside the source."""
        queues = await self._found()
        if not queues.searched:
            return Sampled()
        names = ", ".join(map(clean, queues.options.queues))
        told = [f"queues found by a search at every start: {names}", queues.limits]
        return Sampled(notes=tuple(note for note in told if note))

    async def check(self) -> CheckReport:
        """Redis' version, queues, workers, clock, and what dramatiq forgets."""
        found = await self._found()
        queues = [self._options.key(queue) for queue in found.options.queues]
        keys = [self._options.key("__heartbeats__")]
        keys += [queue + part for queue in queues for part in ("", MESSAGES, DELAYED, DEAD)]
        if not whole(await self._redis.one("EXISTS", *keys)):
            raise NothingHere(
                "No dramatiq keys here: no heartbeat, no queue of these names",
                where=f"{self._redis.where}, namespace {self._options.namespace}",
                remedy="Check namespace, queues and the database number.",
            )
        server = await self._server()
        reads = DramatiqReads(self._redis, found.options)
        state = await reads.state(await self._opened(Budget(rows=0)), None)
        facts = [*server.facts, *([found.limits] if found.limits else [])]
        for queue, (counts, _) in state.queues.items():
            told = ", ".join(f"{n} {kind}" for kind, n in counts.items() if n)
            facts.append(f"queue {clean(queue)}: {told or 'empty'}")
        silent = sum(self._is_silent(worker, state) for worker in state.workers)
        facts.append(f"{len(state.workers)} workers have a heartbeat, {silent} are silent")
        return CheckReport(
            system=f"Dramatiq on Redis {server.version}",
            facts=tuple(facts),
            cannot_see=(
                FORGETS,
                "when an attempt started: messages carry no such stamp",
                "attempts before the last one: a retry overwrites its stamp and traceback",
                "the error that a dead message died of: only that of the failure before it",
                "queues that are not named, or not found: dramatiq keeps no list of them, and an "
                "idle one has no key",
            ),
            clock=await self.clock(),
            writes_refused=server.writes_refused,
            retention=KEEPS,
            rights=server.rights,
        )

    async def fetch(self, window: Window, budget: Budget) -> AsyncIterator[Batch]:
        """What waits, is held and comes due now; then what messages tell of `window`."""
        try:
            account = await self._opened(budget)
            state = await self._state(account, window)
            present = [self._depth(queue, state) for queue in state.queues]
            present += self._lost(state, window)
            present += await read_marks(self._redis, self.source, window)
            yield self._told(present, account)
            events = [
                event
                for event in self._events(state)
                if window.contains(event.timestamp) or event.timestamp == state.now
            ]
            for batch in self._paged(events, account, self._options.page_jobs):
                yield batch
            remarks = tuple(self._oddities(state))
            yield account.closing(window, Memory(account.now, FORGETS, REMEDY), remarks)
        except BaseException:
            await self._redis.close()
            raise

    async def lookup(
        self, keys: Sequence[str], span: Window, budget: Budget
    ) -> AsyncIterator[Batch]:
        """Messages by id or by a key among their arguments, wherever they still are."""
        try:
            account = await self._opened(budget)
            wanted = {key for key in keys if split_key(key)[0] not in ("row", "")}
            state = await self._state(account, None)
            events = [event for event in self._events(state) if wanted.intersection(event.keys)]
            if events:
                yield self._told(events, account)
            found = {key for event in events for key in event.keys}
            if missing := sorted(wanted - found):
                cuts = "".join(f"; {cut}" for cut in account.cuts)
                reason = f"no message that is kept has it ({FORGETS}){cuts}"
                yield account.not_found(missing, reason)
        except BaseException:
            await self._redis.close()
            raise

    async def _found(self) -> Queues:
        """The queues to read; they are searched for once."""
        if self._queues is None:
            self._queues = await queues_of(self._redis, self._options)
        return self._queues

    async def _state(self, account: Account, window: Window | None) -> State:
        queues = await self._found()
        if queues.limits:
            account.cut(queues.limits)
        return await DramatiqReads(self._redis, queues.options).state(account, window)

    def _events(self, state: State) -> Iterator[Event]:
        for message in state.messages:
            facts = self._words.facts(message)
            for moment in self._words.moments(message, state.now):
                yield transition(self.source, facts, moment)

    def _depth(self, queue: str, state: State) -> Event:
        counts, messages = state.queues[queue]
        due = sorted((m.due, m.id) for m in messages if m.due is not None)
        stamps = [
            m.stamp(m.fields.get("message_timestamp")) for m in messages if m.place == "waiting"
        ]
        silent = {w.id for w in state.workers if self._is_silent(w, state)}
        lost = [i for w in state.workers if w.id in silent for i in w.held.get(queue, ())]
        ids = {message.redis_id: message.id for message in messages}
        now = QueueNow(
            clean(queue),
            clean(self._options.key(queue)),
            waiting=counts["waiting"],
            running=counts["held"],
            scheduled=counts["delayed"],
            due=[(job, stamp) for stamp, job in due],
            overdue=[ids.get(redis_id, clean(redis_id)) for redis_id in lost],
            oldest=min((stamp for stamp in stamps if stamp is not None), default=None),
            counts=counts,
            note="running counts messages that workers fetched ahead" if counts["held"] else "",
        )
        return depth_event(self.source, now, state.now)

    def _is_silent(self, worker: Worker, state: State) -> bool:
        return state.silent(worker, self._options.heartbeat_timeout_s)

    def _lost(self, state: State, window: Window) -> Iterator[Event]:
        """The last heartbeat of workers that fell silent and still hold messages.

        They died, or lost Redis, some time after it: an interval, of which this is the beginning.
        """
        ids = {message.redis_id: message.id for message in state.messages}
        for worker in state.workers:
            held = [i for found in worker.held.values() for i in found]
            beat = worker.beat
            if beat is None or not held or not self._is_silent(worker, state):
                continue
            if not window.contains(beat):
                continue
            jobs = [ids.get(redis_id, clean(redis_id)) for redis_id in held]
            ref = clean(f"{self._options.key('__heartbeats__')}#{worker.id}")
            details = {
                "last_heartbeat": iso(beat),
                "held": jobs,
                "seen_at": iso(state.now),
            }
            yield Event(
                timestamp=beat,
                source=self.source,
                lane=Lane.QUEUE,
                kind=Kind.CHANGE,
                body=f"worker {clean(worker.id)[:8]} gave its last heartbeat and still holds "
                f"{len(jobs)} messages: lost at some time after it",
                ref=ref,
                seq=intrinsic_seq(ref),
                actor=clean(worker.id)[:8],
                clock=WORKER_CLOCK,
                precision=Precision.MILLISECOND,
                keys=tuple(f"job:{job}" for job in jobs),
                attributes=json.dumps(details, ensure_ascii=False),
            )

    def _oddities(self, state: State) -> Iterator[Remark]:
        for worker in state.workers:
            held = sum(map(len, worker.held.values()))
            if held and worker.beat is not None and self._is_silent(worker, state):
                yield Remark(
                    self.source,
                    "orphaned",
                    f"worker {clean(worker.id)} holds {held} messages and gave no heartbeat "
                    f"since {iso(worker.beat)}: it is gone or cut off. dramatiq gives them to "
                    "another worker at some later command, to run again",
                    held,
                )
        closed = [message for message in state.messages if message.unread]
        if closed:
            told = f"{len(closed)} bodies were not opened ({closed[0].unread})"
            yield Remark(self.source, "opaque", told, len(closed))


KEEPS = (
    "successes: not at all",
    "dead messages: seven days by default (dead_message_ttl)",
)
"""Default of Dramatiq 2.2, dramatiq/brokers/redis.py."""
