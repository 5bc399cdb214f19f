"""What `check` says of configured knowledge: each table in words, and whether its query would run.

A query is tried by asking for its first row, under the same bounds and refusals as on the night.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from halfawake.questions import asked
from timeline.clean import clean
from timeline.facts.words import length, listed, often
from timeline.knowledge import ExpectedSet

if TYPE_CHECKING:
    from connectors.contract import Connector
    from halfawake.questions import Question
    from timeline.knowledge import Contract, Knowledge, Schedule


@dataclass(frozen=True)
class Trial:
    """One configured query and why it would not run; an empty `problem` when it would."""

    question: Question
    problem: str

    @property
    def kind(self) -> str:
        return "expected" if isinstance(self.question.blank, ExpectedSet) else "sanity"


async def tried(
    questions: Sequence[Question], connector: Connector, within_s: float
) -> list[Trial]:
    """Ask for the first row of each, all of them within so many seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    trials = []
    for question in questions:
        answer = await asked(question, connector, 0, max(deadline - loop.time(), 0))
        trials.append(Trial(question, answer if isinstance(answer, str) else ""))
    return trials


def known_words(knowledge: Knowledge, trials: Sequence[Trial]) -> Iterator[tuple[str, str]]:
    """A label and a sentence for each table, in the order of the configuration's kinds."""
    for schedule in knowledge.schedules:
        yield "schedule", _schedule(schedule)
    for trial in trials:
        yield trial.kind, _trial(trial)
    for contract in knowledge.contracts:
        yield "contract", _contract(contract)
    if knowledge.regions:
        yield "regions", listed(knowledge.regions, len(knowledge.regions))


def known_fields(knowledge: Knowledge, trials: Sequence[Trial]) -> list[dict[str, object]]:
    """The same for scripts: `runs` is null where there is no query."""
    told: list[dict[str, object]] = [
        {"kind": kind, "name": name, "source": None, "runs": None, "problem": ""}
        for kind, name in (
            *(("schedule", one.name) for one in knowledge.schedules),
            *(("contract", one.name) for one in knowledge.contracts),
            *(("region", name) for name in knowledge.regions),
        )
    ]
    told += [
        {
            "kind": trial.kind,
            "name": trial.question.blank.name,
            "source": trial.question.source,
            "runs": not trial.problem,
            "problem": clean(trial.problem),
        }
        for trial in trials
    ]
    return told


def _schedule(schedule: Schedule) -> str:
    when = f"at {schedule.cron} in {schedule.zone}"
    if schedule.every is not None:
        when = f"every {length(schedule.every)}"
    late = length(schedule.tolerance)
    return f"{schedule.name}: due {when}, at most {late} late; known by its {schedule.work.words()}"


def _trial(trial: Trial) -> str:
    name, source = trial.question.blank.name, trial.question.source
    if trial.problem:
        return f"{name}: DOES NOT RUN on {source}: {trial.problem}"
    blank = trial.question.blank
    if isinstance(blank, ExpectedSet):
        wanted = f"each {trial.question.key} has a {blank.work.words()} {often(blank.times)}"
        return f"{name}: {wanted}; its query runs on {source}"
    return f"{name}: {blank.means}; its query runs on {source}"


def _contract(contract: Contract) -> str:
    state = f" with {contract.column}={contract.value}" if contract.column else ""
    return (
        f"{contract.name}: a row of {contract.table}{state} has a {contract.needs.words()} within "
        f"{length(contract.within)}"
    )
