"""Records that carry given keys, within a span of time, found by id fields and by words.

Words are found without their meaning (`4711` may be a duration), so a record counts only when the
key itself is found in it, by the same rules as everywhere.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from time import monotonic

from connectors.elasticsearch.documents import event_of, with_keys
from connectors.elasticsearch.paging import Contexts, PointInTime, Sweep
from connectors.elasticsearch.queries import Stretch, carrying
from connectors.elasticsearch.reading import READING_SHARE, Settings
from timeline.batch import Batch, BatchExtras, Remark, batch_of
from timeline.coverage import Asked, Coverage, Sight
from timeline.event import Event
from timeline.keys import split_key
from timeline.window import Budget, Window

MOST_CANDIDATES = 5_000
"""Records looked at in one look-up: enough for a hundred keys, a second of the cluster."""
UNHELD_TYPES = frozenset(["row", "peer", ""])
"""Keys of the database and of addresses: no log field holds them by that type."""
NAMED_KEYS = 10


async def look_up(
    keys: Sequence[str], span: Window, budget: Budget, settings: Settings, contexts: Contexts
) -> AsyncGenerator[Batch, None]:
    """Batches of the records that carry any of `keys`; at the end, which ones none carries."""
    wanted = {key for key in keys if split_key(key)[0] not in UNHELD_TYPES}
    candidates = carrying(sorted(wanted), settings.reading.fields)
    found: set[str] = set()
    remarks: list[Remark] = []
    if candidates is not None:
        deadline = monotonic() + budget.seconds * READING_SHARE
        point = None
        if settings.pages_by_point_in_time:
            point = PointInTime(contexts, settings.index)
        sweep = Sweep(
            settings.reading.fields.time,
            Stretch.of(span.start, span.end),
            contexts,
            settings.index,
            point,
            newest_first=True,
            further=(candidates, *settings.always),
        )
        left = min(budget.rows, MOST_CANDIDATES)
        while left > 0 and not sweep.done and monotonic() < deadline:
            page = await sweep.page(min(left, settings.page_size), deadline)
            left -= len(page.documents)
            settings.learn_from(page.documents)
            reading = settings.reading
            events = [event_of(d, reading.fields.time, reading) for d in page.documents]
            carriers = _carriers(with_keys(events, reading), wanted, span)
            found.update(key for event in carriers for key in event.keys)
            if page.missing:
                sentence = f"Records may be missing from the look-up: {page.missing}"
                remarks.append(Remark(settings.source, "partial-answer", sentence))
            if carriers:
                extras = BatchExtras(bytes_read=page.wire_bytes)
                yield batch_of(settings.source, carriers, extras)
        if not sweep.done:
            sentence = "The look-up was cut: more records hold these words than may be read"
            remarks.append(Remark(settings.source, "cut", sentence))
    missing = sorted(wanted - found)
    # Keys that stand in the text alone are found only where the text is indexed by its words. And
    # a key of which nothing was found may stand in a field that is not indexed: not claimed.
    whole = candidates is not None and not remarks and bool(settings.reading.fields.messages)
    held = tuple(sorted(wanted & found)) if whole else ()
    asked = (Asked(settings.source, span.start, span.end, held),) if held else ()
    if missing or remarks or asked:
        yield _closing(settings, missing, remarks, asked)


def _carriers(events: Sequence[Event], wanted: set[str], span: Window) -> list[Event]:
    return [
        event
        for event in events
        if span.contains(event.timestamp) and not wanted.isdisjoint(event.keys)
    ]


def _closing(
    settings: Settings, missing: list[str], remarks: list[Remark], asked: tuple[Asked, ...]
) -> Batch:
    """Looked for and not found, with the instant of looking."""
    now = time.time_ns()
    coverage: tuple[Coverage, ...] = ()
    if missing:
        named = ", ".join(missing[:NAMED_KEYS])
        sentence = f"{named}: no record of {settings.index} carries it within the time searched"
        remarks.append(Remark(settings.source, "not-found", sentence, len(missing)))
        coverage = (Coverage(settings.source, now, now + 1, Sight.NOW_ONLY, sentence),)
    return batch_of(settings.source, (), BatchExtras(coverage, tuple(remarks), asked=asked))
