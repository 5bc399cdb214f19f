"""Which rows make a timeline that a person pastes: few, in time order, repeats collapsed.

The proofs' steps come first, round by round so that no finding crowds out another; then changes,
notes and gaps; then the first of each kind of error. Rows that the person marked always stay.
Polars does the counting; at most a few dozen events become objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, TypeAlias

import polars as pl

from timeline.clean import LINE_BREAK
from timeline.event import SEVERITY_ERROR, Event, Kind, Lane
from timeline.export.document import Place
from timeline.words import FAILED_KINDS

if TYPE_CHECKING:
    from timeline.finding import Finding
    from timeline.incident import Incident

ROWS_SHOWN = 13
"""What fits one look in a postmortem; generated timelines of hundreds of rows go unread. With the
rows for T and the recovery it makes fifteen."""
ERROR_ROWS = 6
"""Most rows spent on kinds of errors that no finding cites."""
TEMPLATE_LENGTH = 160
"""Characters of a message that decide whether two are of one kind."""
MOST_ROWS = 20_000
"""Of all records, told on demand: more fill no document that anybody reads; a bundle holds them."""
NEAREST_BESIDE = 200
"""Changes, notes and gaps looked at before the nearest to T are chosen."""

_VARIABLE = r"[0-9A-Fa-f-]{12,}|0x[0-9A-Fa-f]+|[0-9]+"

Identity: TypeAlias = tuple[str, str, Kind, int]


@dataclass(frozen=True, slots=True)
class Pick:
    """One chosen row: the events it cites and how many like it there are in the window."""

    events: tuple[Event, ...]
    repeats: int = 1
    repeats_span: int = 0
    """From the first to the last of the repeats, ns."""
    place: Place = Place.FIRST

    @property
    def event(self) -> Event:
        return self.events[0]


def picks(
    incident: Incident, findings: Sequence[Finding], marked: Sequence[Event], onset: int | None
) -> tuple[Pick, ...]:
    """The rows to show, in total order."""
    chosen = {identity(event): event for event in marked}
    _fill(chosen, _steps_by_rounds(findings))
    _fill(chosen, _beside_the_work(incident))
    ordered = sorted(chosen.values(), key=total_order)
    kinds = _kinds_of_error(incident)
    templates = _templates_of(ordered)
    counted = _with_repeats(ordered, templates, kinds)
    room = min(max(ROWS_SHOWN - len(counted), 0), ERROR_ROWS)
    shown = {(event.source, text) for event, text in zip(ordered, templates, strict=True)}
    counted.extend(_first_errors(incident, kinds, shown, onset, room))
    return tuple(_collapsed(sorted(counted, key=lambda pick: total_order(pick.event))))


def every_row(incident: Incident) -> tuple[Pick, ...]:
    """All records of the window in total order, each a row; of too many those nearest to T."""
    snapshot, window = incident.snapshot, incident.window
    first, last = snapshot.position_at(window.start), snapshot.position_at(window.end)
    if last - first > MOST_ROWS:
        pin = snapshot.position_at(window.pin)
        first = min(max(pin - MOST_ROWS // 2, first), last - MOST_ROWS)
        last = first + MOST_ROWS
    return tuple(Pick((event,)) for event in snapshot.in_order(first, last - first))


def identity(event: Event) -> Identity:
    """One record may tell several transitions: source and reference do not name an event alone."""
    return (event.source, event.ref, event.kind, event.timestamp)


def total_order(event: Event) -> tuple[int, str, int, str, str]:
    """The order of screen and store: (timestamp, source, seq, ref), then the kind."""
    return (event.timestamp, event.source, event.seq, event.ref, event.kind.value)


def _fill(chosen: dict[Identity, Event], more: Iterable[Event]) -> None:
    for event in more:
        if len(chosen) >= ROWS_SHOWN:
            return
        chosen.setdefault(identity(event), event)


def _steps_by_rounds(findings: Sequence[Finding]) -> Iterator[Event]:
    """First steps of all findings, then second steps, and so on; routine findings wait."""
    for wanted in (False, True):
        told = [finding.steps for finding in findings if finding.qualifier is wanted]
        for steps in zip_longest(*told):
            yield from (step.event for step in steps if step is not None)


def _beside_the_work(incident: Incident) -> list[Event]:
    """Changes, notes and gaps inside the window, those nearest T first."""
    beside = (
        (pl.col("lane") == Lane.CHANGE.value)
        | (pl.col("lane") == Lane.NOTE.value)
        | (pl.col("kind") == Kind.GAP.value)
    )
    rows = incident.snapshot.where(_inside(incident) & beside).tail(NEAREST_BESIDE).to_list()
    pin = incident.window.pin
    events = incident.snapshot.events_at(rows)
    return sorted(events, key=lambda event: (abs(event.timestamp - pin), total_order(event)))


def _inside(incident: Incident) -> pl.Expr:
    window = incident.window
    return pl.col("timestamp").is_between(window.start, window.end, closed="left")


def _template(body: pl.Expr) -> pl.Expr:
    """What is left of a message without its numbers and ids; equal for one kind of message."""
    first_line = body.str.extract(f"^([^{LINE_BREAK}]*)", 1).fill_null("")
    return first_line.str.slice(0, TEMPLATE_LENGTH).str.replace_all(_VARIABLE, "#")


def _templates_of(events: Sequence[Event]) -> list[str]:
    bodies = pl.DataFrame({"body": [event.body for event in events]}, schema={"body": pl.String})
    return bodies.select(_template(pl.col("body"))).to_series().to_list()


def _kinds_of_error(incident: Incident) -> pl.DataFrame:
    """One line per (source, template) of the window's errors: row, first and last (ns), count."""
    failed = pl.col("severity_number") >= SEVERITY_ERROR
    for kind in FAILED_KINDS:
        failed |= pl.col("kind") == kind.value
    rows = incident.snapshot.where(_inside(incident) & failed)
    lines = incident.snapshot.events.select("timestamp", "source", "body")[rows]
    return (
        lines.with_columns(pl.col("source").cast(pl.String), rows.alias("row"))
        .group_by("source", _template(pl.col("body")).alias("template"), maintain_order=True)
        .agg(
            pl.col("row").first(),
            pl.col("timestamp").first().alias("first"),
            pl.col("timestamp").last().alias("last"),
            pl.len().alias("count"),
        )
    )


def _with_repeats(
    ordered: Sequence[Event], templates: Sequence[str], kinds: pl.DataFrame
) -> list[Pick]:
    """Each event with the number of its kind; the earliest shown carries it, and the very last."""
    counts = {(source, text): rest for source, text, _, *rest in kinds.iter_rows()}
    counted: set[tuple[str, str]] = set()
    found: list[Pick] = []
    for event, template in zip(ordered, templates, strict=True):
        kind = (event.source, template)
        first, last, count = counts.get(kind, (0, 0, 1))
        place = Place.FIRST if event.timestamp == first else Place.BETWEEN
        if count == 1 or (kind in counted and event.timestamp != last):
            found.append(Pick((event,)))
        else:
            place = Place.LAST if kind in counted else place
            found.append(Pick((event,), count, last - first, place))
        counted.add(kind)
    return found


def _first_errors(
    incident: Incident,
    kinds: pl.DataFrame,
    shown: set[tuple[str, str]],
    onset: int | None,
    room: int,
) -> list[Pick]:
    """First rows of kinds not shown yet: those that began with the onset first, then the most."""
    since = incident.window.start if onset is None else onset
    ranked = kinds.sort(
        pl.col("first") >= since, "count", "first", "row", descending=[True, True, False, False]
    )
    fresh = [line for line in ranked.iter_rows() if (line[0], line[1]) not in shown][:room]
    events = incident.snapshot.events_at([line[2] for line in fresh])
    return [
        Pick((event,), count, last - first)
        for event, (_, _, _, first, last, count) in zip(events, fresh, strict=True)
    ]


def _collapsed(ordered: Sequence[Pick]) -> list[Pick]:
    """Neighbours in which one actor says the same of the same keys become one row."""
    kept: list[Pick] = []
    previous: tuple[object, ...] | None = None
    templates = _templates_of([pick.event for pick in ordered])
    for pick, template in zip(ordered, templates, strict=True):
        event = pick.event
        said = (event.source, event.actor, event.kind, template, event.keys)
        if said == previous:
            kept[-1] = _joined(kept[-1], pick)
        else:
            kept.append(pick)
        previous = said
    return kept


def _joined(first: Pick, second: Pick) -> Pick:
    events = first.events + second.events
    span = events[-1].timestamp - events[0].timestamp
    return replace(
        first,
        events=events,
        repeats=max(first.repeats, len(events)),
        repeats_span=max(first.repeats_span, span),
    )
