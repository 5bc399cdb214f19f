"""The lanes of the picture: density above the line, warnings and errors below it, what waited.

What went wrong stands *below* the line of its lane, so that it is seen without any colour; errors
are filled, warnings are outlines. What a source did not see is hatched. Each lane has two scales
of its own, one up and one down, and its figures stand beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from timeline.coverage import Sight
from timeline.event import Lane
from timeline.export import svg_ink as ink
from timeline.export.document import Band, Bar, Stretch
from timeline.export.injection import clip
from timeline.export.markup import NOTHING, Markup, number, tag, together, told
from timeline.export.svg_scale import LEFT, RIGHT, Scale
from timeline.words import LANE_WORDS, count_of, grouped, wall_time

LANE_HEIGHT = 58
UP = 32
"""Points of a lane above its line."""
DOWN = 16
"""Points of a lane below its line."""
LANES_SHOWN = 40
"""Lanes drawn; more no page holds. The rest is counted below them."""
NAME_CHARACTERS = 22
LEAST = 1.5
"""Points that one record is at least high: a single error must be seen."""


def lanes(bands: Sequence[Band], scale: Scale, top: float) -> tuple[Markup, float]:
    """Every lane from `top` downward, and where they end."""
    shown = [*bands[:LANES_SHOWN]]
    drawn = [_lane(band, scale, top + n * LANE_HEIGHT) for n, band in enumerate(shown)]
    bottom = top + len(shown) * LANE_HEIGHT
    if len(bands) > len(shown):
        more = count_of(len(bands) - len(shown), "more source")
        drawn.append(ink.words(LEFT, bottom + 14, told(f"and {more}, in the JSON export")))
        bottom += 20
    return together(drawn), bottom


def _lane(band: Band, scale: Scale, top: float) -> Markup:
    base = top + UP + 4
    called = told(clip(band.source, NAME_CHARACTERS))
    name = together((
        ink.words(8, base - 8, called, size=ink.NORMAL, weight="bold"),
        ink.words(8, base + 8, told(LANE_WORDS[band.lane]), colour=ink.FAINT),
    ))  # fmt: skip
    return tag(
        "g",
        tag("title", told(f"{band.source}: {'; '.join(figures(band))}")),
        NOTHING if band.marks else _density(band.bars, scale, base),
        _unseen(band.unseen, scale, top + 3),
        ink.line(LEFT, base, RIGHT, base, colour=ink.FAINT, width=0.7),
        _depth(band.waiting, scale, base),
        _marks(band, scale, base),
        name,
        *(ink.words(RIGHT + 10, base - 12 + 14 * n, told(said)) for n, said in
          enumerate(figures(band)[:3])),
        class_="lane",
    )  # fmt: skip


def figures(band: Band) -> list[str]:
    """What the lane shows, in words: records, what went wrong, what waited."""
    if band.lane in (Lane.CHANGE, Lane.NOTE):
        return [count_of(len(band.marks), band.lane.value)]
    errors = sum(bar.errors for bar in band.bars)
    warnings = sum(bar.warnings for bar in band.bars)
    said = [count_of(sum(bar.records for bar in band.bars), "record")]
    wrong = [f"{grouped(errors)} err"] if errors else []
    wrong += [f"{grouped(warnings)} warn"] if warnings else []
    said.append(", ".join(wrong) if wrong else "no error seen")
    if len(band.waiting) == 1:
        at, depth = band.waiting[0]
        said.append(f"{grouped(depth)} waiting at {wall_time(at)[:8]}, seen once")
    elif band.waiting:
        said.append(f"max {grouped(max(depth for _, depth in band.waiting))} waiting")
    return said


def _density(bars: Sequence[Bar], scale: Scale, base: float) -> Markup:
    """Everything upward; warnings on top of errors downward."""
    up = _per_point(bars, lambda bar: bar.records, UP)
    down = _per_point(bars, lambda bar: bar.warnings + bar.errors, DOWN)
    calm, errors, warnings = [], [], []
    for bar in bars:
        x = scale.x(bar.start)
        width = max(scale.x(bar.start + bar.width) - x - 0.4, 0.8)
        high = max(bar.records / bar.width * up, LEAST)
        calm.append(ink.box(x, base - high, width, high))
        wrong = max(bar.errors / bar.width * down, LEAST * 2) if bar.errors else 0
        if bar.errors:
            errors.append(ink.box(x, base + 1, width, wrong))
        if bar.warnings:
            low = max(bar.warnings / bar.width * down, LEAST)
            warnings.append(ink.box(x, base + 1 + wrong, width, low))
    drawn = []
    if calm:
        drawn.append(ink.shape("".join(calm), colour=ink.CALM))
    if warnings:
        drawn.append(ink.outline("".join(warnings), colour=ink.WARNING, width=0.9))
    if errors:
        drawn.append(ink.shape("".join(errors), colour=ink.ERROR))
    return together(drawn)


def _per_point(bars: Sequence[Bar], count: Callable[[Bar], int], height: float) -> float:
    """Points for one record a nanosecond, so that the densest bar is `height` high."""
    most = max((count(bar) / bar.width for bar in bars), default=0)
    return height / most if most else 0


def _depth(waiting: Sequence[tuple[int, int]], scale: Scale, base: float) -> Markup:
    """What waited, as steps: a sample stands until the next; nothing is drawn beyond the last."""
    if len(waiting) < 2:
        return NOTHING
    most = max(max(depth for _, depth in waiting), 1)
    path, reached = "", False
    for at, depth in waiting:
        x, y = number(scale.x(at)), number(base - depth * UP / most)
        path += f"H{x}V{y}" if reached else f"M{x} {y}"
        reached = True
    return ink.outline(path, colour=ink.DEPTH, width=2)


def _marks(band: Band, scale: Scale, base: float) -> Markup:
    where = [ink.diamond(scale.x(mark.moment.timestamp), base) for mark in band.marks]
    return ink.shape("".join(where), colour=ink.MARK, stroke=ink.INK) if where else NOTHING


def _unseen(unseen: Sequence[Stretch], scale: Scale, top: float) -> Markup:
    """Hatched stretches with their reasons; where two claims overlap, the worse is drawn last."""
    drawn = []
    for stretch in sorted(unseen, key=_is_blind):
        x = scale.x(stretch.start)
        width = max(scale.x(stretch.end) - x, 2)
        hatch = ink.hatched(x, top, width, LANE_HEIGHT - 8, is_blind=_is_blind(stretch))
        why = tag("title", told(stretch.reason or stretch.sight.value))
        drawn.append(tag("g", why, hatch))
    return together(drawn)


def _is_blind(stretch: Stretch) -> bool:
    return stretch.sight is Sight.BLIND
