"""Pieces that the sections of the Markdown export share: lists, keys, citations, limits."""

from __future__ import annotations

from collections.abc import Sequence

from timeline.analysis import Condition
from timeline.export.document import Address, Counted, Document
from timeline.export.injection import clip, code, prose
from timeline.export.recount_words import count_lines, counted_sentence
from timeline.order import Verdict
from timeline.words import count_of, grouped

IDS_SENTENCE = "ids are stand-ins, equal ones for equal ids"
TITLE_CHARACTERS = 120
SENTENCE_CHARACTERS = 600
REASON_CHARACTERS = 300
LIST_ITEMS = 20
"""Most items of one list (keys, checks, unknowns); the rest is counted and in the JSON export."""
NO_RECOVERY = {
    Condition.FAILING: "no, still failing",
    Condition.RECOVERED: "yes, at a time that is not known",
    Condition.QUIET: "there was no error in the window",
    Condition.UNKNOWN: "not known",
}
"""What stands for the time of a recovery that has none."""


def sentence(text: str, limit: int = SENTENCE_CHARACTERS) -> str:
    """Outside text as harmless prose of bounded length."""
    return prose(clip(text, limit))


def opened_in(addresses: Sequence[Address]) -> str:
    """` ([kibana](https://…))`; empty without a template. The signs that end a link are encoded."""
    if not addresses:
        return ""
    return f" ({', '.join(f'[{prose(one.name)}]({one.url})' for one in addresses)})"


def before_colon(name: str) -> str:
    """A name that a colon of ours follows: `a:x` would end in the emoji `:x:`."""
    name = clip(name, TITLE_CHARACTERS)
    return code(name) if ":" in name else sentence(name)


def bullets(sentences: Sequence[str], indent: str = "", limit: int = LIST_ITEMS) -> list[str]:
    """One bullet a sentence; what exceeds `limit` is counted in a last one."""
    lines = [f"{indent}- {sentence(text)}" for text in sentences[:limit]]
    if len(sentences) > limit:
        more = grouped(len(sentences) - limit)
        lines.append(f"{indent}- and {more} more, listed in the JSON export")
    return lines


def joined(sentences: Sequence[str]) -> str:
    """Several sentences in one line; a semicolon only where no full stop ends the one before."""
    told = "; ".join(sentence(text, REASON_CHARACTERS) for text in sentences[:LIST_ITEMS])
    return told.replace(".; ", ". ")


def keys(names: Sequence[str]) -> str:
    """`4 keys: ...`, each as code."""
    shown = ", ".join(code(clip(name, TITLE_CHARACTERS)) for name in names[:LIST_ITEMS])
    more = len(names) - LIST_ITEMS
    rest = f" and {grouped(more)} more" if more > 0 else ""
    return f"{count_of(len(names), 'key')}: {shown}{rest}"


def counted_lines(counted: Counted | None) -> list[str]:
    """How a number of keys was counted, and what counts them again at their sources."""
    if counted is None:
        return []
    lines = [f"- **Counted:** {sentence(counted_sentence(counted))}"]
    for line in count_lines(counted):
        query = code(line.query) if line.query else line.why_not
        lines.append(f"  - {before_colon(line.source)}, {sentence(line.what)}: {query}")
    return lines


def cites(labels: Sequence[str]) -> str:
    """` [E3]`, or a range when one row cites many; empty for none."""
    if not labels:
        return ""
    named = ", ".join(labels) if len(labels) <= 3 else f"{labels[0]} to {labels[-1]}"
    return f" [{named}]"


def named_by_findings(document: Document) -> str:
    """`317 keys by partial-batch, 2 by re-press`: what no error names, as items never tried.

    Only findings that are likely at least, and only where they name a key that no error did.
    """
    failed = set(document.impact.affected)
    counts: dict[str, int] = {}
    for proof in document.findings:
        said = proof.verdict is not Verdict.POSSIBLE and not proof.qualifier
        if not said or failed.issuperset(proof.affected):
            continue
        counts[proof.term] = counts.get(proof.term, 0) + len(proof.affected)
    return ", ".join(f"{count_of(number, 'key')} by {term}" for term, number in counts.items())
