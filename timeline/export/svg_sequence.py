"""A proof drawn as a sequence diagram: actors as columns, steps as rows, order as arrows.

An arrow is solid and headed when the order is certain, dashed with an open head when likely, dotted
without a head when undecided, and crossed when the stamps say the opposite: it never rests on
colour. Times stand as recorded, each with the bound of its clock; gaps are not to scale and say so.
"""

from __future__ import annotations

import textwrap

from timeline.export import svg_ink as ink
from timeline.export.injection import ELLIPSIS, clip, one_line
from timeline.export.markup import NOTHING, Markup, tag, together, told
from timeline.export.sequence import Actor, Beat, Sequence
from timeline.export.times import from_pin
from timeline.words import count_of, day, span_words, wall_time

WIDTH = 1140
_NUMBER, _SIGN, _TIME, _FROM, _COLUMNS = 22, 32, 52, 268, 284
"""Left edges; the number and the distance from T end where theirs is."""
_WORDS = 380
"""Room that the sentence at the right should have."""
_NARROWEST, _WIDEST = 84, 120
_HEAD, _STEP, _GAP = 46, 40, 26
_CHARACTER = 6.7
"""Points of one character at the small size, on average."""
_TINY = 11
SIGNS = {"certain": "→", "likely": "⇢", "possible": "~", "contradicted": "✗"}
"""How a step follows the one before it, as on the screen."""
_LEGEND = (
    "→ certain   ⇢ likely   ~ undecided   ✗ contradicted by the stamps   ▲ failed   "
    "┊ time between, not to scale"
)


def sequence(found: Sequence, pin: int, name: str) -> Markup:
    """The diagram as an `svg` element whose ids begin with `name`."""
    first = day(found.beats[0].moment.timestamp)
    middles = _middles(len(found.actors))
    drawn, y = [_heads(found, middles, first)], float(_HEAD)
    for number, beat in enumerate(found.beats, 1):
        if beat.gap:
            drawn.append(_gap(beat.gap, middles, y))
            y += _GAP
        came_from = found.beats[number - 2].actor if number > 1 else beat.actor
        drawn.append(_lifelines(middles, y, _STEP))
        drawn.append(_lead(number, beat, pin, first, y))
        drawn.append(_arrow(beat, middles[came_from], middles[beat.actor], y + 16))
        drawn.append(_sentence(beat, middles, y + 20))
        y += _STEP
    for said in _below(found):
        y += 18
        drawn.append(ink.words(_SIGN, y, told(said), colour=ink.FAINT))
    height = y + 10
    who = ", ".join(actor.name for actor in found.actors)
    said = f"{count_of(len(found.beats), 'step')} between {who}"
    return tag(
        "svg", tag("title", told(said), id=f"{name}-title"), *drawn,
        viewBox=f"0 0 {WIDTH} {height:.0f}", role="img", aria_labelledby=f"{name}-title",
        font_family=ink.FONT,
    )  # fmt: skip


def _middles(actors: int) -> list[float]:
    """Where the lifelines stand."""
    wide = min(max((WIDTH - _COLUMNS - _WORDS) / actors, _NARROWEST), _WIDEST)
    return [_COLUMNS + wide * (place + 0.5) for place in range(actors)]


def _heads(found: Sequence, middles: list[float], date: str) -> Markup:
    room = int((middles[1] - middles[0]) / (_CHARACTER + 0.9))
    drawn = [
        ink.words(_TIME, 16, told("Time (UTC)"), weight="bold"),
        ink.words(_TIME, 31, told(date), colour=ink.FAINT),
        ink.words(_FROM, 16, told("from T"), anchor="end", weight="bold"),
    ]
    for actor, x in zip(found.actors, middles, strict=True):
        named = told(_middle_cut(actor.name, room))
        drawn.append(ink.words(x, 16, named, anchor="middle", weight="bold"))
        drawn.append(ink.words(x, 31, _lane(actor), anchor="middle", colour=ink.FAINT))
    return together(drawn)


def _lane(actor: Actor) -> Markup:
    return told(actor.lane) if actor.lane else NOTHING


def _middle_cut(name: str, room: int) -> str:
    """The end is kept: numbered workers differ there."""
    if len(name) <= room:
        return name
    end = (room - 1) // 2
    return f"{name[: room - 1 - end]}…{name[len(name) - end :]}"


def _lifelines(middles: list[float], y: float, height: float, dashes: str = "none") -> Markup:
    return together(
        ink.line(x, y, x, y + height, colour=ink.FAINT, width=0.8, dashes=dashes) for x in middles
    )


def _gap(gap: int, middles: list[float], y: float) -> Markup:
    said = f"┊ {span_words(gap)}{'' if gap > 0 else ' back'}"
    words = ink.words(_TIME, y + 17, told(said), colour=ink.FAINT)
    return together((_lifelines(middles, y, _GAP, "2 4"), words))


def _lead(number: int, beat: Beat, pin: int, first: str, y: float) -> Markup:
    """Number, how it follows, time and distance; below them its clock, and its day when another."""
    moment = beat.moment
    stamp = wall_time(moment.timestamp, moment.precision)
    date = day(moment.timestamp)
    below = f"clock {beat.clock}" if date == first else f"{date}, clock {beat.clock}"
    sign = told(SIGNS[beat.order]) if beat.order is not None else NOTHING
    return together((
        ink.words(_NUMBER, y + 20, told(str(number)), anchor="end", colour=ink.FAINT),
        ink.words(_SIGN, y + 20, sign, weight="bold"),
        ink.words(_TIME, y + 20, told(stamp)),
        ink.words(
            _FROM, y + 20, told(from_pin(moment.timestamp - pin, moment.precision)), anchor="end"
        ),
        ink.words(_TIME, y + 34, told(clip(below, 40)), size=_TINY, colour=ink.FAINT),
    ))  # fmt: skip


def _sentence(beat: Beat, middles: list[float], y: float) -> Markup:
    """What the step is, beside the columns in two lines, and a link to its record at the edge."""
    x = middles[-1] + (middles[1] - middles[0]) / 2 + 8
    who = f"{beat.who}: " if beat.who else ""
    said = f"{who}{beat.role}: {beat.why}" if beat.why else f"{who}{beat.role}"
    room = int((WIDTH - x - 44) / _CHARACTER)
    record = tag("a", told(beat.cites), href=f"#{beat.cites}")
    link = tag(
        "text", record, class_="link", x=WIDTH - 4, y=y, fill=ink.DEPTH, font_size=ink.SMALL,
        text_anchor="end", font_weight="normal",
    )  # fmt: skip
    lines = textwrap.wrap(one_line(said), room, max_lines=2, placeholder=ELLIPSIS)
    first, second = (*lines, "", "")[:2]  # always both: no text from outside adds an element
    return together((ink.words(x, y, told(first)), ink.words(x, y + 14, told(second)), link))


def _arrow(beat: Beat, start: float, end: float, y: float) -> Markup:
    """The step's sign on its lifeline, and an arrow to it from where the step before it was."""
    drawn = [_sign(beat, end, y)]
    if start != end and beat.order is not None:
        towards = 1 if start < end else -1
        tip = end - towards * 8
        dashes = {"likely": "6 4", "possible": "1.5 4"}.get(beat.order, "none")
        drawn.append(ink.line(start, y, tip, y, width=1.6, dashes=dashes))
        drawn.append(_head(beat.order, tip, y, towards))
    return together(drawn)


def _sign(beat: Beat, x: float, y: float) -> Markup:
    if beat.is_failed:
        return ink.shape(f"M{x:.0f} {y - 7:.0f}l7 12h-14z", colour=ink.ERROR)
    return ink.shape(f"M{x - 5:.0f} {y:.0f}a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z", colour=ink.DEPTH)


def _head(order: str, x: float, y: float, towards: int) -> Markup:
    if order == "possible":
        return NOTHING
    if order == "contradicted":
        x -= towards * 6
        cross = f"M{x - 5:.1f} {y - 5:.1f}l10 10M{x - 5:.1f} {y + 5:.1f}l10 -10"
        return ink.outline(cross, colour=ink.INK, width=2)
    path = (
        f"M{x - towards * 8:.1f} {y - 4.5:.1f}L{x:.1f} {y:.1f}L{x - towards * 8:.1f} {y + 4.5:.1f}"
    )
    if order == "likely":
        return ink.outline(path, colour=ink.INK, width=1.6)
    return ink.shape(f"{path}z", colour=ink.INK)


def _below(found: Sequence) -> list[str]:
    """How to read it, who shares the last column, what is not drawn."""
    said = [_LEGEND]
    if found.folded:
        said.append(clip(f"{count_of(len(found.folded), 'other')}: {', '.join(found.folded)}", 150))
    if found.left_out:
        said.append(f"and {count_of(found.left_out, 'more step')}, in the table below")
    return said
