"""The findings of the page: verdict, sentence, the proof step by step, what would decide it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from timeline.export.document import Document, Evidence, Proof, ProofStep
from timeline.export.html_words import bullets, counted, facts, keys, linked
from timeline.export.markup import NOTHING, Markup, tag, told
from timeline.export.sequence import records_of, sequence_of
from timeline.export.svg_sequence import SIGNS, sequence
from timeline.export.times import from_pin, table_time
from timeline.words import count_of

STEPS_SHOWN = 60
"""Steps of one proof; what exceeds them is counted and in the JSON export."""

_WORDS = {"possible": "undecided"}
"""An order is undecided where a finding would be possible."""


def findings_section(document: Document) -> Markup:
    """Every finding in reading order, the trigger first; then what was looked for in vain."""
    records = records_of(document)
    pin = document.pin.timestamp
    found = [
        _finding(number, proof, records, pin) for number, proof in enumerate(document.findings, 1)
    ]
    nothing = [] if found else [tag("p", told("No finding."))]
    return tag(
        "section",
        tag("h2", told("Findings")),
        *found,
        *nothing,
        _ruled_out(document),
        id="findings",
    )


def _finding(number: int, proof: Proof, records: Mapping[str, Evidence], pin: int) -> Markup:
    routine = ", routine" if proof.qualifier else ""
    verdict = proof.verdict.value
    return tag(
        "section",
        tag(
            "h3",
            told(f"{number}. {proof.term}"), Markup(" "),
            tag("span", told(f"{verdict}{routine}"), class_="verdict"),
        ),
        tag("p", told(proof.sentence), class_="said"),
        _drawn(number, proof, records, pin),
        _steps(proof.steps, records, pin),
        _about(proof),
        class_=f"finding {verdict}",
        id=f"finding-{number}",
    )  # fmt: skip


def _drawn(number: int, proof: Proof, records: Mapping[str, Evidence], pin: int) -> Markup:
    """Who did what after whom, at one look; the table below it gives the reasons."""
    found = sequence_of(proof, records)
    if found is None:
        return NOTHING
    return tag("figure", sequence(found, pin, f"steps-{number}"), class_="steps")


def _steps(steps: Sequence[ProofStep], records: Mapping[str, Evidence], pin: int) -> Markup:
    """The proof in its order: when, who, what, and how sure that it came after the one before."""
    if not steps:
        return NOTHING
    heads = ("", "Time (UTC)", "from T", "Who", "Step", "After the one before")
    rows = [_step(number, step, records[step.cites], pin)
            for number, step in enumerate(steps[:STEPS_SHOWN], 1)]  # fmt: skip
    more = len(steps) - len(rows)
    rest = tag("p", told(f"and {count_of(more, 'more step')}, in the JSON export"))
    table = tag(
        "table",
        tag("thead", tag("tr", *(tag("th", told(head)) for head in heads))),
        tag("tbody", *rows),
    )
    return Markup(table + rest) if more > 0 else table


def _step(number: int, step: ProofStep, record: Evidence, pin: int) -> Markup:
    moment = record.moment
    distance = from_pin(moment.timestamp - pin, moment.precision)
    order = NOTHING
    if step.order is not None:
        said = f"{SIGNS[step.order]} {_WORDS.get(step.order, step.order)}"
        follows = tag("span", told(said), class_="order")
        because = told(f": {step.because}") if step.because else NOTHING
        order = Markup(follows + because)
    return tag(
        "tr",
        tag("td", told(str(number)), class_="number"),
        tag("td", told(table_time(moment.timestamp, moment.precision)), class_="time"),
        tag("td", told(distance), class_="from"),
        tag("td", told(f"{record.actor or record.source} {record.lane.value}"), class_="who"),
        tag("td", tag("strong", told(step.role)), told(f": {step.why}"), Markup(" "),
            linked(f"[{step.cites}]")),
        tag("td", order),
    )  # fmt: skip


def _about(proof: Proof) -> Markup:
    return facts((
        ("Verdict", told(f"{proof.verdict.value}: {proof.weakest_link}")
         if proof.weakest_link else NOTHING),
        ("Affected", keys(proof.affected) if proof.affected else NOTHING),
        ("Counted", counted(proof.counted)),
        ("Figures", bullets(proof.figures)),
        ("Assuming", bullets(proof.assumes)),
        ("Would decide", bullets(proof.would_decide)),
        ("Could also be", bullets(proof.alternatives)),
        ("Next", told(proof.next_action)),
        ("Remedy", told(proof.remedy)),
    ))  # fmt: skip


def _ruled_out(document: Document) -> Markup:
    """Never a clean bill: what was looked for in what could be seen, and what was not looked at."""
    said = []
    if document.looked_for:
        terms = ", ".join(document.looked_for)
        said.append(f"looked for, and not found in what the sources show: {terms}")
    said.extend(document.not_evaluated)
    summary = tag("summary", told("Ruled out, and not evaluated"))
    listed = bullets(said or ["nothing was ruled out and nothing was left out"])
    return tag("details", summary, listed)
