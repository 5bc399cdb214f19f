"""The document in plain words, line by line: what `list`, `slack` and `jira` say alike.

Owns the sentences and their order: state, timeline, findings, unknown, how it was built. Nothing
here is escaped: `outside` texts reach a page only through the rules of the format that prints
them. It must never add to the document, and never clip before redaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from timeline.event import Precision
from timeline.export.document import (
    Document,
    Evidence,
    Milestone,
    Origin,
    Place,
    Proof,
    Row,
)
from timeline.export.injection import clip, one_line
from timeline.export.markdown_timeline import EVENT_CHARACTERS, SHORTEST_BODY
from timeline.export.markdown_words import (
    IDS_SENTENCE,
    LIST_ITEMS,
    NO_RECOVERY,
    cites,
    named_by_findings,
)
from timeline.export.times import COARSE, from_pin, instant_and_distance, rfc3339, table_time
from timeline.words import count_of, grouped, span_words

HEADROOM = 400
"""Characters kept free for the sentence that states a cut."""


@dataclass(frozen=True, slots=True)
class Fact:
    """`title: text [E1]`. The title and the citations are ours, the text may be from outside."""

    title: str
    text: str
    cites: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the timeline in words."""

    time: str
    """`2026-03-14 02:07:29.117`, UTC, in the precision it was recorded in."""
    distance: str
    """`-2.365 s`, or `T` for the pinned instant itself."""
    speaker: str
    label: str
    """Severity or kind, before the text; may be empty."""
    text: str
    is_ours: bool
    """The text is this program's own and needs no quoting."""
    after: str
    """Repeats and citations: ` (x37 over 2.1 s) [E3]`, ours."""


def facts(document: Document) -> tuple[Fact, ...]:
    """State and next action first, then when it began and ended and whom it met."""
    impact = document.impact
    pin = document.pin.timestamp
    began = Fact("Began", "not known; nothing in the window stands out as the onset")
    if impact.began is not None:
        began = Fact(
            "Began",
            instant_and_distance(impact.began, pin),
            cites(impact.began_cites),
        )
    recovered = NO_RECOVERY[impact.condition]
    if impact.recovered is not None:
        recovered = instant_and_distance(impact.recovered, pin)
    place = f"{document.environment}, " if document.environment else ""
    headline = f": {impact.headline}" if impact.headline else ""
    seen = impact.seen_until.timestamp
    reach = f", as far as the sources reach: {rfc3339(seen, Precision.SECOND)}" if seen > 0 else ""
    told = (
        Fact("State", f"{place}{impact.condition.value}{headline}"),
        Fact("Next", impact.next_action or "nothing to do about any finding"),
        began,
        Fact("Detected (T)", rfc3339(pin, document.pin.precision)),
        *(_milestone(one, pin) for one in impact.milestones),
        Fact("Recovered", recovered),
        Fact("Duration", "" if impact.duration is None else span_words(impact.duration)),
        Fact("Affected", _keys(impact.affected) or "no key could be joined to an error"),
        Fact("Named by findings", named_by_findings(document)),
        Fact("Newly affected", f"{impact.new_per_minute:g} a minute{reach}"),
        Fact("In common", "; ".join(impact.common[:LIST_ITEMS])),
    )
    return tuple(fact for fact in told if fact.text)


def _milestone(milestone: Milestone, pin: int) -> Fact:
    return Fact(
        milestone.what.capitalize(), milestone_words(milestone, pin), cites(milestone.cites)
    )


def milestone_words(milestone: Milestone, pin: int) -> str:
    """When a person says it was, or that it is not decided; the length only where it is known."""
    if milestone.moment is None:
        return f"not decided; {milestone.text}"
    since = ""
    if milestone.since_began is not None:
        since = f", {span_words(milestone.since_began)} after it began"
    return f"{instant_and_distance(milestone.moment, pin)}{since}, by the note: {milestone.text}"


def _keys(names: Sequence[str]) -> str:
    if not names:
        return ""
    more = len(names) - LIST_ITEMS
    rest = f" and {grouped(more)} more" if more > 0 else ""
    return f"{count_of(len(names), 'key')}: {', '.join(names[:LIST_ITEMS])}{rest}"


def legend(document: Document) -> str:
    """How to read the times, and how many records of how many are shown."""
    recorded = [row for row in document.timeline if row.cites]
    coarse = {row.moment.precision for row in recorded} & COARSE.keys()
    precision = "".join(COARSE[unit] for unit in sorted(coarse))
    zone = f" {document.local_zone}." if document.local_zone else ""
    shown = count_of(sum(len(row.cites) for row in recorded), "record")
    before = span_words(document.pin.timestamp - document.window_start)
    after = span_words(document.window_end - document.pin.timestamp)
    return (
        f"Times are UTC, as recorded.{precision}{zone} Shown: {shown} of the "
        f"{grouped(document.records_in_window)} between {before} before T and {after} after."
    )


def lines(document: Document) -> tuple[Line, ...]:
    """The rows of the timeline in their order, their texts clipped to one look."""
    return tuple(_line(row, document.pin.timestamp) for row in document.timeline)


def _line(row: Row, pin: int) -> Line:
    moment = row.moment
    is_pin = row.origin is Origin.PIN
    is_inferred = row.origin is Origin.INFERRED
    repeats = _repeats(row)
    text = f"inferred: {row.text}" if is_inferred else one_line(row.text)
    room = EVENT_CHARACTERS - len(row.label) - len(repeats)
    return Line(
        time=table_time(moment.timestamp, moment.precision),
        distance="T" if is_pin else from_pin(moment.timestamp - pin, moment.precision),
        speaker=one_line(row.speaker),
        label=one_line(row.label),
        text=clip(text, max(room, SHORTEST_BODY)),
        is_ours=is_pin or is_inferred,
        after=repeats + cites(row.cites),
    )


def _repeats(row: Row) -> str:
    if row.repeats <= 1:
        return ""
    count = grouped(row.repeats)
    if row.place is Place.LAST:
        return f" (the last of {count})"
    many = f"x{count}" if row.place is Place.FIRST else f"one of {count}"
    return f" ({many} over {span_words(row.repeats_span)})"


def findings(document: Document) -> tuple[Fact, ...]:
    """Every finding in one sentence with its verdict, its weakest link and what it cites."""
    shown = tuple(_finding(number, proof) for number, proof in enumerate(document.findings, 1))
    found = shown or (Fact("None", "no finding in what could be seen"),)
    ruled_out = ", ".join(document.looked_for)
    if ruled_out:
        ruled_out = f"not found in what the sources show: {ruled_out}"
    left_open = [text.removeprefix("not evaluated: ") for text in document.not_evaluated]
    told = (Fact("Looked for", ruled_out), *_some("Not evaluated", left_open))
    return (*found, *(fact for fact in told if fact.text))


def _finding(number: int, proof: Proof) -> Fact:
    routine = ", routine" if proof.qualifier else ""
    because = f" ({proof.verdict}: {proof.weakest_link})" if proof.weakest_link else ""
    cited = tuple(dict.fromkeys(step.cites for step in proof.steps))
    title = f"Finding {number}, {proof.verdict.value}{routine}"
    return Fact(title, f"{proof.term}: {proof.sentence}{because}", cites(cited))


def unknown(document: Document) -> tuple[Fact, ...]:
    """What could not be seen and what is not certain; never left out, only counted."""
    everything = Fact("Unknown", "nothing: every source answered in full, every finding is certain")
    return tuple(_some("Unknown", document.unknown)) or (everything,)


def _some(title: str, texts: Sequence[str]) -> Iterator[Fact]:
    yield from (Fact(title, text) for text in texts[:LIST_ITEMS])
    if len(texts) > LIST_ITEMS:
        more = grouped(len(texts) - LIST_ITEMS)
        yield Fact(title, f"and {more} more, listed in the JSON export")


def built(document: Document) -> tuple[Fact, ...]:
    """Totals, redactions and version."""
    start = rfc3339(document.window_start, Precision.SECOND)
    end = rfc3339(document.window_end, Precision.SECOND)
    version = f" {document.tool_version}" if document.tool_version else ""
    return (
        Fact(
            "Totals",
            f"{count_of(document.records_total, 'record')} from "
            f"{count_of(len(document.sources), 'source')}, {grouped(document.records_in_window)} "
            f"in the window {start} to {end}; "
            f"{count_of(document.undated, 'record')} without a usable time, in no timeline",
        ),
        Fact("Redacted", redactions(document)),
        Fact("Built by", f"halfawake{version}; times are as recorded and never moved"),
    )


def redactions(document: Document) -> str:
    """How many texts each rule replaced, or why nothing was redacted; and what became of ids."""
    ids = f"; {IDS_SENTENCE}" if document.ids_replaced else ""
    if document.no_redact_reason:
        return f"no, not redacted, because: {document.no_redact_reason}{ids}"
    if not document.redactions:
        return f"nothing matched a rule{ids}"
    total = grouped(sum(count for _, count in document.redactions))
    rules = ", ".join(f"{name} {grouped(count)}" for name, count in document.redactions)
    return f"{total} ({rules}){ids}"


def cited_in_timeline(document: Document) -> tuple[Evidence, ...]:
    """The records behind the rows and the onset, in time order."""
    told = (c for milestone in document.impact.milestones for c in milestone.cites)
    named = {
        *document.impact.began_cites,
        *told,
        *(c for row in document.timeline for c in row.cites),
    }
    return tuple(record for record in document.evidence if record.label in named)


def fitting(blocks: Sequence[str], room: int) -> list[str]:
    """The leading blocks that fit into `room` characters with a line break after each."""
    kept: list[str] = []
    for block in blocks:
        room -= len(block) + 1
        if room < 0:
            break
        kept.append(block)
    return kept


def cut_words(left_out: int, of: int, what: str, limit: int) -> str:
    """The sentence that states a cut; empty when nothing was cut."""
    if left_out <= 0:
        return ""
    share = f"{grouped(left_out)} of {count_of(of, what)}"
    return f"{share} left out to stay under {grouped(limit)} characters; the JSON export holds all."
