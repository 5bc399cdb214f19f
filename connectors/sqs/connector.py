"""The Amazon SQS connector: attributes of queues now, and their CloudWatch metrics around T.

Owns what may be claimed: SQS shows no message without receiving it, which would hide it, count a
receive and so may send it to the dead-letter queue. It is never done: counts only, no id, no job.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from pydantic import BaseModel  # noqa: TC002  # annotations name it at run time

from connectors.answers import at, items, members, text
from connectors.aws import profiles_in
from connectors.aws_reads import CLOUDWATCH, SQS, AWSReads, iam_words
from connectors.clock_sampling import SAMPLES, reading_from
from connectors.contract import CheckReport
from connectors.discovery import Candidate, Place
from connectors.logs.jsonshape import JsonValue
from connectors.queues.account import Account
from connectors.sqs.metrics import (
    COST,
    LATE_NS,
    METRICS,
    PERIODS_S,
    Series,
    period_s,
    question,
    samples_of,
    values_of,
)
from connectors.sqs.options import SQSOptions
from connectors.sqs.queue import Queue, changes, queue_now
from timeline.batch import Batch, Remark
from timeline.clean import clean
from timeline.clock import ClockReading
from timeline.coverage import Coverage, Sight
from timeline.event import Event, Lane
from timeline.keys import KeyRules
from timeline.problems import AccessRefused, NothingHere
from timeline.window import SECOND_NS, Budget, Window

LISTED = 1_000
"""Queues of one page of ListQueues, its own maximum."""
QUERIES = 500
"""Metrics of one GetMetricData, its own maximum."""
METRIC_PAGES = 20
"""Pages of one answer: a window of 35 minutes fits in one."""
COUNTS_ONLY = "SQS tells counts only: no message, no id, and who holds one is unknown"


@dataclass
class _Reading:
    """What one fetch has learnt so far."""

    account: Account
    queues: list[Queue] = field(default_factory=list)
    blind: list[str] = field(default_factory=list)


class SQSConnector:
    """The queues of one region of one account. See `connectors.contract.Connector`."""

    system: ClassVar[str] = "sqs"
    lane: ClassVar[Lane] = Lane.QUEUE
    Options: ClassVar[type[BaseModel]] = SQSOptions

    def __init__(self, source: str, options: BaseModel, key_rules: KeyRules) -> None:
        if not isinstance(options, SQSOptions):
            raise TypeError("SQSConnector needs SQSOptions")
        self.source = source
        self._options = options
        self._aws = AWSReads(options)

    def __repr__(self) -> str:
        return f"SQSConnector({self.source!r}, {self._aws!r})"

    @staticmethod
    def candidates(place: Place) -> Iterator[Candidate]:
        """A queue's URL in a variable, else the chosen profile, else each profile there is."""
        found = place.variables
        if found.get("SQS_QUEUE_URL"):
            yield Candidate(
                "sqs", "sqs", {"queues": ["${SQS_QUEUE_URL}"]}, "the variable SQS_QUEUE_URL"
            )
        elif found.get("AWS_PROFILE") or found.get("AWS_ACCESS_KEY_ID"):
            name = "AWS_PROFILE" if found.get("AWS_PROFILE") else "AWS_ACCESS_KEY_ID"
            yield Candidate("sqs", "sqs", {}, f"the variable {name}")
        else:
            for profile in profiles_in(place):
                yield Candidate("sqs", f"sqs-{profile}", {"profile": profile}, "~/.aws/config")

    async def check(self) -> CheckReport:
        """Region, queues, whether CloudWatch may be asked, cost, clock, and what is unseen."""
        region = await self._aws.region(SQS)
        urls, more = await self._urls(None)
        if not urls:
            raise NothingHere(
                "There is no such queue",
                where=f"SQS, {region}",
                remedy="Set region, profile, queues or prefix.",
            )
        queue = await self._queue(urls[0], None)
        facts = [
            f"SQS in {region}",
            f"{'at least ' if more else ''}{len(urls)} queues are read",
            "attributes are approximate: they settle within about a minute",
        ]
        unseen = [COUNTS_ONLY]
        if self._options.metrics:
            facts.append(f"CloudWatch: {len(METRICS)} metrics a queue for each look; {COST}")
            try:
                await self._metrics([queue], _moment_ago(), PERIODS_S[0][1], None)
            except AccessRefused as refused:
                unseen.append(f"what was then: {refused.sentence()}")
        return CheckReport(
            system=f"Amazon SQS ({region})",
            facts=tuple(facts),
            cannot_see=tuple(unseen),
            clock=await self.clock(),
            retention=(f"{queue.name}: messages for {queue.count('MessageRetentionPeriod'):,} s",),
            rights=(iam_words("sqs:SendMessage", "sqs:DeleteMessage", "sqs:PurgeQueue"),),
        )

    async def fetch(self, window: Window, budget: Budget) -> AsyncIterator[Batch]:
        """Every queue as it is now, then the metrics of the window."""
        try:
            reading = _Reading(Account.opened(self.source, _now(), budget))
            account = reading.account
            urls, more = await self._urls(account.deadline)
            if more:
                account.cuts.append(f"there are more queues; the first {len(urls)} were read")
            for url in urls:
                if account.late:
                    account.cuts.append(f"{len(urls)} queues were listed, not all were read")
                    break
                queue = await self._queue(url, account.deadline)
                reading.queues.append(await self._with_sources(queue, reading))
            events = [queue_now(self.source, queue, account.now) for queue in reading.queues]
            for queue in reading.queues:
                events += [e for e in changes(self.source, queue) if window.contains(e.timestamp)]
            yield account.batch(events, bytes_read=self._aws.unreported_bytes())
            async for batch in self._past(reading, window):
                yield batch
            yield self._closing(reading, window)
        except BaseException:
            await self._aws.close()
            raise

    async def lookup(
        self, keys: Sequence[str], span: Window, budget: Budget
    ) -> AsyncIterator[Batch]:
        """Nothing: no key can be found in counts. Says so, once SQS has answered."""
        account = Account.opened(self.source, _now(), budget)
        await self._urls(account.deadline)
        yield account.not_found(keys, "cannot be looked up; " + COUNTS_ONLY)

    async def clock(self) -> ClockReading | None:
        """SQS' front end against ours, from the Date header of nine answers."""
        asked: dict[str, JsonValue] = {"MaxResults": 1}
        samples = await self._aws.sample_clock(SQS, "ListQueues", asked, SAMPLES)
        return reading_from(self.source, samples) if samples else None

    async def close(self) -> None:
        """End every connection. Safe to call twice."""
        await self._aws.close()

    async def _urls(self, deadline: float | None) -> tuple[list[str], bool]:
        """URLs of the queues to read, and whether there are more of them."""
        most = self._options.max_queues
        if named := self._options.queues:
            return [await self._url(name, deadline) for name in named[:most]], len(named) > most
        urls: list[str] = []
        asked: dict[str, JsonValue] = {"MaxResults": min(LISTED, most + 1)}
        if self._options.prefix:
            asked["QueueNamePrefix"] = self._options.prefix
        while len(urls) <= most:
            answer = await self._aws.call(SQS, "ListQueues", asked, deadline)
            urls += [text(url) for url in items(at(answer, "QueueUrls"))]
            if not (token := text(at(answer, "NextToken"))):
                break
            asked["NextToken"] = token
        return urls[:most], len(urls) > most

    async def _url(self, name: str, deadline: float | None) -> str:
        if "://" in name:
            return name
        answer = await self._aws.call(SQS, "GetQueueUrl", {"QueueName": name}, deadline)
        return text(at(answer, "QueueUrl"))

    async def _queue(self, url: str, deadline: float | None) -> Queue:
        asked: dict[str, JsonValue] = {"QueueUrl": url, "AttributeNames": ["All"]}
        answer = await self._aws.call(SQS, "GetQueueAttributes", asked, deadline)
        return Queue(url, clean(url.rpartition("/")[2]), members(at(answer, "Attributes")))

    async def _with_sources(self, queue: Queue, reading: _Reading) -> Queue:
        """The queue with the names of those whose dead letters it takes."""
        if queue.redrive[0]:
            return queue
        asked: dict[str, JsonValue] = {"QueueUrl": queue.url, "MaxResults": LISTED}
        try:
            answer = await self._aws.call(
                SQS, "ListDeadLetterSourceQueues", asked, reading.account.deadline
            )
        except AccessRefused:
            reading.blind.append("which queues send dead letters (sqs:ListDeadLetterSourceQueues)")
            return queue
        urls = items(at(answer, "queueUrls")) or items(at(answer, "QueueUrls"))
        names = tuple(clean(text(url).rpartition("/")[2]) for url in urls)
        return replace(queue, dead_letters_of=names)

    async def _past(self, reading: _Reading, window: Window) -> AsyncIterator[Batch]:
        """The metrics of the window. Not being allowed to ask is no failure, but is said."""
        if not self._options.metrics:
            reading.blind.append("CloudWatch is switched off (metrics = false)")
            return
        at_once = QUERIES // len(METRICS)
        for first in range(0, len(reading.queues), at_once):
            if reading.account.exhausted:
                reading.account.cuts.append("not all metrics were read")
                return
            queues = reading.queues[first : first + at_once]
            period = period_s(window, reading.account.now)
            try:
                series = await self._metrics(queues, window, period, reading.account)
            except AccessRefused as refused:
                reading.blind.append(refused.sentence())
                return
            events: list[Event] = []
            for queue, own in zip(queues, series, strict=True):
                events += samples_of(self.source, queue.name, own, window, period)
            yield reading.account.batch(events)

    async def _metrics(
        self, queues: Sequence[Queue], window: Window, period: int, account: Account | None
    ) -> list[Series]:
        """Metric -> stamp -> value, for each queue."""
        found: list[Series] = [{} for _ in queues]
        asked = question([queue.name for queue in queues], window, period)
        for page in range(METRIC_PAGES):
            deadline = account.deadline if account else None
            answer = await self._aws.call(CLOUDWATCH, "GetMetricData", asked, deadline)
            for result in items(at(answer, "MetricDataResults")):
                number, _, metric = text(at(result, "Id")).removeprefix("q").partition("_")
                if metric in METRICS and number.isdigit() and int(number) < len(found):
                    values = found[int(number)].setdefault(metric, {})
                    values.update(values_of(result))
            if not (token := text(at(answer, "NextToken"))):
                break
            if account and page == METRIC_PAGES - 1:
                account.cuts.append("CloudWatch had more to tell than was read")
            asked["NextToken"] = token
        return found

    def _closing(self, reading: _Reading, window: Window) -> Batch:
        """What the window is worth: the last quarter of an hour may still be coming."""
        account = reading.account
        words = "; ".join([COUNTS_ONLY, *reading.blind, *account.cuts])
        remarks = [Remark(self.source, "cut", cut) for cut in account.cuts]
        remarks += [Remark(self.source, "blind", words) for words in reading.blind]
        sight = Sight.NOW_ONLY if reading.blind else Sight.PARTIAL
        settled = min(max(account.now - LATE_NS, window.start), window.end)
        told = []
        if window.start < settled:
            told.append(Coverage(self.source, window.start, settled, sight, words))
        if settled < window.end:
            late = f"{words}; CloudWatch may be {LATE_NS // (60 * SECOND_NS)} minutes late"
            told.append(
                Coverage(self.source, settled, window.end, sight, late, "Look again later.")
            )
        spent = self._aws.unreported_bytes()
        return account.batch((), bytes_read=spent, coverage=told, remarks=remarks)


def _now() -> int:
    return time.time_ns()


def _moment_ago() -> Window:
    return Window.around(_now() - 600 * SECOND_NS, 60 * SECOND_NS, 60 * SECOND_NS)
