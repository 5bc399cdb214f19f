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
from tui.header_words import action_fits, action_pieces, blind_pieces
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

NARROW_TALL = 30
"""From this many rows on, a narrow terminal has a second line for what is next and what was blind.
Below it trust stands beside what was blind where what is next needs two."""

NEXT, BLIND = "Next: ", "Blind: "
BLIND_LINES = 2
TRUST_SHARE_PERCENT = 40
"""Share of one line that trust may take when it has to stand beside what was blind."""

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
        return 8 if height >= NARROW_TALL else 6 if height >= 24 else 4
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
        (badge, instant[:1], short_onset, condition, live),
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
    """Headline, next, blind, trust in exactly `height` lines; the headline gives way last.

    Where what is next needs the room, trust stands beside what was blind.
    """
    headline = _headline(state, width, most=max(height - 2, 1))
    room = height - len(headline)
    action = state.analysis.next_action if state.analysis else ""
    blind = _blind(state)
    beside = bool(blind) and room > 1 and not action_fits(action, width - len(NEXT), room - 2)
    said = _next(action, width, (room if beside else room - 1) - bool(blind))
    lines = [*headline, *said]
    if beside:
        lines.append(_blind_and_trust(state, blind, width))
        return _filled(lines, height)
    left = room - 1 - len(said)
    lines += _blind_lines(blind, width, left)
    lines = _filled(lines, height - 1)
    return [*lines, _trust(state, width)] if len(lines) < height else lines


def _filled(lines: list[Line], height: int) -> list[Line]:
    return [*lines[:height], *([] for _ in range(height - len(lines)))]


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


def _blind(state: ScreenState) -> list[str]:
    coverage = state.analysis.blind if state.analysis else _coverage(state)
    return [_undated(words, state) for words in blind_words(coverage, state.statuses)]


def _blind_lines(phrases: Sequence[str], width: int, room: int) -> list[Line]:
    if not phrases or room < 1:
        return []
    pieces = blind_pieces(phrases, width - len(BLIND), min(room, BLIND_LINES))
    return _labelled((BLIND, "warning"), pieces)


def _blind_and_trust(state: ScreenState, phrases: Sequence[str], width: int) -> Line:
    """Both on one line: trust keeps what it needs up to its share, what was blind the rest."""
    trust = _trust(state, width * TRUST_SHARE_PERCENT // 100)
    trust = trust[1:] or trust  # its words tell what it is
    (line,) = _blind_lines(phrases, width - width_of(trust) - 3, 1)
    return joined([line, trust])


def _next(action: str, width: int, room: int) -> list[Line]:
    """What to do, to its last word where there is room."""
    if not action:
        return []
    return _labelled((NEXT, "info"), action_pieces(action, width - len(NEXT), room))


def _labelled(label: Piece, pieces: Sequence[str]) -> list[Line]:
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
