"""The Elasticsearch and OpenSearch connector: wiring of preview, pages, look-ups, clock and check.

Owns no query and no parsing. Importing it imports no driver.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import ClassVar, TypeAlias

from pydantic import BaseModel  # noqa: TC002  # annotations name it at run time

from connectors.answers import at, members, whole
from connectors.clock_sampling import SAMPLES, ClockSample, reading_from
from connectors.contract import Answer, CheckReport
from connectors.discovery import Candidate, Place, Sampled
from connectors.elasticsearch import fields as field_map
from connectors.elasticsearch.account import Account, clock_time
from connectors.elasticsearch.checking import facts_of, health_in, nearest_names, nothing_to_read
from connectors.elasticsearch.dialect import identify
from connectors.elasticsearch.documents import Reading, documents_in
from connectors.elasticsearch.lookup import look_up
from connectors.elasticsearch.options import ElasticsearchOptions
from connectors.elasticsearch.paging import Contexts
from connectors.elasticsearch.queries import edge
from connectors.elasticsearch.reading import Settings, WindowReading
from connectors.elasticsearch.requests import Request, on
from connectors.elasticsearch.rights import cost_of, rights_of
from connectors.elasticsearch.sampling import candidates_in, sampled
from connectors.elasticsearch.scope import always, scope_told
from connectors.elasticsearch.transport import SearchTransport
from timeline.batch import Batch
from timeline.clean import clean
from timeline.clock import ClockReading
from timeline.event import Lane
from timeline.keys import KeyRules
from timeline.problems import Misconfigured, SourceProblem
from timeline.window import Budget, Window

MILLISECOND_NS = 1_000_000

_OpenContexts: TypeAlias = Callable[[Settings], Contexts]


class ElasticsearchConnector:
    """One index pattern of one cluster. See `connectors.contract.Connector`."""

    system: ClassVar[str] = "elasticsearch"
    lane: ClassVar[Lane] = Lane.LOG
    Options: ClassVar[type[BaseModel]] = ElasticsearchOptions

    def __init__(self, source: str, options: BaseModel, key_rules: KeyRules) -> None:
        if not isinstance(options, ElasticsearchOptions):
            raise TypeError("ElasticsearchConnector needs ElasticsearchOptions")
        self.source = source
        self._options = options
        self._key_rules = key_rules
        self._transport = SearchTransport(options)
        self._settings: Settings | None = None
        self._contexts: list[Contexts] = []
        self._running = 0

    def __repr__(self) -> str:
        return f"ElasticsearchConnector({self.source!r}, {self._transport!r})"

    @staticmethod
    def candidates(place: Place) -> Iterator[Candidate]:
        """Clusters that the environment names, with all their indices until `sample` knows more."""
        yield from candidates_in(place)

    async def sample(self) -> Sampled:
        """The indices that took records lately, and the fields that hold time, level and ids."""
        return await sampled(self._transport, await self._learnt())

    async def check(self) -> CheckReport:
        """Version, health, indices and fields found, newest record, clock, and what is unseen.

        Raises `NothingHere` when every index was meant and none has a field that holds the time.
        """
        try:
            settings = await self._learnt()
        except Misconfigured as problem:
            raise nothing_to_read(self._options.index, problem) from None
        health = await self._transport.ask(Request("GET", "/_cluster/health"))
        newest, oldest = [await self._edge(settings, oldest=end) for end in (False, True)]
        rights = await rights_of(self._transport, settings, self._options)
        cost = await cost_of(self._transport, settings, Window.around(time.time_ns()))
        facts = [
            f"{settings.dialect.name} at {self._transport.server}, {health_in(health)}",
            *facts_of(settings),
            *filter(None, [scope_told(self._options)]),
            f"newest record: {clock_time(newest) if newest is not None else 'none'}",
        ]
        return CheckReport(
            system=settings.dialect.name,
            facts=tuple(facts),
            cannot_see=(
                "records that are still being shipped or not yet refreshed",
                "records deleted by retention, and indices this account may not read",
            ),
            clock=await self.clock(),
            writes_refused=rights.refused,
            retention=(
                f"{clean(settings.index)}: the oldest record is of "
                f"{clock_time(oldest) if oldest is not None else 'no time: there is none'}",
            ),
            cost=(cost,),
            rights=rights.said,
        )

    async def fetch(self, window: Window, budget: Budget) -> AsyncIterator[Answer]:
        """The records nearest T at once, then pages outwards from T, then what was not seen."""
        async with self._reading_contexts() as open_contexts:
            bytes_before = self._transport.bytes_read
            settings = await self._learnt()
            account = Account(self.source, clean(settings.reading.fields.level), bytes_before)
            if said := scope_told(self._options):
                account.say("filtered", said)
            reading = WindowReading(
                self._transport,
                settings,
                open_contexts(settings),
                window,
                budget,
                account,
            )
            async with contextlib.aclosing(reading.answers()) as answers:
                async for answer in answers:
                    yield answer

    async def lookup(
        self, keys: Sequence[str], span: Window, budget: Budget
    ) -> AsyncIterator[Batch]:
        """The records within `span` that carry any of `keys`."""
        async with self._reading_contexts() as open_contexts:
            settings = await self._learnt()
            batches = look_up(keys, span, budget, settings, open_contexts(settings))
            async with contextlib.aclosing(batches) as found:
                async for batch in found:
                    yield batch

    async def clock(self) -> ClockReading | None:
        """The answering node's clock, which stamps nothing but records without a time of their own.

        None when the account may not ask for node statistics.
        """
        request = Request("GET", "/_nodes/_local/stats/os", {"filter_path": "nodes.*.timestamp"})
        samples = []
        for _ in range(SAMPLES):
            before, started = time.time_ns(), time.monotonic_ns()
            reply = await self._transport.ask(request)
            after = before + time.monotonic_ns() - started
            nodes = members(at(reply.content or {}, "nodes")) if reply.status == 200 else {}
            stamp = next((whole(at(node, "timestamp")) for node in nodes.values()), 0)
            if not stamp:
                return None
            samples.append(ClockSample(before, stamp * MILLISECOND_NS, after, MILLISECOND_NS))
        return reading_from(self._ingest_clock, samples)

    async def close(self) -> None:
        """Give back every reading context and end both connections. Safe to call twice."""
        contexts, self._contexts = self._contexts, []
        for opened in contexts:
            await opened.release()
        await self._transport.close()

    @property
    def _ingest_clock(self) -> str:
        return f"{self.source} (ingest)"

    @contextlib.asynccontextmanager
    async def _reading_contexts(self) -> AsyncIterator[_OpenContexts]:
        """Whatever is opened inside is given back.

        An interruption also ends the connections, unless another reading still uses them: the
        one that was interrupted is closed by the HTTP client in any case.
        """
        opened: list[Contexts] = []
        self._running += 1

        def open_contexts(settings: Settings) -> Contexts:
            contexts = Contexts(self._transport, settings.dialect)
            opened.append(contexts)
            self._contexts.append(contexts)
            return contexts

        try:
            yield open_contexts
        except (asyncio.CancelledError, GeneratorExit):
            await self._released(opened)
            if self._running == 1:
                await self._transport.close()
            raise
        finally:
            self._running -= 1
            await self._released(opened)

    async def _released(self, opened: list[Contexts]) -> None:
        for contexts in opened:
            await contexts.release()
            if contexts in self._contexts:
                self._contexts.remove(contexts)

    async def _learnt(self) -> Settings:
        """Who answers and which fields there are; asked once."""
        if self._settings is not None:
            return self._settings
        options = self._options
        dialect = await identify(self._transport, options.flavor)
        request = field_map.capabilities(options.index, options, self._key_rules)
        try:
            reply = await self._transport.read(request)
            fields = field_map.decide(reply, options, self._key_rules)
        except Misconfigured as problem:
            raise await self._with_near_names(problem) from None
        reading = Reading(self.source, fields, self._key_rules, self._ingest_clock)
        self._settings = Settings(
            self.source,
            options.index,
            options.page_size,
            dialect,
            reading,
            always(fields, options, dialect),
        )
        return self._settings

    async def _with_near_names(self, problem: Misconfigured) -> Misconfigured:
        """The problem with the names of indices that do exist, when the account may list them."""
        if "index" not in problem.what.lower():
            return problem
        with contextlib.suppress(SourceProblem):
            reply = await self._transport.read(
                Request("POST", on("*", "_field_caps"), {"fields": "_index"})
            )
            if names := nearest_names(self._options.index, reply):
                return Misconfigured(
                    problem.what,
                    where=problem.where,
                    remedy=f"Correct index; there is {', '.join(names)}.",
                )
        return problem

    async def _edge(self, settings: Settings, *, oldest: bool) -> int | None:
        """The stamp (ns) of the oldest record kept or of the newest; None when there is none."""
        time_field = settings.reading.fields.time
        now = time.time_ns() // MILLISECOND_NS
        body = edge(time_field, now, settings.always, oldest=oldest)
        reply = await self._transport.read(
            Request("POST", on(settings.index, "_search"), body=body)
        )
        found = documents_in(reply.content or {})
        unit = 1 if time_field.nanoseconds else MILLISECOND_NS
        return found[0].instant * unit if found else None
