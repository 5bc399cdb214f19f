"""Wide mode: the cluster counts a window that is too large to read, and what matters travels.

Everything around T, around the bar in which errors first stand out and at both ends; warnings and
worse of the rest; and a few calm records that speak of changes or come from somebody who seldom
speaks. What was only counted is never told as read, nor as silent.
"""

from __future__ import annotations

import asyncio
import contextlib
from asyncio import Task
from collections.abc import AsyncIterator, Coroutine
from typing import TYPE_CHECKING

from connectors.elasticsearch import plan
from connectors.elasticsearch.account import Tier
from connectors.elasticsearch.counting import Bar, Survey, bars_in, counts_frame, rare_in
from connectors.elasticsearch.paging import Sweep, missing_in
from connectors.elasticsearch.queries import (
    MOST_BARS,
    MOST_BUCKETS,
    MOST_TERMS,
    Bars,
    Query,
    Stretch,
    about_changes,
    any_value,
    counted,
    lacking_level,
    rare,
)
from timeline.batch import Batch, BatchExtras, batch_of
from timeline.event import SEVERITY_ERROR, SEVERITY_WARN
from timeline.problems import SourceProblem

if TYPE_CHECKING:
    from connectors.elasticsearch.reading import WindowReading
    from connectors.logs.jsonshape import JsonValue

SELDOM = 10
"""A service with at most so many records in a window of many thousands: a deploy, a cron job."""
LOUDEST_ROWS = 1_000
"""Errors of the first trouble that travel before all else; one page, told within a moment."""
FEW_ROWS = 500
"""Records about changes, and of those who seldom speak, that travel although they are calm."""


async def read_wide(reading: WindowReading) -> AsyncIterator[Batch]:
    """What travels of the window, the most urgent first, and early on what the cluster counts."""
    survey = reading.account.survey
    if survey is None:
        return
    near = plan.around(reading.pin, reading.stretch, reading.budget.rows)
    async with _meanwhile(_bars(reading, survey)) as counting:
        async for batch in _closely(reading, near):
            yield batch
        bars = await counting
    if bars:
        window, source = reading.window, reading.settings.source
        frame = await asyncio.to_thread(counts_frame, source, bars, window.start, window.end)
        yield batch_of(source, (), BatchExtras(counts=frame))
    places = plan.places(bars, reading.stretch, reading.budget.rows)
    onset = plan.onset(bars)
    if onset is not None:
        async for batch in _loudest(reading, survey, places[0]):
            yield batch
    for place in places:
        async for batch in _closely(reading, place):
            yield batch
    middle = reading.pin if onset is None else onset
    async for batch in _severe(reading, survey, middle):
        yield batch
    async for batch in _seldom(reading, survey, middle):
        yield batch
    async for batch in _unlevelled(reading, survey, middle):
        yield batch


@contextlib.asynccontextmanager
async def _meanwhile(work: Coroutine[None, None, list[Bar]]) -> AsyncIterator[Task[list[Bar]]]:
    """`work` on the source's other connection; whoever leaves early takes it along."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _bars(reading: WindowReading, survey: Survey) -> list[Bar]:
    """The window in bars; without services when they are too many; none when it is refused."""
    levels = max(1, len(survey.levels.values))
    # One more than there are: a shard that fills its list cannot know that there is nothing else.
    services = min(len(survey.services.values) + 1, MOST_TERMS) if reading.speaker else 0
    while True:
        most = min(MOST_BARS, max(1, MOST_BUCKETS // (levels * (services + 1))))
        bars = Bars.over(reading.stretch, reading.pin, most)
        body = counted(reading.fields, reading.records(), bars, services, reading.counting_seconds)
        try:
            reply = await reading.counted(body)
        except SourceProblem as problem:
            if not services:
                said = f"The records could not be counted by time: {problem.what}"
                reading.account.say("survey", said)
                return []
            services = 0  # fewer buckets may be allowed
            continue
        if said := missing_in(reply):
            reading.account.say("survey", f"The records were not counted in full: {said}")
        return bars_in(reply.content or {}, bars, whole_answer=not said)


async def _loudest(
    reading: WindowReading, survey: Survey, place: plan.Place
) -> AsyncIterator[Batch]:
    """The first errors of the trouble before what surrounds them: a sentence needs no more."""
    for least in (SEVERITY_ERROR, SEVERITY_WARN):
        if values := survey.values(least, 256):
            query = any_value(reading.fields.level, values)
            further = (query, *reading.settings.always)
            sweep = reading.sweep(reading.fields.time, place.stretch, further)
            async for batch in reading.pages([sweep], place.at, LOUDEST_ROWS):
                yield batch
            return


async def _closely(reading: WindowReading, place: plan.Place) -> AsyncIterator[Batch]:
    """All of what `place` asks for that was not read before."""
    until = reading.account.rows + place.rows
    gaps = [
        Stretch(max(gap.start, place.stretch.start), min(gap.end, place.stretch.end))
        for gap in reading.account.unread(reading.window)
    ]
    gaps.sort(key=lambda gap: max(gap.start - place.at, place.at - gap.end))
    for gap in gaps:
        left = until - reading.account.rows
        if not gap.empty and left > 0:
            middle = min(max(place.at, gap.start), gap.end)
            async for batch in reading.outwards(middle, gap, left):
                yield batch


async def _severe(reading: WindowReading, survey: Survey, middle: int) -> AsyncIterator[Batch]:
    """Warnings and worse of what was not read; errors first where not all of them may travel."""
    ranges = [(SEVERITY_WARN, 256)]
    if survey.count(SEVERITY_WARN) > reading.rows_left:
        ranges = [(SEVERITY_ERROR, 256), (SEVERITY_WARN, SEVERITY_ERROR)]
    for least, below in ranges:
        values = survey.values(least, below)
        sweeps = _sweeps(reading, any_value(reading.fields.level, values), middle) if values else []
        reading.account.severe.append(Tier(least, tuple(sweeps)))
        async for batch in reading.pages(sweeps, middle, reading.rows_left):
            yield batch


async def _unlevelled(reading: WindowReading, survey: Survey, middle: int) -> AsyncIterator[Batch]:
    """Of records without a level, those with words of trouble; that this is a guess is said."""
    if not survey.without_level:
        return
    query = lacking_level(reading.fields)
    words = (
        "none of them could be asked for"
        if query is None
        else (
            "of those only the ones with words like error, warning or exception were read, "
            "which is a guess"
        )
    )
    sentence = f"{survey.without_level} records carry no level that can be searched; {words}"
    reading.account.say("level-guessed", sentence, survey.without_level)
    if query is not None:
        sweeps = _sweeps(reading, query, middle)
        async for batch in reading.pages(sweeps, middle, reading.rows_left):
            yield batch


async def _seldom(reading: WindowReading, survey: Survey, middle: int) -> AsyncIterator[Batch]:
    """Calm records that speak of changes, and all of those who seldom speak."""
    queries = [about_changes(reading.fields)]
    if reading.speaker and (names := await _seldom_speaking(reading, survey)):
        queries.append(any_value(reading.speaker, names))
    for query in queries:
        if query is not None:
            sweeps = _sweeps(reading, query, middle)
            async for batch in reading.pages(sweeps, middle, FEW_ROWS):
                yield batch


async def _seldom_speaking(reading: WindowReading, survey: Survey) -> list[JsonValue]:
    """Services with very few records; where there are too many to list, the cluster is asked."""
    if survey.services.complete:
        return [name for name, count in survey.services.values if count <= SELDOM]
    body = rare(reading.speaker, SELDOM, reading.records(), reading.counting_seconds)
    try:
        reply = await reading.counted(body)
    except SourceProblem:
        return []  # a cluster without rare terms loses nothing that was promised
    return rare_in(reply.content or {})


def _sweeps(reading: WindowReading, query: Query, middle: int) -> list[Sweep]:
    """Ways through everything that was not read in full, away from `middle` (ms)."""
    further = (query, *reading.settings.always)
    time = reading.fields.time
    return [
        reading.sweep(time, part, further, backwards=part.end <= middle)
        for gap in reading.account.unread(reading.window)
        for part in gap.split(middle)
    ]
