"""Configured queries put to the sources that can answer them: bounded, and never a lost screen.

A query that fails, is refused or takes too long leaves its reason in the answer. One source is
asked one question at a time, within the seconds that it may be read at all. Read-only is the
source's own promise (`connectors.contract.Queryable`); nothing here writes SQL.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, TypeGuard

from halfawake.discovery.asking import guarded
from timeline.clean import clean
from timeline.knowledge import ExpectedSet, Knowledge, SanityAnswer

if TYPE_CHECKING:
    from connectors.contract import Connector, Queryable, QueryAnswer
    from halfawake.setup import PreparedSource, Setup

QUESTION_S = 5.0
"""What one query may take of a system that is already in trouble."""
EXPECTED_ROWS = 50_000
"""Keys of one expected set: more than a night's batch has, and all of them stand in the bundle."""
SANITY_ROWS = 1_000
"""Bad rows counted exactly; beyond that "more than" says enough."""
SAMPLE_ROWS = 3
"""Bad rows shown in words where they have no keys to be named by."""
SAMPLE_CHARACTERS = 160
UNASKED = "it has not been asked yet"
"""Stands in every blank: nothing is known until an answer is there."""

Known: TypeAlias = ExpectedSet | SanityAnswer


@dataclass(frozen=True, slots=True)
class Question:
    """One query, put to `source`; `blank` is what its answer is filled into.

    The first column of the answer holds the values of keys of the type `key`, or with an empty
    `key` nothing in particular. At most `limit` rows are read.
    """

    source: str
    statement: str
    key: str
    limit: int
    blank: Known

    def filled(self, answer: QueryAnswer) -> Known:
        """The blank with what was answered."""
        keys = _keys(self.key, answer)
        if isinstance(self.blank, ExpectedSet):
            return replace(
                self.blank,
                keys=keys,
                complete=answer.complete,
                asked_at=answer.asked_at,
                problem="",
            )
        return replace(
            self.blank,
            rows=len(answer.rows),
            complete=answer.complete,
            keys=keys,
            sample=_sample(answer),
            asked_at=answer.asked_at,
            problem="",
        )

    def unanswered(self, problem: str) -> Known:
        """The blank with the reason why it stays empty."""
        return replace(self.blank, problem=clean(problem).rstrip("."))


def can_answer(connector: object) -> TypeGuard[Queryable]:
    """Whether a connector, or a connector class, answers configured queries."""
    return callable(getattr(connector, "query", None))


class Answers:
    """What one collection knows of its environment: the answers as they come, else blanks."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self.knowledge = setup.knowledge

    async def ask(self) -> None:
        """Put every question; the knowledge of an earlier look stands until it is answered anew."""
        await put(self._setup.questions, self._setup.sources, self._take)

    def _take(self, known: Known) -> None:
        self.knowledge = with_answer(self.knowledge, known)


async def put(
    questions: Sequence[Question],
    sources: Iterable[PreparedSource],
    take: Callable[[Known], None],
) -> None:
    """Put every question to its source; `take` is given each answer as it comes.

    Sources are asked side by side, and each has its `budget.seconds` for all of its questions.
    """
    prepared = {source.info.name: source for source in sources}
    async with asyncio.TaskGroup() as group:
        for name in dict.fromkeys(question.source for question in questions):
            own = [question for question in questions if question.source == name]
            group.create_task(_put_to(prepared.get(name), own, take))


async def _put_to(
    source: PreparedSource | None, questions: Sequence[Question], take: Callable[[Known], None]
) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + (source.budget.seconds if source is not None else 0)
    for question in questions:
        if source is None:
            take(question.unanswered(f"its source {question.source} is left out of this look"))
            continue
        left = deadline - loop.time()
        if left <= 0:
            what = f"{question.source} had no time left for it (it has {source.budget.seconds:g} s)"
            take(question.unanswered(what))
            continue
        take(await _answer(question, source, left))


async def _answer(question: Question, source: PreparedSource, left: float) -> Known:
    if source.connector is None:
        why = source.problem.sentence() if source.problem is not None else "it was not prepared"
        return question.unanswered(f"its source {question.source} cannot be asked: {why}")
    answer = await asked(question, source.connector, question.limit, left)
    return question.unanswered(answer) if isinstance(answer, str) else question.filled(answer)


async def asked(
    question: Question, connector: Connector, limit: int, within_s: float
) -> QueryAnswer | str:
    """The first `limit` rows of the answer within `within_s`, or why there is none in words.

    The wait for the source's own reads counts; the query itself has `QUESTION_S` at most.
    """
    if not can_answer(connector):
        return f"{question.source} answers no SQL"
    within = max(round(within_s, 1), 0.1)  # tenths are what a sentence should say
    work = partial(connector.query, question.statement, limit, min(QUESTION_S, within))
    answer, problem = await guarded(work, within)
    if answer is not None:
        return answer
    return problem.sentence() if problem is not None else "it said nothing"


def with_answer(knowledge: Knowledge, known: Known) -> Knowledge:
    """`knowledge` in which `known` has replaced its blank."""
    if isinstance(known, ExpectedSet):
        expected = (known if one.name == known.name else one for one in knowledge.expected)
        return replace(knowledge, expected=tuple(expected))
    sanity = (known if one.name == known.name else one for one in knowledge.sanity)
    return replace(knowledge, sanity=tuple(sanity))


def _keys(kind: str, answer: QueryAnswer) -> tuple[str, ...]:
    """Typed keys of the first column, each once, in the order of the answer."""
    if not kind:
        return ()
    return tuple(dict.fromkeys(f"{kind}:{row[0]}" for row in answer.rows if row and row[0]))


def _sample(answer: QueryAnswer) -> tuple[str, ...]:
    """The first rows as `id=7, state=paid`."""
    told = (
        ", ".join(
            f"{name}={'NULL' if cell is None else cell}"
            for name, cell in zip(answer.columns, row, strict=False)
        )
        for row in answer.rows[:SAMPLE_ROWS]
    )
    return tuple(
        line if len(line) <= SAMPLE_CHARACTERS else f"{line[: SAMPLE_CHARACTERS - 1]}…"
        for line in told
    )
