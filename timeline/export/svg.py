"""The lanes as one picture: how much happened where, what waited, T, the onset, what nobody saw.

One SVG 1.1 file of text and paths: no script, no style sheet, no font, nothing that loads. It reads
in print and without colour, because what went wrong stands below its line and what was not seen is
hatched. The page of `html_` holds the same picture without its heading.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from timeline.event import Precision
from timeline.export import svg_ink as ink
from timeline.export.document import Document, Moment
from timeline.export.injection import clip
from timeline.export.markup import NOTHING, Markup, look_over, tag, together, told
from timeline.export.publish import publish
from timeline.export.svg_lanes import lanes
from timeline.export.svg_legend import FINDINGS_SHOWN, legend
from timeline.export.svg_scale import LEFT, RIGHT, WIDTH, Scale
from timeline.export.times import from_pin, rfc3339
from timeline.order import Verdict
from timeline.words import count_of, wall_time

if TYPE_CHECKING:
    from timeline.analysis import Analysis
    from timeline.export.contract import ExportOptions
    from timeline.incident import Incident

LINE_CHARACTERS = 150
"""Characters that fit across the picture at the size of its small print."""

_DASHES = {Verdict.CERTAIN: "none", Verdict.LIKELY: "6 3", Verdict.POSSIBLE: "1.5 3"}
"""How sure a finding is, in the line of its span."""


class SvgExporter:
    """The picture of the lanes, for a document or a slide."""

    name: ClassVar[str] = "svg"
    suffix: ClassVar[str] = ".svg"

    def render(self, incident: Incident, analysis: Analysis, options: ExportOptions) -> str:
        return publish(incident, analysis, options, write, look_over, bands=True)


def write(document: Document) -> str:
    """The whole file, ending with a line break."""
    return picture(document, is_file=True)


def picture(document: Document, *, is_file: bool) -> Markup:
    """The `svg` element; a file has its heading and its list of findings, a part of a page not."""
    scale = Scale(document.window_start, document.window_end)
    parts, y = _heading(document) if is_file else (NOTHING, 4.0)
    spans, y = _findings(document, scale, y)
    top = y + 34
    drawn, bottom = lanes(document.bands, scale, top)
    axis = _axis(scale, top, bottom)
    listed, end = legend(document, bottom + 46, is_file=is_file)
    inside = (
        tag("title", told(document.title), id="lanes-title"),
        tag("desc", told(_described(document)), id="lanes-about"),
        ink.hatches(),
        tag("rect", class_="paper", x=0, y=0, width=WIDTH, height=end, fill=ink.PAPER),
        parts, axis, drawn, spans, _pinned(document, scale, top, bottom), listed,
    )  # fmt: skip
    named: dict[str, str] = {"xmlns": "http://www.w3.org/2000/svg"} if is_file else {}
    size: dict[str, str | float] = {"width": WIDTH, "height": end} if is_file else {}
    return tag(
        "svg", *inside, **named, **size, viewBox=f"0 0 {WIDTH} {end:.0f}", role="img",
        aria_labelledby="lanes-title lanes-about", font_family=ink.FONT,
    )  # fmt: skip


def _described(document: Document) -> str:
    errors = sum(bar.errors for band in document.bands for bar in band.bars)
    records = sum(bar.records for band in document.bands for bar in band.bars)
    return (
        f"{count_of(len(document.bands), 'lane')} with {count_of(records, 'record')} and "
        f"{count_of(errors, 'error')} from {_time(document.window_start)} to "
        f"{_time(document.window_end)}. {document.impact.headline}"
    )


def _time(timestamp: int) -> str:
    return rfc3339(timestamp, Precision.SECOND)


def _heading(document: Document) -> tuple[Markup, float]:
    """Title, headline and window; long ones are clipped, for the text exports hold them whole."""
    began = document.impact.began
    onset = "onset not known" if began is None else f"onset {_instant(document, began)}"
    pin = rfc3339(document.pin.timestamp, document.pin.precision)
    about = (
        f"T {pin}, {onset}. {count_of(document.records_in_window, 'record')} read between "
        f"{_time(document.window_start)} and {_time(document.window_end)}. Times as recorded, UTC."
    )
    return together((
        ink.words(8, 26, told(clip(document.title, 110)), size=ink.LARGE, weight="bold"),
        ink.words(8, 48, told(clip(document.impact.headline, LINE_CHARACTERS)), size=ink.NORMAL),
        ink.words(8, 67, told(clip(about, LINE_CHARACTERS + 20)), colour=ink.FAINT),
    )), 78.0  # fmt: skip


def _instant(document: Document, moment: Moment) -> str:
    distance = from_pin(moment.timestamp - document.pin.timestamp, moment.precision)
    return f"{wall_time(moment.timestamp, moment.precision)} ({distance} from T)"


def _findings(document: Document, scale: Scale, top: float) -> tuple[Markup, float]:
    """Each finding's number, and a line from its first to its last instant."""
    shown = [*enumerate(document.findings[:FINDINGS_SHOWN], 1)]
    drawn = []
    for number, proof in shown:
        y = top + 15 * number
        start, end = scale.x(proof.began), scale.x(proof.ended)
        dashes = _DASHES[proof.verdict]
        drawn.append(ink.line(start, y, max(end, start + 3), y, width=3, dashes=dashes))
        named = told(f"{number} {proof.verdict.value} {clip(proof.term, 30)}")
        if end < (LEFT + RIGHT) / 2 or start <= LEFT + 200:
            drawn.append(ink.words(max(end, start + 3) + 6, y + 4, named))
        else:
            drawn.append(ink.words(start - 6, y + 4, named, anchor="end"))
    return together(drawn), top + 15 * len(shown) + 6


def _axis(scale: Scale, top: float, bottom: float) -> Markup:
    drawn = [ink.line(LEFT, bottom, RIGHT, bottom)]
    for instant, named in scale.ticks():
        x = scale.x(instant)
        date, _, time = named.rpartition(" ")
        drawn.append(ink.line(x, top, x, bottom + 5, colour=ink.FAINT, width=0.4))
        drawn.append(ink.words(x, bottom + 18, told(time), anchor="middle"))
        if date:
            drawn.append(ink.words(x, bottom + 32, told(date), colour=ink.FAINT, anchor="middle"))
    drawn.append(ink.words(RIGHT + 10, bottom + 18, told("UTC"), colour=ink.FAINT))
    return together(drawn)


def _pinned(document: Document, scale: Scale, top: float, bottom: float) -> Markup:
    """T as a solid line and the onset as a dashed one, each with its time above the lanes."""
    pin, began = document.pin, document.impact.began
    x = scale.x(pin.timestamp)
    said = f"T {wall_time(pin.timestamp, pin.precision)}"
    drawn = [ink.line(x, top - 4, x, bottom, width=2), _beside(x, top - 8, said)]
    if began is not None and scale.shows(began.timestamp):
        x = scale.x(began.timestamp)
        drawn.append(ink.line(x, top - 18, x, bottom, colour=ink.ONSET, width=2, dashes="7 4"))
        drawn.append(_beside(x, top - 22, f"onset {_instant(document, began)}"))
    for band in document.bands:
        for mark in band.marks:
            x = scale.x(mark.moment.timestamp)
            drawn.append(ink.line(x, top, x, bottom, colour=ink.MARK, width=0.8, dashes="2 3"))
    return together(drawn)


def _beside(x: float, y: float, said: str) -> Markup:
    """Words over a line, to the side that has room."""
    anchor = "start" if x < (LEFT + RIGHT) / 2 else "end"
    return ink.words(x, y, told(said), anchor=anchor, weight="bold")
