"""The story of one key on one page: requests, rows, jobs, effects, and what cannot be known.

Pure drawing over `timeline.chapters.Chapters`. The steps themselves are the rows that are followed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from timeline.chapters import told_first
from timeline.clean import LINE_BREAK, clean
from timeline.words import clock_face, count_of, signed_distance, span_words, wall_time
from tui.pieces import Line, fit, padded, paragraph, right
from tui.reader import Page

if TYPE_CHECKING:
    from timeline.chapters import Chapter, Chapters
    from timeline.event import Event
    from tui.theme import Role

TITLE: Line = [(" story ", "badge")]
STAMP_CELLS = 13
DISTANCE_CELLS = 10
KEY_CELLS = 26
ENDED_CELLS = 22
MOST_EFFECTS = 12
MOST_ERRORS = 6


def story_page(told: Chapters, pin: int, width: int) -> Page:
    """What happened to `told.key`, in the order request, row, job, effect."""
    first, last = told.events[0], told.events[-1]
    title: Line = [
        *TITLE,
        (f" {clean(told.key)}", "strong"),
        (f"  {count_of(len(told.events), 'record')}", "dim"),
        (
            f" from {clock_face(first.timestamp)}, {span_words(last.timestamp - first.timestamp)}",
            "dim",
        ),
    ]
    lines: list[Line] = [[], *paragraph(f"{told.sentence}.", width, "strong", first=" ")]
    lines += _chapters("requests", "no request names it", told.requests, pin, width)
    lines += _chapters("database rows", "no row of it was seen", told.rows, pin, width)
    lines += _chapters("jobs", "no job was seen", told.jobs, pin, width)
    lines += _effects(told, pin, width)
    lines += _errors(told.errors, pin, width)
    lines += [[], [(" what cannot be known", "info")]]
    for entry in told.unknown:
        span = f"{clock_face(entry.start)} to {clock_face(entry.end)}"
        lines += paragraph(f"{entry.sentence()}, {span}", width, "warning", first="   ")
    if not told.unknown:
        said = "Every source that could hold more was read completely since it began."
        lines += paragraph(said, width, "dim", first="   ")
    return Page(title, lines)


def _chapters(
    name: str, none: str, chapters: tuple[Chapter, ...], pin: int, width: int
) -> list[Line]:
    lines: list[Line] = [[], [(f" {name}", "info")]]
    if not chapters:
        return [*lines, [(f"   {none}", "dim")]]
    shown, left = told_first(chapters)
    for one in shown:
        begin, end = one.events[0], one.events[-1]
        ended: Role = "error" if one.outcome.well is False else "text"
        lasted = span_words(end.timestamp - begin.timestamp) if end is not begin else ""
        lines.append(
            fit(
                [
                    *_stamp(begin, pin),
                    (padded(clean(one.key), KEY_CELLS), "strong"),
                    (" ", "text"),
                    (padded(one.outcome.words, ENDED_CELLS), ended),
                    (right(lasted, 9), "dim"),
                    (f"  {begin.body.partition(LINE_BREAK)[0]}", "dim"),
                ],
                width,
            )
        )
    if left:
        lines.append([(f"   and {left} more; those that went wrong come first", "dim")])
    return lines


def _effects(told: Chapters, pin: int, width: int) -> list[Line]:
    lines: list[Line] = [[], [(" effects of its jobs", "info")]]
    if not told.effects:
        said = "none was seen" if told.jobs else "no job, so none is looked for"
        return [*lines, [(f"   {said}", "dim")]]
    for job, effect in told.effects[:MOST_EFFECTS]:
        distance = right(signed_distance(effect.at - pin), DISTANCE_CELLS)
        said = f"{effect.kind} {effect.what}" if effect.what != effect.kind else effect.what
        lines.append(
            fit(
                [
                    (f"   {padded(wall_time(effect.at), STAMP_CELLS)}", "text"),
                    (f"{distance}  ", "dim"),
                    (said, "strong"),
                    (f"  attempt {effect.attempt} of {clean(job)}", "dim"),
                    (f", {effect.verdict.value} by its {effect.joined}", "dim"),
                ],
                width,
            )
        )
    if len(told.effects) > MOST_EFFECTS:
        lines.append([(f"   and {len(told.effects) - MOST_EFFECTS} more", "dim")])
    return lines


def _errors(errors: tuple[Event, ...], pin: int, width: int) -> list[Line]:
    if not errors:
        return []
    lines: list[Line] = [[], [(" what went wrong", "info")]]
    for event in errors[:MOST_ERRORS]:
        said = event.body.partition(LINE_BREAK)[0]
        who = padded(event.actor or event.source, KEY_CELLS // 2)
        lines.append(fit([*_stamp(event, pin), (f"{who} ", "info"), (said, "error")], width))
    if len(errors) > MOST_ERRORS:
        lines.append([(f"   and {len(errors) - MOST_ERRORS} more", "dim")])
    return lines


def _stamp(event: Event, pin: int) -> Line:
    stamp = wall_time(event.timestamp, event.precision, 3)
    distance = signed_distance(event.timestamp - pin, event.precision)
    return [
        (f"   {padded(stamp, STAMP_CELLS)}", "text"),
        (f"{right(distance, DISTANCE_CELLS)}  ", "dim"),
    ]
