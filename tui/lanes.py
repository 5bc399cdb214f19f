"""One band for each source: how much happened when, how bad it was, and where nobody was looking.

Pure drawing. T has a cell of its own in every band. A stretch that a source could not fully see is
shaded, because an empty cell there is not evidence of nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from timeline.event import Lane
from timeline.progress import Phase, SourceStatus
from timeline.window import MINUTE_NS, SECOND_NS
from timeline.words import HOUR_NS, LANE_WORDS, clock_face, count_of, grouped
from tui.bars import TICKED, bar_row, tick_row
from tui.density import Band, Columns, bands_of
from tui.depth import depth_cells
from tui.lane_marks import change_names, selected_axis, with_marks
from tui.pieces import Line, Piece, cut, fit, padded, right
from tui.running import running_cells
from tui.waiting import so_far

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui.glyphs import Glyphs
    from tui.running import Running
    from tui.state import ScreenState
    from tui.theme import Role

LANE_CELLS = 7
SOURCE_CELLS = 11
COUNT_CELLS = 16
"""`12 304` rows and `88 err`, right aligned."""
ROW_CELLS = 7
"""Of them, unless there are a million rows; those are rounded when both do not fit."""
MILLION = 1_000_000
LEAST_RATE = 3
"""Fewer rows than this in a cell are rows; a rate made of one row would be invented."""
LABEL_CELLS = 1 + LANE_CELLS + SOURCE_CELLS

COUNTED = 255
"""Above every severity number: a stretch whose records were counted is complete from there on."""

_LANE_RANK = {lane: number for number, lane in enumerate(Lane)}


class Known(NamedTuple):
    """A source as far as it is known: configured, answering, or only seen in rows."""

    name: str
    lane: Lane
    status: SourceStatus | None


def known_sources(state: ScreenState) -> list[Known]:
    """Every source once, in the order of the lanes and, within one, as configured."""
    found: dict[str, Known] = {s.source: Known(s.source, s.lane, s) for s in state.statuses}
    if state.incident is not None:
        for info in state.incident.sources:
            found.setdefault(info.name, Known(info.name, info.lane, None))
    for event in state.preview_events:
        found.setdefault(event.source, Known(event.source, event.lane, None))
    return sorted(found.values(), key=lambda known: _LANE_RANK[known.lane])


def wanted_lines(state: ScreenState) -> int:
    """Lines for every source, for the errors of those that flow, and for the depth of queues.

    Jobs that run at once are told where a line is left; the rows are not moved for them.
    """
    sources = known_sources(state)
    flowing = sum(known.lane not in TICKED for known in sources)
    return len(sources) + flowing + sum(known.lane is Lane.QUEUE for known in sources)


def columns_for(state: ScreenState, width: int) -> Columns:
    """The columns of the bands in a panel `width` cells wide."""
    return Columns.over(state.window, max(width - LABEL_CELLS - COUNT_CELLS - 1, 8))


def lane_lines(state: ScreenState, width: int, height: int, glyphs: Glyphs) -> list[Line]:
    """Exactly `height` lines: a band per source, and lines for errors and depth where they fit."""
    columns = columns_for(state, width)
    bands = _bands(state, columns)
    sources = known_sources(state)
    hidden = len(sources) - height
    shown = sources if hidden <= 0 else sources[: max(height - 1, 0)]
    with_errors = _worth_an_error_line(shown, bands, -hidden)
    depths = state.density.depths if state.density is not None else {}
    room = max(-hidden - len(with_errors), 0)
    with_depth = [known.name for known in shown if known.name in depths][:room]
    running = (state.density.running if state.density is not None else None) or {}
    left = room - len(with_depth)
    with_running = [known.name for known in shown if known.name in running][:left]
    lines: list[Line] = []
    for known in shown:
        band = bands.get(known.name)
        split = known.name in with_errors
        lines.append(_band_line(state, known, band, columns, glyphs, calm=split))
        if split and band is not None:
            lines.append(_error_line(state, band, columns, glyphs))
        if known.name in with_depth:
            lines.append(_depth_line(state, known.name, columns, glyphs))
        if known.name in with_running:
            lines.append(_running_line(state, known, running[known.name], columns, glyphs))
    if hidden > 0:
        lines.append([(f"+ {len(sources) - len(shown)} more sources, press s", "dim")])
    lines += [_empty_line(state, columns, glyphs) for _ in range(height - len(lines))]
    return [fit(line, width) for line in lines[:height]]


def axis_line(state: ScreenState, width: int, here: int | None, glyphs: Glyphs) -> Line:
    """The rule under the bands: window ends, the onset, T, and where the cursor is."""
    columns = columns_for(state, width)
    line: list[Piece] = [(glyphs.rule, "faint") for _ in range(columns.cells)]
    cursor = None if here is None else columns.cell(here)
    onset = state.analysis.onset if state.analysis else None
    if onset is not None and (cell := columns.cell(onset)) is not None:
        for offset, letter in _onset_word(cell, cursor, columns.before):
            line[offset] = (letter, "accent")
        line[cell] = (glyphs.onset, "accent")
    if cursor is not None:
        line[cursor] = (glyphs.here, "strong")
    line[columns.before] = ("T", "pin")
    selected_axis(state, line, columns, glyphs)
    start, end = clock_face(state.window.start), clock_face(state.window.end)
    label = right(f"{cut(start, LABEL_CELLS - 2)} ", LABEL_CELLS)
    rest = glyphs.rule * max(width - LABEL_CELLS - columns.cells - len(end) - 2, 0)
    return fit([(label, "faint"), *line, (f" {end} {rest}", "faint")], width)


def _onset_word(cell: int, cursor: int | None, before: int) -> list[tuple[int, str]]:
    """The cells and letters of "onset": left of its sign, or right of it, or nowhere.

    It stays between the beginning and T, and never below the cursor's sign.
    """
    word = "onset"
    for first in (cell - len(word), cell + 1):
        cells = range(first, first + len(word))
        if first >= 0 and cells.stop <= before and cursor not in cells:
            return list(zip(cells, word, strict=True))
    return []


def _bands(state: ScreenState, columns: Columns) -> Mapping[str, Band]:
    if state.density is not None:
        return state.density.bands(columns)
    inside = (e for e in state.preview_events if state.window.contains(e.timestamp))
    return bands_of(inside, columns)


def _worth_an_error_line(
    shown: list[Known], bands: Mapping[str, Band], room: int
) -> frozenset[str]:
    failing = [k.name for k in shown if k.name in bands and bands[k.name].error_rows]
    failing.sort(key=lambda name: -bands[name].error_rows)
    return frozenset(failing[: max(room, 0)])


def _band_line(
    state: ScreenState,
    known: Known,
    band: Band | None,
    columns: Columns,
    glyphs: Glyphs,
    *,
    calm: bool,
) -> Line:
    """Label, cells, counts; `calm` when errors have a line of their own below."""
    label: list[Piece] = [
        (padded(f" {LANE_WORDS[known.lane]}", 1 + LANE_CELLS), "dim"),
        (padded(cut(known.name, SOURCE_CELLS - 1), SOURCE_CELLS), "text"),
    ]
    status = known.status
    if status is not None and status.phase is Phase.FAILED and band is None:
        words = cut(f"failed: {status.problem}", columns.cells + COUNT_CELLS)
        return [*label, (words, "warning")]
    cells = _cells(state, known, band, columns, glyphs, calm=calm)
    drawn = with_marks(state, cells, columns, glyphs)
    return [*label, *drawn, (" ", "text"), *_counts(state, known, band, columns, calm=calm)]


def _counts(
    state: ScreenState, known: Known, band: Band | None, columns: Columns, *, calm: bool
) -> Line:
    """Rows and errors in the window; what is still missing goes before both.

    Where errors need no room here, the rate of the highest bar says how high the bars are.
    """
    status = known.status
    if status is not None and not status.answered:
        return [(right(so_far(status, COUNT_CELLS), COUNT_CELLS), "accent")]
    if state.incident is None:
        count = status.rows if status is not None else 0
        return [(right(count_of(count, "row"), COUNT_CELLS), "text")]
    role: Role = "dim"
    words = "rows"
    if status is not None and status.phase in (Phase.FAILED, Phase.CUT):
        words, role = status.phase.value, "warning"
    elif band is not None and band.error_rows and not calm:
        words, role = f"{grouped(band.error_rows)} err", "error"
    elif band is not None and band.peak >= LEAST_RATE and known.lane not in TICKED:
        words = f"max {rate_words(band.peak, columns.width)}"
    rows = band.rows if band else 0
    told = grouped(rows).rjust(ROW_CELLS)
    if len(told) + len(words) >= COUNT_CELLS:
        told = f"{rows / 1e6:.1f} M" if rows >= MILLION else grouped(rows)
    if len(told) + len(words) >= COUNT_CELLS:
        words = "rows"
    return [(told, "text"), (right(words, COUNT_CELLS - len(told)), role)]


def _error_line(state: ScreenState, band: Band, columns: Columns, glyphs: Glyphs) -> Line:
    roles: list[Role] = ["error" for _ in band.errors]
    cells = with_marks(state, bar_row(band.errors, roles, glyphs), columns, glyphs)
    words, most = f"{grouped(band.error_rows)} err", max(band.errors)
    if most < band.error_rows and len(longer := f"{words} max {grouped(most)}") <= COUNT_CELLS:
        words = longer
    return _below("errors", cells, (right(words, COUNT_CELLS), "error"))


def rate_words(count: int, width: int) -> str:
    """`7/s`, `3/min`: `count` in `width` ns as a rate, however long a cell happens to be."""
    for unit, name in ((SECOND_NS, "s"), (MINUTE_NS, "min")):
        if (rate := count * unit / width) >= 1:
            return f"{grouped(round(rate))}/{name}"
    return f"{grouped(round(count * HOUR_NS / width))}/h"


def _depth_line(state: ScreenState, source: str, columns: Columns, glyphs: Glyphs) -> Line:
    assert state.density is not None  # noqa: S101 - only sources whose depth it holds have a line
    samples, due = state.density.depths[source], state.density.dues.get(source)
    drawn, words = depth_cells(samples, columns, COUNT_CELLS, glyphs, due)
    return _below("depth", with_marks(state, drawn, columns, glyphs), words)


def _running_line(
    state: ScreenState, known: Known, running: Running, columns: Columns, glyphs: Glyphs
) -> Line:
    drawn, words = running_cells(running, columns, COUNT_CELLS, glyphs)
    shaded = _hatched(drawn, _shaded(state, known, columns), glyphs)
    return _below("running", with_marks(state, shaded, columns, glyphs), words)


def _below(word: str, cells: list[Piece], words: Piece) -> Line:
    """A line that tells more of the lane above it."""
    label = padded(f"{' ' * LANE_CELLS}   {word}", LABEL_CELLS)
    return [(label, "dim"), *cells, (" ", "text"), words]


def _hatched(cells: list[Piece], shaded: list[bool], glyphs: Glyphs) -> list[Piece]:
    """Emptiness where nobody was looking is no emptiness."""
    return [
        (glyphs.unseen, "faint") if blind and cell[0] == glyphs.empty else cell
        for cell, blind in zip(cells, shaded, strict=True)
    ]


def _empty_line(state: ScreenState, columns: Columns, glyphs: Glyphs) -> Line:
    nothing: list[Piece] = [(glyphs.empty, "text") for _ in range(columns.cells - 1)]
    cells = with_marks(state, nothing, columns, glyphs)
    return [(" " * LABEL_CELLS, "text"), *cells]


def _cells(
    state: ScreenState,
    known: Known,
    band: Band | None,
    columns: Columns,
    glyphs: Glyphs,
    *,
    calm: bool,
) -> list[Piece]:
    """Cells without T: bars or ticks, and shade where nobody was looking."""
    shaded = _shaded(state, known, columns)
    counts = band.counts if band else [0] * len(shaded)
    roles: list[Role] = ["faint" if calm else _role(band, c) for c in range(len(shaded))]
    if known.lane in TICKED:
        cells = tick_row(known.lane, counts, roles, glyphs)
        if known.lane is Lane.CHANGE:
            cells = change_names(state, cells, columns)
    else:
        cells = bar_row(counts, roles, glyphs)
    return _hatched(cells, shaded, glyphs)


def _role(band: Band | None, column: int) -> Role:
    if band is not None and band.errors[column]:
        return "error"
    return "warning" if band is not None and band.warnings[column] else "faint"


def _shaded(state: ScreenState, known: Known, columns: Columns) -> list[bool]:
    """Which columns the source did not see in full; none while it is still answering.

    What an engine counted is seen, and a stretch that no claim of coverage speaks of is not.
    """
    width = columns.before + columns.after
    shaded = [False] * width
    answered = known.status is None or known.status.answered
    if state.incident is None or not answered:
        return shaded
    window, coverage = state.window, state.incident.snapshot.coverage
    for limit in coverage.limits((known.name,), window.start, window.end, COUNTED):
        first = max(columns.column(limit.start), 0)
        for column in range(first, min(columns.column(limit.end - 1), width - 1) + 1):
            shaded[column] = True
    return shaded
