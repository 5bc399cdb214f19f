"""The first lines: where, T, onset, state; the sentence; what next and what was blind; trust.

Pure drawing over `ScreenState`. The height depends on the terminal alone, so that arriving
answers never push the rows down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from timeline.summary import (
    blind_words,
    empty_words,
    outside_words,
    state_words,
    trust_words,
    victims_words,
)
from timeline.words import REACHING, age, clock_face, day, span_words, window_words
from tui.pieces import Line, Piece, cut, fit, joined, width_of, wrap
from tui.waiting import reading_words
from tui.zones import short_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from timeline.coverage import Coverage
    from tui.glyphs import Glyphs
    from tui.state import ScreenState
    from tui.theme import Role

WIDE = 100
"""From this many columns on, lanes and findings stand side by side (80 columns must still work)."""
TALL = 32
"""From this many rows on, what is next and what was blind have a line each."""

NEXT_SHARE_PERCENT = 55
"""Share of one line that "next" keeps when "blind" has to stand beside it."""

_CONDITION_ROLES: dict[str, Role] = {
    "still failing": "error",
    "recovered": "success",
    "quiet": "success",
    "unknown": "warning",
}
"""By the value of a `Condition`: the analysis is not loaded for the first frame."""


def header_height(width: int, height: int) -> int:
    """Lines of the header on a terminal of this size."""
    if height < 16:
        return 3
    if width < WIDE:
        return 6 if height >= 24 else 4
    return 6 if height >= TALL else 5


def header_lines(state: ScreenState, width: int, height: int, glyphs: Glyphs) -> list[Line]:
    """Exactly `header_height` lines, each as wide as the terminal."""
    inner = width - 2
    ruled = width >= WIDE
    body = header_height(width, height) - 1 - ruled
    lines = [_first(state, inner), *_body(state, inner, body)]
    drawn: list[Line] = [fit([(" ", "text"), *line], width) for line in lines]
    if ruled:
        drawn.append([(glyphs.rule * width, "faint")])
    return drawn


def _first(state: ScreenState, width: int) -> Line:
    """Environment, T with its age, onset, state, victims, window; the least needed leave first."""
    pin = state.window.pin
    date = "" if day(pin) == day(state.now()) else f"{day(pin)} "
    badge: Line = [(f" {state.place} ", "badge")] if state.place else []
    zone = state.zones.shown
    beside = age(state.now() - pin) if zone is None else f"UTC | {short_name(zone, pin)}"
    instant: Line = [(f"T {date}{clock_face(pin)}Z", "pin"), (f" {beside}", "dim")]
    title: Line = [(state.title, "strong")]
    window: Line = [("window ", "dim"), (window_words(state.window), "text")]
    live: Line = [("live", "accent")] if state.live else []
    onset, short_onset, condition = _onset(state), _onset(state)[:2], _condition(state)
    choices: tuple[Sequence[Line], ...] = (
        (badge, title, instant, onset, condition, _victims(state), _shared(state), window, live),
        (badge, title, instant, onset, condition, _victims(state), window, live),
        (badge, title, instant, onset, condition, window, live),
        (badge, instant, onset, condition, window, live),
        (badge, instant, onset, condition, live),
        (badge, instant, short_onset, condition, live),
    )
    for parts in choices:
        for gap in ("   ", "  "):
            line = joined(parts, gap)
            if width_of(line) <= width:
                return line
    return line


def _onset(state: ScreenState) -> Line:
    if state.analysis is None:
        return []
    onset = state.analysis.onset
    if onset is None:
        return [("no onset found", "dim")] if state.ended else []
    distance = onset - state.window.pin
    sign = "-" if distance < 0 else "+"
    return [
        ("onset ", "dim"),
        (clock_face(onset), "accent"),
        (f" ({sign}{span_words(distance)})", "dim"),
    ]


def _condition(state: ScreenState) -> Line:
    parts: list[Piece] = []
    if state.analysis is not None:
        condition = state.analysis.state.condition
        parts.append((state_words(state.analysis.state), _CONDITION_ROLES[condition.value]))
    if not state.ended:
        count = len(state.statuses)
        progress = f"{state.answered} of {count} answered" if count else "reaching the sources"
        if count and state.answered == count:
            progress = "looking up keys"
        parts.append((f", {progress}" if parts else progress, "accent"))
    return parts


def _victims(state: ScreenState) -> Line:
    words = victims_words(state.analysis.state) if state.analysis else ""
    return [(words, "text")] if words else []


def _shared(state: ScreenState) -> Line:
    """What most of those that were hit have in common, where the line is long enough to say it."""
    if state.analysis is None or not state.analysis.common:
        return []
    trait = state.analysis.common[0]
    return [(f"{trait.victims_with} of {trait.victims} hit: {trait.trait} {trait.value}", "text")]


def _body(state: ScreenState, width: int, height: int) -> list[Line]:
    """Headline, next, blind, trust in exactly `height` lines; the headline gives way last."""
    headline = _headline(state, width, most=max(height - 2, 1))
    room = height - len(headline) - 1
    lines = [*headline, *_next_and_blind(state, width, room)]
    lines += [[] for _ in range(height - 1 - len(lines))]
    if len(lines) < height:
        lines.append(_trust(state, width))
    return lines[:height]


def _headline(state: ScreenState, width: int, most: int) -> list[Line]:
    marker: Line = [(" changed ", "badge"), (" ", "text")] if state.headline_is_new else []
    pieces = wrap(headline(state), width - width_of(marker))
    if len(pieces) > most:
        pieces = [*pieces[: most - 1], cut(" ".join(pieces[most - 1 :]), width)]
    lines: list[Line] = [[(piece, "strong")] for piece in pieces]
    lines[0] = [*marker, *lines[0]]
    return lines


def headline(state: ScreenState) -> str:
    """Line one: what most likely happened, or how far the collection is."""
    if state.statuses and len(state.failed) == len(state.statuses):
        return "No source answered. Press s to see why and what to do."
    incident = state.incident
    if incident is not None and state.ended and not len(incident.snapshot):
        return empty_words(incident, state.statuses)
    if state.analysis is not None and state.analysis.headline:
        return state.analysis.headline
    if reading := reading_words(state.statuses):
        return reading
    return "Collected; looking for what happened." if state.statuses else REACHING


def _next_and_blind(state: ScreenState, width: int, room: int) -> list[Line]:
    action = state.analysis.next_action if state.analysis else ""
    coverage = state.analysis.blind if state.analysis else _coverage(state)
    blind = "; ".join(blind_words(coverage, state.statuses))
    second: Line = [("Blind: ", "warning"), (_undated(blind, state), "text")] if blind else []
    if room == 1 and action and second:
        share = max(width - width_of(second) - 3, width * NEXT_SHARE_PERCENT // 100)
        first = _next(action, share, 1)[0]
        return [joined([fit(first, min(share, width_of(first))), second])]
    said = _next(action, width, room - 1 if second else room)
    return [*said, *([second] if second else [])][: max(room, 0)]


def _next(action: str, width: int, room: int) -> list[Line]:
    """What to do, to its last word where there is room; ids are abridged before words are cut.

    The proof names every id in full.
    """
    if not action:
        return []
    label: Piece = ("Next: ", "info")
    pieces = wrap(action, width - len(label[0]))
    if len(pieces) > max(room, 1):
        from timeline.facts.words import abridged

        pieces = wrap(abridged(action), width - len(label[0]))
    if len(pieces) > max(room, 1):
        return [[label, (abridged(action), "text")]]
    return [
        [label if number == 0 else (" " * len(label[0]), "text"), (piece, "text")]
        for number, piece in enumerate(pieces)
    ]


def _undated(words: str, state: ScreenState) -> str:
    """`words` without the date of T, which the first line tells; other dates stay."""
    return words.replace(f"{day(state.window.pin)} ", "")


def _coverage(state: ScreenState) -> tuple[Coverage, ...]:
    return state.incident.snapshot.coverage.blind() if state.incident else ()


def _trust(state: ScreenState, width: int) -> Line:
    """One line that says how far the rows themselves can be believed."""
    if state.incident is None:
        return [("Trust: nothing read completely yet", "faint")]
    outside = outside_words(state.incident)
    words = " \u00b7 ".join(trust_words(state.incident))
    warning: Line = [(f"{outside} \u00b7 ", "warning")] if outside else []
    return [("Trust: ", "dim"), *warning, (cut(words, width - 7 - width_of(warning)), "dim")]
