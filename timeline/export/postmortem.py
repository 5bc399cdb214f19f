"""The comparison of a postmortem with the records, for people and as JSON; redacted like exports.

Says per row what supports it and how far apart the two are, with the sight of the sources where
nothing does, and then what was recorded and left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from timeline.clean import LINE_BREAK
from timeline.export.contract import ExportOptions
from timeline.export.injection import clip, one_line
from timeline.export.publish import redactor_for
from timeline.export.times import COARSE, rfc3339, table_time
from timeline.finding import JsonValue
from timeline.postmortem import NEAR_NS, Support
from timeline.words import count_of, span_words

if TYPE_CHECKING:
    from timeline.export.redact import Redactor
    from timeline.postmortem import Claim, Comparison, Held, Match, TurningPoint

TEXT_CHARACTERS = 160
UNSEEN_SHOWN = 5


def comparison_text(comparison: Comparison, options: ExportOptions | None = None) -> str:
    """One block a row, then the turning points that no row is near, then the totals."""
    redactor = redactor_for(options or ExportOptions())
    comparison = _redacted(comparison, redactor)
    lines = [line for held in comparison.rows for line in _row_lines(held)]
    near = span_words(NEAR_NS)
    if comparison.left_out:
        lines += ["", f"Recorded, and no row of the postmortem within {near}:"]
        lines += [f"  {_point(point)}" for point in comparison.left_out]
    lines += ["", _totals(comparison)]
    precisions = {held.claim.precision for held in comparison.rows} & COARSE.keys()
    lines += [COARSE[unit].strip() for unit in sorted(precisions)]
    return "".join(redactor.text(line) + "\n" for line in lines)


def comparison_json(comparison: Comparison, options: ExportOptions | None = None) -> str:
    """One JSON object, keys sorted, ending with a line break."""
    redactor = redactor_for(options or ExportOptions())
    comparison = _redacted(comparison, redactor)
    told: JsonValue = {
        "rows": [_row_object(held) for held in comparison.rows],
        "left_out": [
            {
                "time": rfc3339(point.timestamp, point.precision),
                "text": point.text,
                "inferred": point.inferred,
            }
            for point in comparison.left_out
        ],
        "turning_points": comparison.turning_points,
        "near_ns": str(NEAR_NS),
    }
    return json.dumps(redactor.value(told), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _redacted(comparison: Comparison, redactor: Redactor) -> Comparison:
    """Before anything is cut or quoted alone: a word of a secret is one that no rule knows."""
    clean = redactor.value(comparison)
    return replace(clean, rows=tuple(_without_hidden_words(held) for held in clean.rows))


def _without_hidden_words(held: Held) -> Held:
    """Shared words that redaction took out of the row are not named beside it either."""
    told = held.claim.text.casefold()
    matches = (
        replace(match, shared=tuple(w for w in match.shared if ":" in w or w.casefold() in told))
        for match in held.matches
    )
    return replace(held, matches=tuple(matches))


def _row_lines(held: Held) -> Iterator[str]:
    claim = held.claim
    yield f"{_when(claim)}  {_short(claim.text)}  ({one_line(claim.ref)})"
    if claim.assumed:
        yield f"    {claim.assumed}"
    match held.support:
        case Support.NAMED:
            yield from (f"    {_match(match)}" for match in held.matches)
        case Support.UNDATED:
            yield f"    not compared: {claim.why_undated}"
        case Support.OUTSIDE:
            yield "    not compared: outside of the window that was collected"
        case Support.NEAR:
            yield (
                f"    {count_of(held.near, 'record')} within {span_words(NEAR_NS)}, none that "
                "names the same"
            )
            yield from _sight(held)
        case Support.NOTHING:
            yield f"    nothing recorded within {span_words(NEAR_NS)}"
            yield from _sight(held)


def _sight(held: Held) -> Iterator[str]:
    """What the silence is worth."""
    if held.complete:
        yield f"    complete then: {', '.join(one_line(name) for name in held.complete)}"
    for sentence in held.unseen[:UNSEEN_SHOWN]:
        yield f"    not seen then: {one_line(sentence)}"
    if len(held.unseen) > UNSEEN_SHOWN:
        yield f"    and {len(held.unseen) - UNSEEN_SHOWN} more that could not be seen"


def _match(match: Match) -> str:
    event = match.event
    side = "after" if match.apart > 0 else "before"
    apart = f"{span_words(abs(match.apart))} {side}" if match.apart else "in the time written"
    shared = ", ".join(match.shared)
    when = table_time(event.timestamp, event.precision)
    who = one_line(event.actor or event.source)
    text = f"{when}  {who} {event.lane.value}: {_short(_first_line(event.body))}"
    return f"recorded {apart}: {text}  (shares {shared})"


def _point(point: TurningPoint) -> str:
    inferred = "inferred: " if point.inferred else ""
    return f"{table_time(point.timestamp, point.precision)}  {inferred}{_short(point.text)}"


def _totals(comparison: Comparison) -> str:
    counts = [
        f"{sum(held.support is support for held in comparison.rows)} {support.value}"
        for support in Support
    ]
    left_out, points = len(comparison.left_out), comparison.turning_points
    return (
        f"{count_of(len(comparison.rows), 'row')}: {'; '.join(counts)}. "
        f"{left_out} of {count_of(points, 'turning point')} left out."
    )


def _row_object(held: Held) -> JsonValue:
    claim = held.claim
    return {
        "time": None if claim.timestamp is None else rfc3339(claim.timestamp, claim.precision),
        "text": claim.text,
        "ref": claim.ref,
        "assumed": claim.assumed,
        "support": held.support.name.lower(),
        "near": held.near,
        "complete": list(held.complete),
        "unseen": list(held.unseen),
        "matches": [
            {
                "id": match.event.id,
                "time": rfc3339(match.event.timestamp, match.event.precision),
                "apart_ns": str(match.apart),
                "source": match.event.source,
                "text": _first_line(match.event.body),
                "ref": match.event.ref,
                "shared": list(match.shared),
            }
            for match in held.matches
        ],
    }


def _when(claim: Claim) -> str:
    if claim.timestamp is None:
        return "(no time)"
    return table_time(claim.timestamp, claim.precision)


def _first_line(body: str) -> str:
    return body.partition(LINE_BREAK)[0]


def _short(text: str) -> str:
    return clip(one_line(text), TEXT_CHARACTERS)
