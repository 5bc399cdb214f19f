"""The incident as plain text: for pipes, CI logs, screen readers and terminals that are none.

Says what the screen says in the same words and order: state and sentence, findings with their
steps, what could not be seen, and the rows that matter. Redacted like every way out; deterministic:
it knows no "now". Width is counted in terminal cells.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import polars as pl

from timeline.clean import LINE_BREAK
from timeline.event import SEVERITY_ERROR, Event
from timeline.export.contract import ExportOptions
from timeline.export.publish import redactor_for
from timeline.story import story_of
from timeline.summary import (
    blind_words,
    common_words,
    empty_words,
    outside_words,
    state_words,
    trust_words,
    victims_words,
)
from timeline.words import (
    LANE_WORDS,
    clock_face,
    count_of,
    day,
    order_glyph,
    order_words,
    signed_distance,
    span_words,
    wall_time,
    what_word,
    window_words,
)

if TYPE_CHECKING:
    from timeline.analysis import Analysis
    from timeline.finding import Finding, Step
    from timeline.incident import Incident
    from timeline.progress import SourceStatus

DEFAULT_WIDTH = 100
DEFAULT_ROWS = 40
"""Rows of the timeline: about one screen, enough to see what surrounds T and the onset."""
ERROR_SHARE = 4
"""One row in four may go to the errors nearest T, wherever in the window they are."""
STORY_LINKS = 4
"""Requests and jobs named in the heading of a story."""
ACTOR_CELLS = 14
LEAST_BODY = 12
"""Cells of a body that matter more than the count of its further lines."""
NARROWEST = 40
"""Text is wrapped for at least this width."""


Redact: TypeAlias = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class PlainOptions:
    """How wide, how long, and in which signs. `redacted` is off only when the person said so."""

    width: int = DEFAULT_WIDTH
    rows: int = DEFAULT_ROWS
    ascii_only: bool = False
    redacted: bool = True
    key: str = ""
    """A key whose whole story is told before the timeline."""
    leaving: ExportOptions = field(default_factory=ExportOptions)
    """The team's own redaction; nothing else of it is looked at."""


def render_plain(
    incident: Incident,
    analysis: Analysis | None,
    statuses: Sequence[SourceStatus] = (),
    options: PlainOptions | None = None,
) -> str:
    """Header, findings, limits and timeline as text that ends with a line break.

    `analysis` is None while nothing was analysed: the text says so. Equal input gives equal text.
    """
    options = options or PlainOptions()
    redact: Redact = redactor_for(options.leaving).text if options.redacted else str
    lines = [
        *_header(incident, analysis, statuses),
        "",
        *_findings(incident, analysis, options),
        *(_story(incident, options, redact) if options.key else ()),
        *_as_read(incident),
        "",
        *_timeline(incident, analysis, statuses, options, redact),
    ]
    width = max(options.width, NARROWEST)
    wrapped = (part for line in lines for part in _wrapped(redact(line), width))
    text = "\n".join(part.rstrip() for part in wrapped) + "\n"
    return _in_ascii(text) if options.ascii_only else text


def _header(
    incident: Incident, analysis: Analysis | None, statuses: Sequence[SourceStatus]
) -> list[str]:
    pin = incident.window.pin
    first = [incident.environment, f"T {day(pin)} {clock_face(pin)}Z"]
    if analysis is not None:
        first += [_onset(analysis, pin), state_words(analysis.state)]
        first.append(victims_words(analysis.state))
    first.append(f"window {window_words(incident.window)}")
    coverage = analysis.blind if analysis else incident.snapshot.coverage.blind()
    blind = blind_words(coverage, statuses)
    trust = [word for word in (outside_words(incident), *trust_words(incident)) if word]
    common = common_words(analysis) if analysis else []
    told = [
        "   ".join(part for part in first if part),
        analysis.headline if analysis else "Not analysed.",
        f"Common to what was hit: {'; '.join(common)}" if common else "",
        f"Next: {analysis.next_action}" if analysis and analysis.next_action else "",
        f"Blind: {'; '.join(blind)}" if blind else "",
        "Trust: " + " \u00b7 ".join(trust),
    ]
    return [line for line in told if line]


def _onset(analysis: Analysis, pin: int) -> str:
    if analysis.onset is None:
        return "no onset found"
    sign = "-" if analysis.onset < pin else "+"
    return f"onset {clock_face(analysis.onset)} ({sign}{span_words(analysis.onset - pin)})"


def _findings(
    incident: Incident, analysis: Analysis | None, options: PlainOptions
) -> Iterable[str]:
    if analysis is None:
        return
    yield "FINDINGS" if analysis.findings else "No finding."
    for number, finding in enumerate(analysis.findings, 1):
        yield f"{number:>2} {finding.verdict.value:<9} {finding.sentence()}"
        yield f"     {finding.term}; why {finding.verdict.value}: {finding.weakest_link}"
        yield from _steps(finding, incident.window.pin, options)
        for figure in finding.figures:
            yield f"     {figure}"
        if finding.assumes:
            yield f"     assuming: {'; '.join(finding.assumes)}"
        for sentence in finding.would_decide:
            yield f"     to decide it: {sentence}"
        if finding.next_action:
            yield f"     next: {finding.next_action}"
    for skipped in analysis.not_evaluated:
        yield f" - {skipped.sentence()}"


def _steps(finding: Finding, pin: int, options: PlainOptions) -> Iterable[str]:
    for number, step in enumerate(finding.steps, 1):
        glyph = order_glyph(step.order, ascii_only=options.ascii_only)
        event = step.event
        stamp = wall_time(event.timestamp, event.precision)
        distance = signed_distance(event.timestamp - pin, event.precision)
        actor = event.actor or event.source
        reason = f" [{order_words(step.order)}]" if step.order else ""
        yield f"     {number} {glyph:<2} {stamp}  {distance}  {actor}  {_told(step)}{reason}"


def _told(step: Step) -> str:
    return f"{step.role}: {step.why}"


def _story(incident: Incident, options: PlainOptions, redact: Redact) -> Iterable[str]:
    """What is known about one key, and what cannot be known."""
    story = story_of(incident, options.key)
    yield ""
    linked = f", with {', '.join(story.links[:STORY_LINKS])}" if story.links else ""
    yield f"STORY of {options.key} (UTC, {count_of(len(story.events), 'row')}{linked})"
    today = ""
    for event in story.events:
        if day(event.timestamp) != today:
            today = day(event.timestamp)
            yield f"     {today}"
        yield _row(event, incident.window.pin, "", options.width, redact)
    yield from (f"     cannot be known: {entry.sentence()}" for entry in story.unknown)


def _as_read(incident: Incident) -> Iterable[str]:
    """What was assumed, lost or left out while reading, and the records without a time."""
    snapshot = incident.snapshot
    said = {remark.source for remark in snapshot.remarks if remark.topic == "undated"}
    undated = snapshot.undated.group_by("source", "reason").len().sort("source", "reason")
    told = [f" - {remark.source}: {remark.sentence}" for remark in snapshot.remarks]
    told += [
        f" - {source}: {count_of(count, 'record')} without a time: {reason}"
        for source, reason, count in undated.iter_rows()
        if source not in said
    ]
    if told:
        yield from ("", "AS READ", *told)


def _timeline(
    incident: Incident,
    analysis: Analysis | None,
    statuses: Sequence[SourceStatus],
    options: PlainOptions,
    redact: Redact,
) -> Iterable[str]:
    total = len(incident.snapshot)
    if not total:
        yield empty_words(incident, statuses)
        return
    cited = _cited(analysis)
    places = _places(incident, analysis, cited, options.rows)
    yield f"TIMELINE (UTC, {count_of(len(places), 'row')} of {total} shown, nearest T and evidence)"
    pin, before, today, passed = incident.window.pin, -1, "", False
    rows = incident.snapshot.order.gather(places).to_list()
    for place, event in zip(places, incident.snapshot.events_at(rows), strict=True):
        if not passed and event.timestamp >= pin:
            passed = True
            yield f"---- T {clock_face(pin)}Z ----"
        if place - before > 1:
            yield f"     ... {count_of(place - before - 1, 'row')} not shown"
        if day(event.timestamp) != today:
            today = day(event.timestamp)
            yield f"     {today}"
        yield _row(event, pin, cited.get(_identity(event), ""), options.width, redact)
        before = place
    if not passed:
        yield f"---- T {clock_face(pin)}Z ----"
    if before < total - 1:
        yield f"     ... {count_of(total - 1 - before, 'row')} not shown"


def _identity(event: Event) -> tuple[str, str, int]:
    return event.id, event.kind, event.timestamp


def _cited(analysis: Analysis | None) -> dict[tuple[str, str, int], str]:
    """`2.3` for the third step of the second finding, by event."""
    findings = analysis.findings if analysis else ()
    found: dict[tuple[str, str, int], str] = {}
    for number, finding in enumerate(findings, 1):
        for place, step in enumerate(finding.steps, 1):
            found.setdefault(_identity(step.event), f"{number}.{place}")
    return found


def _places(
    incident: Incident,
    analysis: Analysis | None,
    cited: dict[tuple[str, str, int], str],
    rows: int,
) -> list[int]:
    """Positions in total order: all evidence, then what is nearest to T and to the onset."""
    snapshot = incident.snapshot
    chosen: set[int] = set()
    for event_id, kind, timestamp in cited:
        first = snapshot.position_at(timestamp)
        count = snapshot.position_at(timestamp + 1) - first
        for place, event in enumerate(snapshot.in_order(first, count), first):
            if _identity(event) == (event_id, kind, timestamp):
                chosen.add(place)
    chosen.update(_worst(incident, rows // ERROR_SHARE))
    centres = [snapshot.position_at(incident.window.pin)]
    if analysis is not None and analysis.onset is not None:
        centres.append(snapshot.position_at(analysis.onset))
    reach = 0
    while len(chosen) < min(rows, len(snapshot)):
        for centre in centres:
            for place in (centre - 1 - reach, centre + reach):
                if 0 <= place < len(snapshot) and len(chosen) < rows:
                    chosen.add(place)
        reach += 1
    return sorted(chosen)


def _worst(incident: Incident, most: int) -> list[int]:
    """Positions of the errors nearest to T: what somebody looks for first."""
    snapshot = incident.snapshot
    errors = snapshot.where(pl.col("severity_number") >= SEVERITY_ERROR)
    far = (snapshot.events.get_column("timestamp").gather(errors) - incident.window.pin).abs()
    nearest = errors.gather(far.arg_sort()).head(most)
    return [snapshot.position_of(row) for row in nearest.to_list()]


def _row(event: Event, pin: int, cited: str, width: int, redact: Redact) -> str:
    """One event on one line; redacted before it is cut, for half a secret matches no rule."""
    stamp = wall_time(event.timestamp, event.precision)
    distance = signed_distance(event.timestamp - pin, event.precision)
    actor = _sized(redact(event.actor or event.source), ACTOR_CELLS)
    what = f"{LANE_WORDS[event.lane]:<6} {what_word(event):<7}"
    body, _, more = redact(event.body).partition(LINE_BREAK)
    lines = f"  +{count_of(more.count(LINE_BREAK) + 1, 'line')}" if more else ""
    head = f"{cited:<4} {stamp:<15} {distance:>8}  {actor} {what} "
    room = max(width, NARROWEST) - _cells(head) - len(lines)
    if room < LEAST_BODY:
        room, lines = room + len(lines), ""
    if _cells(body) > room > 1:
        body = _sized(body, room - 1) + "\u2026"
    return f"{head}{body}{lines}"


def _wrapped(line: str, width: int) -> list[str]:
    """`line` broken at spaces, later parts indented under the first one's text."""
    if _cells(line) <= width:
        return [line]
    text = line.lstrip(" ")
    indent = " " * (len(line) - len(text))
    parts: list[str] = []
    current = indent
    for word in text.split(" "):
        candidate = current + word if current.isspace() or not current else f"{current} {word}"
        if current.strip() and _cells(candidate) > width:
            parts.append(current)
            current = f"{indent}    {word}"
        else:
            current = candidate
    return [*parts, current]


def _cells(text: str) -> int:
    """Terminal cells of `text` (Unicode East Asian Width; combining marks take none)."""
    return len(text) if text.isascii() else sum(map(_cells_of, text))


def _cells_of(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def _sized(text: str, width: int) -> str:
    """`text` cut or padded to exactly `width` cells."""
    kept, room = [], width
    for character in text:
        room -= _cells_of(character)
        if room < 0:
            room += _cells_of(character)
            break
        kept.append(character)
    return "".join(kept) + " " * room


_SIGNS = str.maketrans({"\u00b7": "-", "\u00b1": "+-", "\u2026": "...", "\u2192": "->"})


def _in_ascii(text: str) -> str:
    return text.translate(_SIGNS).encode("ascii", "replace").decode("ascii")
