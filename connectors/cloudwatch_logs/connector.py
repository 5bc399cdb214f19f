"""The CloudWatch Logs connector: events of log groups around T by FilterLogEvents.

The minutes around T are asked for first, then the rest outwards. Logs Insights is not used: its
queries are billed by what they scan and stay behind in the account's history.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar

from pydantic import BaseModel  # noqa: TC002  # annotations name it at run time

from connectors.answers import at, items, text, whole
from connectors.aws import profiles_in
from connectors.aws_reads import LOGS, AWSReads, iam_words
from connectors.clock_sampling import SAMPLES, reading_from
from connectors.cloudwatch_logs.options import CloudWatchLogsOptions
from connectors.cloudwatch_logs.records import (
    MILLISECOND_NS,
    Record,
    columns_of,
    dialect_of,
    event_of,
    records_in,
    with_keys,
)
from connectors.contract import CheckReport
from connectors.discovery import Candidate, Place
from connectors.logs.dialect import Dialect
from connectors.logs.jsonshape import JsonValue
from connectors.queues.account import Account
from timeline.batch import Batch, Remark
from timeline.clean import clean
from timeline.clock import ClockReading
from timeline.coverage import Coverage, Sight
from timeline.event import Event, Lane
from timeline.keys import KeyRules, split_key
from timeline.problems import AccessRefused, NothingHere
from timeline.window import MINUTE_NS, Budget, Window

SAMPLE_EVENTS = 200
"""Events that tell how a group's lines are written."""
BEFORE_T_NS, AFTER_T_NS = 2 * MINUTE_NS, MINUTE_NS
"""Around T, asked for first."""
PIECE_NS = 10 * MINUTE_NS
"""What is further from T is asked for in pieces, so that a cut loses the remotest."""
DELAY_NS = MINUTE_NS
"""What is younger may still be on its way. No bound is documented; agents send every few seconds.
A longer delay that is seen in the answer is believed instead, up to `LONGEST_DELAY_NS`."""
LONGEST_DELAY_NS = 15 * MINUTE_NS
LOOKUP_KEYS = 10
"""Keys looked for in one go: one pass over the span for each."""
NOT_IN_LOGS = frozenset(["", "row", "peer", "txn"])
"""Key types whose values are not written as they are."""


@dataclass
class _Reading:
    """What one fetch or look-up has learnt so far."""

    account: Account
    dialects: dict[str, Dialect]
    longest_delay: int = DELAY_NS
    unread: list[tuple[int, int]] = field(default_factory=list)
    """Stretches `[start, end)` that were not read to their end."""


class CloudWatchLogsConnector:
    """Some log groups of one region. See `connectors.contract.Connector`."""

    system: ClassVar[str] = "cloudwatch-logs"
    lane: ClassVar[Lane] = Lane.LOG
    Options: ClassVar[type[BaseModel]] = CloudWatchLogsOptions

    def __init__(self, source: str, options: BaseModel, key_rules: KeyRules) -> None:
        if not isinstance(options, CloudWatchLogsOptions):
            raise TypeError("CloudWatchLogsConnector needs CloudWatchLogsOptions")
        self.source = source
        self._options = options
        self._key_rules = key_rules
        self._aws = AWSReads(options)

    def __repr__(self) -> str:
        return f"CloudWatchLogsConnector({self.source!r}, {self._aws!r})"

    @staticmethod
    def candidates(place: Place) -> Iterator[Candidate]:
        """Lambda's and ECS' usual variable for a group, with whatever identity there is."""
        group = place.variables.get("AWS_LAMBDA_LOG_GROUP_NAME", "")
        if group and (place.variables.get("AWS_PROFILE") or any(profiles_in(place))):
            options = {"groups": ["${AWS_LAMBDA_LOG_GROUP_NAME}"]}
            found_in = "the variable AWS_LAMBDA_LOG_GROUP_NAME"
            yield Candidate("cloudwatch-logs", "logs", options, found_in)

    async def check(self) -> CheckReport:
        """Region, groups with their retention, clock, and what is unseen."""
        region = await self._aws.region(LOGS)
        kept = [await self._group_kept(group) for group in self._options.groups]
        facts = (
            f"CloudWatch Logs in {region}",
            "FilterLogEvents is not billed by what it reads; Logs Insights is not used",
        )
        return CheckReport(
            system=f"CloudWatch Logs ({region})",
            facts=facts,
            cannot_see=(
                "events that are still on their way; no longest delay is documented",
                "events that retention has deleted",
            ),
            clock=await self.clock(),
            retention=tuple(kept),
            rights=(iam_words("logs:PutLogEvents", "logs:DeleteLogGroup"),),
        )

    async def fetch(self, window: Window, budget: Budget) -> AsyncIterator[Batch]:
        """The minutes around T, then pieces further and further away."""
        try:
            reading = await self._begin(window, budget)
            pieces = list(outwards(window))
            for number, (start, end) in enumerate(pieces):
                if reading.account.exhausted:
                    reading.unread += pieces[number:]
                    break
                for group in self._options.groups:
                    async for records in self._pages(reading, group, start, end):
                        inside = [r for r in records if window.contains(r.timestamp)]
                        yield await self._batch(reading, inside)
            yield self._closing(reading, window)
        except BaseException:
            await self._aws.close()
            raise

    async def lookup(
        self, keys: Sequence[str], span: Window, budget: Budget
    ) -> AsyncIterator[Batch]:
        """Events of `span` that carry any of the first keys; each is one search."""
        try:
            reading = await self._begin(span, budget)
            wanted = [key for key in dict.fromkeys(keys) if split_key(key)[0] not in NOT_IN_LOGS]
            told: set[str] = set()
            missing = []
            for key in wanted[:LOOKUP_KEYS]:
                found = False
                for group in self._options.groups:
                    async for records in self._pages(
                        reading, group, span.start, span.end, _phrase(key)
                    ):
                        events = self._events(reading, records, span)
                        fresh = [e for e in events if key in e.keys and e.ref not in told]
                        found = found or any(key in event.keys for event in events)
                        told.update(event.ref for event in fresh)
                        yield reading.account.batch(fresh)
                if not found:
                    missing.append(key)
            if missing:
                yield reading.account.not_found(missing, "no event of the stretch carries it")
            remarks = [Remark(self.source, "cut", cut) for cut in reading.account.cuts]
            if len(wanted) > LOOKUP_KEYS:
                sentence = f"{len(wanted)} keys were wanted; {LOOKUP_KEYS} were looked for"
                remarks.append(Remark(self.source, "cut", sentence))
            if remarks:
                yield reading.account.batch((), remarks=remarks)
        except BaseException:
            await self._aws.close()
            raise

    async def clock(self) -> ClockReading | None:
        """CloudWatch's front end against ours. It stamps arrivals, not the events themselves."""
        asked: dict[str, JsonValue] = {"limit": 1, "logGroupNamePrefix": self._options.groups[0]}
        try:
            samples = await self._aws.sample_clock(LOGS, "DescribeLogGroups", asked, SAMPLES)
        except AccessRefused:
            return None
        return reading_from(f"{self.source} (ingest)", samples) if samples else None

    async def close(self) -> None:
        """End every connection. Safe to call twice."""
        await self._aws.close()

    async def _begin(self, window: Window, budget: Budget) -> _Reading:
        """A look at each group's lines, of the same stretch for windows and look-ups."""
        now = time.time_ns()
        reading = _Reading(Account.opened(self.source, now, budget), {})
        for group in self._options.groups:
            asked = self._question(group, window.start, window.end, "")
            asked["limit"] = SAMPLE_EVENTS
            deadline = reading.account.deadline
            answer = await self._aws.call(LOGS, "FilterLogEvents", asked, deadline)
            reading.dialects[group] = dialect_of(records_in(answer, group), now)
        return reading

    def _question(self, group: str, start: int, end: int, phrase: str) -> dict[str, JsonValue]:
        """The parameters of FilterLogEvents for `[start, end)`; its own end is inclusive."""
        asked: dict[str, JsonValue] = {
            "logGroupName": group,
            "startTime": start // MILLISECOND_NS,
            "endTime": max(-(-end // MILLISECOND_NS) - 1, start // MILLISECOND_NS),
            "limit": self._options.page_events,
        }
        if self._options.stream_prefix:
            asked["logStreamNamePrefix"] = self._options.stream_prefix
        if pattern := phrase or self._options.pattern:
            asked["filterPattern"] = pattern
        return asked

    async def _pages(
        self, reading: _Reading, group: str, start: int, end: int, phrase: str = ""
    ) -> AsyncIterator[list[Record]]:
        """The records of `[start, end)`, page by page; what is left unread is noted.

        A page may be empty and still not the last: CloudWatch searches stream by stream.
        """
        asked, seen = self._question(group, start, end, phrase), set[str]()
        while True:
            deadline = reading.account.deadline
            answer = await self._aws.call(LOGS, "FilterLogEvents", asked, deadline)
            records = records_in(answer, group)
            delays = [r.ingested - r.timestamp for r in records if r.ingested]
            longest = max(delays, default=0)
            reading.longest_delay = max(reading.longest_delay, min(longest, LONGEST_DELAY_NS))
            if records:
                yield records
            token = text(at(answer, "nextToken"))
            if not token or token in seen:
                return
            if reading.account.exhausted:
                reading.unread.append((start, end))
                return
            seen.add(token)
            asked["nextToken"] = token

    def _events(self, reading: _Reading, records: Sequence[Record], span: Window) -> list[Event]:
        inside = [record for record in records if span.contains(record.timestamp)]
        events = [event_of(r, self.source, reading.dialects[r.group]) for r in inside]
        return with_keys(events, self._key_rules)

    async def _batch(self, reading: _Reading, records: Sequence[Record]) -> Batch:
        """One page, read in a worker thread: it is up to ten thousand messages."""
        account = reading.account
        kept = records[: max(account.remaining, 0)]
        if len(kept) < len(records):
            stretch = records[len(kept)].timestamp, records[-1].timestamp + 1
            reading.unread.append((min(stretch), max(stretch)))
        account.remaining -= len(kept)

        def read() -> Batch:
            events = [event_of(r, self.source, reading.dialects[r.group]) for r in kept]
            frame, keys = columns_of(events, self._key_rules)
            return Batch(self.source, frame, keys, bytes_read=self._aws.unreported_bytes())

        return await asyncio.to_thread(read)

    def _closing(self, reading: _Reading, window: Window) -> Batch:
        """What the window is worth: unread stretches, a filter, and what is still on its way."""
        account, told = reading.account, []
        remarks = []
        if reading.unread:
            sentence = "more events than it may read; what is furthest from T is missing"
            remarks.append(Remark(self.source, "cut", sentence))
            told += [
                Coverage(
                    self.source,
                    max(low, window.start),
                    min(high, window.end),
                    Sight.PARTIAL,
                    sentence,
                    "Narrow the window, or set pattern.",
                )
                for low, high in reading.unread
                if max(low, window.start) < min(high, window.end)
            ]
        settled = min(max(account.now - reading.longest_delay, window.start), window.end)
        narrowed = [
            f"only {words}"
            for words in (
                f"streams {clean(self._options.stream_prefix)}*"
                if self._options.stream_prefix
                else "",
                f"events that match {clean(self._options.pattern)}"
                if self._options.pattern
                else "",
            )
            if words
        ]
        if window.start < settled:
            sight = Sight.PARTIAL if narrowed else Sight.FULL
            reason = "; ".join(narrowed) or "everything that has arrived was read"
            told.append(Coverage(self.source, window.start, settled, sight, reason))
        if settled < window.end:
            delay = timedelta(microseconds=reading.longest_delay // 1_000)
            reason = f"events may arrive {delay} after they were written"
            told.append(
                Coverage(
                    self.source, settled, window.end, Sight.PARTIAL, reason, "Look again later."
                )
            )
        return account.batch((), coverage=told, remarks=remarks)

    async def _group_kept(self, group: str) -> str:
        """Retention and size of a group. Raises `NothingHere` when it does not exist."""
        asked: dict[str, JsonValue] = {"logGroupNamePrefix": group, "limit": 50}
        try:
            answer = await self._aws.call(LOGS, "DescribeLogGroups", asked)
        except AccessRefused:
            return (
                f"{clean(group)}: its retention is unknown (logs:DescribeLogGroups is not allowed)"
            )
        found = [g for g in items(at(answer, "logGroups")) if text(at(g, "logGroupName")) == group]
        if not found:
            raise NothingHere(
                "There is no such log group",
                where=f"{clean(group)}, {await self._aws.region(LOGS)}",
                remedy="Correct groups, region or profile.",
            )
        days, stored = whole(at(found[0], "retentionInDays")), whole(at(found[0], "storedBytes"))
        kept = f"{days} days" if days else "for ever"
        return f"{clean(group)}: kept {kept}, {stored / 1024**2:,.0f} MB stored"


def outwards(window: Window) -> Iterator[tuple[int, int]]:
    """Stretches `[start, end)` that make up the window, the one around T first."""
    low = max(window.start, min(window.pin - BEFORE_T_NS, window.end - 1))
    high = min(window.end, max(window.pin + AFTER_T_NS, low + 1))
    yield low, high
    while low > window.start or high < window.end:
        if low > window.start:
            low, top = max(window.start, low - PIECE_NS), low
            yield low, top
        if high < window.end:
            bottom, high = high, min(window.end, high + PIECE_NS)
            yield bottom, high


def _phrase(key: str) -> str:
    """A filter pattern for the key's value, word for word."""
    return json.dumps(split_key(key)[1], ensure_ascii=False)
