"""The timeline of the page, with filters that are check boxes and nothing else.

The short timeline of the other formats is shown first; every other record that a finding cites
stands in the same table and comes with one click. The rules that hide rows are `html_style`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from timeline.clean import LINE_BREAK
from timeline.event import Lane
from timeline.export.document import Document, Evidence, Origin, Place, Row
from timeline.export.html_style import FINDINGS_FILTERED
from timeline.export.html_words import linked
from timeline.export.markup import NOTHING, Markup, tag, together, told
from timeline.export.told import Line, legend, lines

_WRONG = ("ERROR", "FATAL", "job.failed", "job.dead", "txn.abort")
"""Severities and kinds that the filter for failures leaves."""


def timeline_section(document: Document) -> Markup:
    """Filters first, because a style sheet can only look back at what was checked."""
    rows = _rows(document)
    shown = lines(replace(document, timeline=tuple(row for row, _ in rows)))
    records = {record.label: record for record in document.evidence}
    cited = _cited_by(document)
    heads = ("Time (UTC)", "from T", "Source", "Event")
    table = tag(
        "table",
        tag("thead", tag("tr", *(tag("th", told(head)) for head in heads))),
        tag(
            "tbody",
            *(
                _row(line, _classes(row, is_short, records, cited))
                for line, (row, is_short) in zip(shown, rows, strict=True)
            ),
        ),
    )
    return tag(
        "section",
        tag("h2", told("Timeline")),
        tag("p", told(legend(document)), class_="faint"),
        *_controls(document),
        table,
        id="timeline",
    )


def _rows(document: Document) -> list[tuple[Row, bool]]:
    """The short timeline, and rows for the records that it does not cite; in time order."""
    told_already = {label for row in document.timeline for label in row.cites}
    rows = [(row, True) for row in document.timeline]
    rows.extend(
        (_row_of(record), False) for record in document.evidence if record.label not in told_already
    )
    return sorted(rows, key=lambda pair: pair[0].moment.timestamp)


def _row_of(record: Evidence) -> Row:
    return Row(
        moment=record.moment,
        origin=Origin.NOTE if record.lane is Lane.NOTE else Origin.RECORDED,
        speaker=f"{record.actor or record.source} {record.lane.value}",
        label=record.severity if record.kind.value == "log" else record.kind.value,
        text=record.body.partition(LINE_BREAK)[0],
        repeats=1,
        repeats_span=0,
        place=Place.FIRST,
        cites=(record.label,),
    )


def _cited_by(document: Document) -> dict[str, list[int]]:
    """The numbers of the findings that cite a label."""
    cited: dict[str, list[int]] = {}
    for number, proof in enumerate(document.findings[:FINDINGS_FILTERED], 1):
        for label in dict.fromkeys(step.cites for step in proof.steps):
            cited.setdefault(label, []).append(number)
    return cited


def _controls(document: Document) -> Sequence[Markup]:
    """Radio buttons for which rows, check boxes for which lanes; each followed by its label."""
    choices = [("only-short", "short timeline"), ("only-all", "every cited record"),
               ("only-bad", "failures")]  # fmt: skip
    shown = document.findings[:FINDINGS_FILTERED]
    choices += [(f"only-f{n}", f"{n} {proof.term}") for n, proof in enumerate(shown, 1)]
    lanes = {record.lane for record in document.evidence}
    made: list[Markup] = [tag("strong", told("Show"), class_="controls")]
    for name, said in choices:
        checked = {"checked": "checked"} if name == "only-short" else {}
        box = tag("input", type="radio", name="only", id=name, class_="controls", **checked)
        made += [box, tag("label", told(said), for_=name, class_="controls")]
    made += [tag("br"), tag("strong", told("Lanes"), class_="controls")]
    for lane in (lane for lane in Lane if lane in lanes):
        name = f"lane-{lane.value}"
        box = tag("input", type="checkbox", id=name, checked="checked", class_="controls")
        made += [box, tag("label", told(lane.value), for_=name, class_="controls")]
    return made


def _row(line: Line, classes: Sequence[str]) -> Markup:
    label = tag("strong", told(line.label)) if line.label else NOTHING
    said = told(line.text) if line.is_ours else tag("code", told(line.text))
    return tag(
        "tr",
        tag("td", told(line.time), class_="time"),
        tag("td", told(line.distance), class_="from"),
        tag("td", told(line.speaker), class_="who"),
        tag("td", together((label, said), " "), linked(line.after), class_="what"),
        class_=" ".join(classes),
    )


def _classes(
    row: Row,
    is_short: bool,
    records: Mapping[str, Evidence],
    cited: Mapping[str, Sequence[int]],
) -> list[str]:
    """What the filters go by. T and computed instants are in no lane and always shown."""
    if row.origin in (Origin.PIN, Origin.INFERRED):
        return ["own", row.origin.value]
    lanes = dict.fromkeys(records[label].lane.value for label in row.cites)
    numbers = dict.fromkeys(n for label in row.cites for n in cited.get(label, ()))
    return [
        *lanes,
        *(["short"] if is_short else []),
        *(["bad"] if row.label in _WRONG else []),
        *(f"f{number}" for number in numbers),
    ]
