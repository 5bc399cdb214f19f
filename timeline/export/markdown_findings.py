"""The middle of the Markdown export: every finding as a proof, and what was not looked at."""

from __future__ import annotations

from timeline.export.document import Document, Proof, ProofStep
from timeline.export.markdown_words import (
    REASON_CHARACTERS,
    bullets,
    counted_lines,
    joined,
    keys,
    sentence,
)

STEPS_SHOWN = 15
"""Most steps of one proof; the rest is counted and in the JSON export."""


def finding_section(number: int, proof: Proof) -> list[str]:
    """Sentence, steps in order with their certainty, and what would decide it."""
    routine = ", routine" if proof.qualifier else ""
    steps = [_step(step) for step in proof.steps[:STEPS_SHOWN]]
    if len(proof.steps) > STEPS_SHOWN:
        more = len(proof.steps) - STEPS_SHOWN
        steps.append(f"1. and {more} more steps, listed in the JSON export")
    return [
        *(["### Findings", ""] if number == 1 else []),
        f"#### {number}. {sentence(proof.term)}: {proof.verdict}{routine}",
        "",
        sentence(proof.sentence),
        "",
        *steps,
        *([""] if steps else []),
        *_about(proof),
        "",
    ]


def _about(proof: Proof) -> list[str]:
    facts = {
        "Verdict": f"{proof.verdict}: {sentence(proof.weakest_link)}" if proof.weakest_link else "",
        "Affected": keys(proof.affected) if proof.affected else "",
        "Figures": joined(proof.figures),
        "Assuming": joined(proof.assumes),
        "Would decide": joined(proof.would_decide),
        "Could also be": joined(proof.alternatives),
        "Next": sentence(proof.next_action),
        "Remedy": sentence(proof.remedy),
    }
    lines = [f"- **{title}:** {text}" for title, text in facts.items() if text]
    return [*lines, *counted_lines(proof.counted)]


def _step(step: ProofStep) -> str:
    order = ""
    if step.order is not None:
        because = f": {sentence(step.because, REASON_CHARACTERS)}" if step.because else ""
        order = f" (order {step.order}{because})"
    why = sentence(step.why, REASON_CHARACTERS)
    return f"1. **{sentence(step.role)}** [{step.cites}] {why}{order}"


def ruled_out_section(document: Document) -> list[str]:
    """What was looked for in vain, and what could not be looked for. Never a clean bill."""
    lines = []
    if document.looked_for:
        terms = ", ".join(sentence(term) for term in document.looked_for)
        lines.append(f"- looked for, and not found in what the sources show: {terms}")
    lines.extend(bullets(document.not_evaluated))
    return [
        "### Ruled out, and not evaluated",
        "",
        *(lines or ["- nothing was ruled out and nothing was left out"]),
        "",
    ]
