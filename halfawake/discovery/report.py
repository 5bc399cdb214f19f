"""What `check` says of sources: aligned text for 80 columns, or one JSON object for scripts."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.contract import Writes
from halfawake.discovery.asking import Answered
from halfawake.discovery.known import Trial, known_fields, known_words
from halfawake.discovery.words import WRITES, clock_words, cost_words, writes_words
from timeline.clean import clean
from timeline.clock import MILLISECOND_NS
from timeline.incident import SourceInfo
from timeline.knowledge import Knowledge
from timeline.window import Budget

if TYPE_CHECKING:
    from connectors.contract import CheckReport, Cost
    from halfawake.exit_codes import ExitCode

WIDTH = 79
LABEL = 10
"""Width of the column of labels: the longest is `cannot see`, with its space before the words."""
MEBIBYTE = 1024**2
JSON_FORMAT = 1
"""Raised when a field of the JSON object changes its meaning."""
NOTHING_KNOWN = Knowledge()

ACTED_ON = (Writes.POSSIBLE, Writes.UNKNOWN)
"""Verdicts that the summary names the sources of: what nobody proved safe is never a quiet line."""


@dataclass(frozen=True)
class SourceReport:
    """One source: who it is, what a look at it may cost at most, and what it said."""

    info: SourceInfo
    budget: Budget
    answered: Answered

    @property
    def report(self) -> CheckReport | None:
        return self.answered.report


def as_text(
    environment: str,
    reports: Sequence[SourceReport],
    seconds: float,
    code: ExitCode,
    knowledge: Knowledge = NOTHING_KNOWN,
    trials: Sequence[Trial] = (),
) -> str:
    """A line of summary, a paragraph for each source in the order of the configuration, and one
    for what is known beyond the sources."""
    del code  # people read the sentences
    count = sum(one.report is not None for one in reports)
    name = f"{clean(environment)}: " if environment else ""
    lines = [f"{name}{count} of {len(reports)} sources answered in {seconds:.1f} s"]
    for verdict in ACTED_ON:
        lines += _named(verdict, reports)
    for one in reports:
        lines += ["", *_paragraph(one)]
    known = [line for said in known_words(knowledge, trials) for line in _labelled(*said)]
    if known:
        lines += ["", "knowledge", *known]
    return "\n".join(lines) + "\n"


def as_json(
    environment: str,
    reports: Sequence[SourceReport],
    seconds: float,
    code: ExitCode,
    knowledge: Knowledge = NOTHING_KNOWN,
    trials: Sequence[Trial] = (),
) -> str:
    """One object; its fields are documented in docs/init.md."""
    told = {
        "format": JSON_FORMAT,
        "environment": environment,
        "exit_code": int(code),
        "seconds": round(seconds, 3),
        "sources": [_source(one) for one in reports],
        "knowledge": known_fields(knowledge, trials),
    }
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def _named(verdict: Writes, reports: Sequence[SourceReport]) -> list[str]:
    """`writes UNKNOWN: queue, logs`, or nothing when that is so for no source."""
    named = [one.info.name for one in reports if one.report and one.report.writes is verdict]
    if not named:
        return []
    said = f"writes {WRITES[verdict]}: {', '.join(map(clean, named))}"
    return textwrap.wrap(said, WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def _paragraph(one: SourceReport) -> list[str]:
    report, problem = one.answered.report, one.answered.problem
    name, system = clean(one.info.name), one.info.system
    head = name if name == system else f"{name} ({system})"
    if report is None:
        said = problem.sentence() if problem is not None else "it said nothing"
        verdict = "nothing there" if one.answered.nothing_there else "no answer"
        return [f"{head}: {verdict}", *_labelled("", said)]
    lines = [f"{head}: {clean(report.system)}"]
    for label, words in _facts(report):
        lines += _labelled(label, words)
    return lines + _labelled("a look", _limits(one.budget))


def _facts(report: CheckReport) -> Iterator[tuple[str, str]]:
    yield from _under("writes", (writes_words(report), *report.rights))
    if report.clock is not None:
        yield "clock", f"{clock_words(report.clock)} from here, measured now"
    yield from _under("says", report.facts)
    yield from _under("keeps", report.retention)
    yield from _under("cannot see", report.cannot_see)
    yield from _under("costs", [cost_words(cost) for cost in report.cost])


def _under(label: str, sentences: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The first sentence beside its label, the others beneath it."""
    for number, sentence in enumerate(sentences):
        yield "" if number else label, sentence


def _labelled(label: str, words: str) -> list[str]:
    """`  label     words …`, wrapped under itself."""
    return textwrap.wrap(
        clean(words),
        WIDTH,
        initial_indent=f"  {label:<{LABEL}} ",
        subsequent_indent=" " * (LABEL + 5),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _limits(budget: Budget) -> str:
    """What one look may cost the system, whatever it holds."""
    return f"takes at most {budget.rows} rows, {budget.bytes // MEBIBYTE} MiB, {budget.seconds:g} s"


def _source(one: SourceReport) -> dict[str, object]:
    report, problem = one.answered.report, one.answered.problem
    told: dict[str, object] = {
        "source": one.info.name,
        "connector": one.info.system,
        "lane": str(one.info.lane),
        "answered": report is not None,
        "seconds": round(one.answered.seconds, 3),
        "budget": {
            "rows": one.budget.rows,
            "bytes": one.budget.bytes,
            "seconds": one.budget.seconds,
        },
    }
    if problem is not None:
        told["problem"] = {
            "kind": type(problem).__name__,
            "what": clean(problem.what),
            "where": clean(problem.where),
            "remedy": clean(problem.remedy),
        }
    if report is not None:
        told |= {
            "system": clean(report.system),
            "writes": report.writes.value,
            "rights": [clean(said) for said in (*report.rights, report.no_account) if said],
            "clock": _clock(report),
            "facts": [clean(fact) for fact in report.facts],
            "retention": [clean(kept) for kept in report.retention],
            "cannot_see": [clean(blind) for blind in report.cannot_see],
            "cost": [_cost(cost) for cost in report.cost],
        }
    return told


def _cost(cost: Cost) -> dict[str, str | int | bool | None]:
    return {
        "read": clean(cost.read),
        "way": clean(cost.way),
        "rows": cost.rows,
        "refused": bool(cost.refused),
        "reason": clean(cost.refused),
    }


def _clock(report: CheckReport) -> dict[str, float] | None:
    """Offset (server minus here) and its bound, in milliseconds."""
    if report.clock is None:
        return None
    return {
        "offset_ms": report.clock.offset / MILLISECOND_NS,
        "error_ms": report.clock.error / MILLISECOND_NS,
    }
