"""The Celery connector: what waits and what workers hold now, deliveries, results by known ids.

Owns what may be claimed: Celery on Redis notes neither when a task was sent nor when it started,
and lists no task that ended. A task that is not here is "not visible", never "did not run".
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from connectors.celery.messages import Message
from connectors.celery.options import CeleryOptions, Names
from connectors.celery.reads import (
    END_MESSAGES,
    Unacked,
    Waiting,
    queue_names,
    read_unacked,
    read_waiting,
)
from connectors.celery.results import (
    Result,
    expires_otherwise,
    facts_of,
    moments,
    read_results,
)
from connectors.contract import CheckReport
from connectors.discovery import Candidate, Place
from connectors.queues.account import Account, Memory
from connectors.queues.present import QueueNow, depth_event
from connectors.queues.redis_source import RedisQueue, redis_candidates, whole
from connectors.queues.transitions import WORKER_CLOCK, JobFacts, Moment, iso, transition
from connectors.redis_marks import read_marks
from connectors.redis_reads import RedisReads
from timeline.batch import Batch, Remark
from timeline.clean import clean
from timeline.event import Event, Kind, Meaning
from timeline.keys import KeyRules, split_key
from timeline.problems import NothingHere
from timeline.window import SECOND_NS, Budget, Window

if TYPE_CHECKING:
    from pydantic import BaseModel

FORGETS = (
    "Celery on Redis keeps no list of the tasks that ran: a task that ended is visible only by "
    "its id, while its result is kept"
)
REMEDY = "Give ids from the logs to the look-up; task_track_started and result_extended tell more."
DELIVERED_STAGE = 2
NAMED = 5


@dataclass(frozen=True, slots=True)
class _Read:
    """Everything that was read, and at which instant of Redis' clock."""

    now: int
    waiting: Sequence[Waiting]
    unacked: Sequence[Unacked]
    unacked_total: int
    unreadable: int
    results: dict[str, Result]

    def facts_by_id(self) -> dict[str, Message]:
        held = {entry.message.id: entry.message for entry in self.unacked}
        return held | {m.id: m for queue in self.waiting for m in queue.messages}


class CeleryConnector(RedisQueue):
    """One Celery application on a Redis broker. See `connectors.contract.Connector`."""

    system: ClassVar[str] = "celery"
    Options: ClassVar[type[BaseModel]] = CeleryOptions

    def __init__(self, source: str, options: CeleryOptions, key_rules: KeyRules) -> None:
        super().__init__(source, options, key_rules)
        self._options = options
        self._names = Names(options.key_prefix, options.priority_steps)
        self._results = self._redis
        if options.result_url is not None:
            address = options.at_results().address()
            self._results = RedisReads(address, options.connect_timeout_s, options.read_timeout_s)

    @staticmethod
    def candidates(place: Place) -> Iterator[Candidate]:
        """The variables that Celery's own documentation and its older versions use."""
        results: dict[str, object] = {}
        for candidate in redis_candidates(place, "celery", ("CELERY_RESULT_BACKEND",), {}):
            results["result_url"] = candidate.options["url"]
        brokers = ("CELERY_BROKER_URL", "BROKER_URL", "REDIS_URL")
        yield from redis_candidates(place, "celery", brokers, results)

    async def close(self) -> None:
        """End the connections. Safe to call twice."""
        await self._results.close()
        await super().close()

    async def check(self) -> CheckReport:
        """Redis' version, queues, what workers hold, clock, and what Celery forgets."""
        names, options = self._names, self._options
        queues = await queue_names(self._redis, names, options)
        keys = [names.binding(e) for e in (*options.exchanges, *options.queues)]
        keys += [names.unacked, names.unacked_index, *(k for q in queues for k in names.lists(q))]
        if not whole(await self._redis.one("EXISTS", *keys)):
            raise NothingHere(
                "No Celery broker keys here: no binding, no queue, no unacknowledged message",
                where=self._redis.where,
                remedy="Check key_prefix, exchanges, queues and the database number.",
            )
        server = await self._server()
        depths = [await read_waiting(self._redis, names, queue) for queue in queues]
        held = whole(await self._redis.one("ZCARD", names.unacked_index))
        facts = [*server.facts]
        facts += [f"queue {waiting.queue}: {waiting.depth} waiting" for waiting in depths]
        facts.append(f"{held} messages are with workers, unacknowledged")
        facts.append(
            f"assumed: visibility_timeout {options.visibility_timeout_s} s, "
            f"result_expires {options.result_expires_s} s (Redis does not hold these settings)"
        )
        if options.result_url is not None:
            await self._results.one("PING")
            facts.append(f"results at {self._results.where}")
        return CheckReport(
            system=f"Celery on Redis {server.version}",
            facts=tuple(facts),
            cannot_see=(
                FORGETS,
                "when a task was sent: messages carry no such stamp",
                "when a task started, unless task_track_started is on",
                "results of tasks with ignore_result",
                "a task lost in a crash with early acknowledgement: it leaves no trace",
            ),
            clock=await self.clock(),
            writes_refused=server.writes_refused,
            retention=KEEPS,
            rights=server.rights,
        )

    async def fetch(self, window: Window, budget: Budget) -> AsyncIterator[Batch]:
        """What waits and is held now; deliveries and known results inside `window`."""
        try:
            account = await self._opened(budget)
            read = await self._read(account, window, ())
            present = self._depths(read)
            present += await read_marks(self._redis, self.source, window)
            yield self._told(present, account)
            events = [
                event
                for event in self._events(read)
                if window.contains(event.timestamp) or event.timestamp == read.now
            ]
            for batch in self._paged(events, account, self._options.page_jobs):
                yield batch
            remarks = tuple(self._oddities(read))
            yield account.closing(window, Memory(account.now, FORGETS, REMEDY), remarks)
        except BaseException:
            await self.close()
            raise

    async def lookup(
        self, keys: Sequence[str], span: Window, budget: Budget
    ) -> AsyncIterator[Batch]:
        """Results and messages of tasks by id, and messages whose arguments name another key."""
        try:
            account = await self._opened(budget)
            ids = [value for kind, value in map(split_key, keys) if kind == "job"]
            wanted = {key for key in keys if split_key(key)[0] not in ("row", "")}
            read = await self._read(account, span, ids)
            events = [event for event in self._events(read) if wanted.intersection(event.keys)]
            if events:
                yield self._told(events, account)
            found = {key for event in events for key in event.keys}
            missing = [f"job:{task}" for task in ids if f"job:{task}" not in found]
            if missing:
                reason = "neither a result nor a message of this id (it may have ended or expired)"
                yield account.not_found(missing, reason)
            if absent := sorted(k for k in wanted - found if split_key(k)[0] != "job"):
                yield account.not_found(absent, "no message that waits or is held has it")
        except BaseException:
            await self.close()
            raise

    async def _read(self, account: Account, window: Window, ids: Sequence[str]) -> _Read:
        """Messages first, because they perish; then the results of every id they name."""
        names, options = self._names, self._options
        waiting = []
        for queue in await queue_names(self._redis, names, options):
            waiting.append(await read_waiting(self._redis, names, queue))
            if (depth := waiting[-1].depth) > len(waiting[-1].messages) + waiting[-1].unreadable:
                account.cut(
                    f"{waiting[-1].queue}: {depth} tasks wait; the {END_MESSAGES} at either end "
                    "of each priority were read"
                )
        held, total, unreadable = await read_unacked(self._redis, names, window, options.max_jobs)
        if total > len(held) + unreadable:
            account.cut(f"{total} messages are unacknowledged; {len(held)} of them were read")
        messages = [m for queue in waiting for m in queue.messages] + [h.message for h in held]
        known = dict.fromkeys(ids)
        known |= dict.fromkeys(t for m in messages for t in (m.id, *m.related) if t)
        listed = list(known)[: options.max_jobs]
        results = await read_results(self._results, options, listed, account.now)
        unreadable += sum(queue.unreadable for queue in waiting)
        return _Read(account.now, waiting, held, total, unreadable, results)

    def _events(self, read: _Read) -> Iterator[Event]:
        """Every message and result that was read, as events."""
        messages = read.facts_by_id()
        for queue in read.waiting:
            for place, message in enumerate(queue.messages):
                facts = self._facts(message, "waiting")
                yield transition(self.source, facts, _waits(message, place, read.now))
        for held in read.unacked:
            if held.delivered is not None:
                facts = self._facts(held.message, "unacknowledged")
                yield transition(self.source, facts, self._delivered(held, held.delivered, read))
        for result in read.results.values():
            known = messages.get(result.id)
            facts = self._facts(known, result.status) if known else facts_of(result)
            for moment in moments(result, self._options):
                yield transition(self.source, facts, moment)

    def _facts(self, message: Message, status: str) -> JobFacts:
        return message.facts(self._key_rules, self._options.arguments, status)

    def _delivered(self, held: Unacked, delivered: int, read: _Read) -> Moment:
        """What a worker holds: it runs it, has fetched it ahead, or waits for its eta."""
        message, again = held.message, delivered + self._timeout_ns
        words = "was delivered to a worker"
        words += " again" if message.redelivered else ""
        if message.eta is not None and message.eta > delivered:
            words += f", which holds it until {iso(message.eta)}"
        else:
            words += ", which has not acknowledged it"
        details: dict[str, object] = {"delivery_tag": held.tag, "redelivery_from": iso(again)}
        return Moment(
            kind=Kind.LOG,
            timestamp=delivered,
            words=words,
            ref=clean(f"{self._names.unacked_index}@{held.tag}"),
            clock=WORKER_CLOCK,
            stage=DELIVERED_STAGE,
            details=details,
        )

    def _depths(self, read: _Read) -> list[Event]:
        events = []
        for queue in read.waiting:
            held = [entry for entry in read.unacked if entry.message.queue == queue.queue]
            due = sorted(
                (h.message.eta, h.message.id)
                for h in held
                if h.message.eta is not None and h.message.eta > read.now
            )
            now = QueueNow(
                queue.queue,
                queue.key,
                waiting=queue.depth,
                running=len(held) - len(due),
                scheduled=len(due),
                due=[(task, eta) for eta, task in due],
                overdue=[h.message.id for h in held if self._overdue(h, read.now)],
                counts={**queue.by_list, "unacknowledged in all queues": read.unacked_total},
                note="running counts all that workers hold" if len(held) > len(due) else "",
            )
            events.append(depth_event(self.source, now, read.now))
        return events

    @property
    def _timeout_ns(self) -> int:
        return self._options.visibility_timeout_s * SECOND_NS

    def _overdue(self, held: Unacked, now: int) -> bool:
        return held.delivered is not None and now - held.delivered > self._timeout_ns

    def _oddities(self, read: _Read) -> Iterator[Remark]:
        overdue = [h for h in read.unacked if self._overdue(h, read.now)]
        late = [
            h
            for h in read.unacked
            if h.delivered is not None
            and h.message.eta is not None
            and h.message.eta - h.delivered > self._timeout_ns
        ]
        timeout = f"visibility_timeout ({self._options.visibility_timeout_s} s)"
        for topic, entries, sentence in (
            (
                "orphaned",
                overdue,
                f"unacknowledged for longer than {timeout}: their worker is gone, or has them "
                "still. Celery delivers them again: they may run twice",
            ),
            (
                "runs-twice",
                late,
                f"due later than {timeout} after delivery: Celery delivers them again before "
                "they are due, to run once for each delivery",
            ),
        ):
            if entries:
                named = ", ".join(entry.message.id for entry in entries[:NAMED])
                told = f"{len(entries)} tasks are {sentence} ({named})"
                yield Remark(self.source, topic, told, len(entries))
        closed = [m for m in read.facts_by_id().values() if m.opaque]
        if closed:
            told = f"{len(closed)} bodies were not opened ({closed[0].opaque})"
            yield Remark(self.source, "opaque", told, len(closed))
        if read.unreadable:
            told = f"{read.unreadable} elements are no messages of Celery, or too large to fetch"
            yield Remark(self.source, "damaged", told, read.unreadable)
        if otherwise := sum(map(expires_otherwise, read.results.values())):
            yield Remark(
                self.source,
                "result-expires",
                "Results do not expire result_expires_s after their end: set it to what the "
                "application uses, or derived times are wrong",
                otherwise,
            )


def _waits(message: Message, place: int, now: int) -> Moment:
    """Seen waiting: sent no later than now, which is all that Celery lets us know."""
    again = "again " if message.redelivered or message.retries else ""
    return Moment(
        kind=Kind.JOB_ENQUEUED,
        timestamp=now,
        words=f"waits {again}on {message.queue} now (when it was sent is not kept)",
        ref=clean(f"{message.queue}#{place}:{message.id}@{now}"),
        meaning=Meaning.POLLED,
        details={"now": True},
    )


KEEPS = (
    "messages: until a worker takes them",
    "results: a day by default (result_expires), nothing with ignore_result",
)
"""Defaults of Celery 5.7, celery/app/defaults.py; Redis does not hold these settings."""
