"""The tables of a configuration that say what a team knows: all optional, none ever guessed.

`[env.E.schedules.NAME]`, `expected`, `contracts` and `sanity`; see docs/knowledge.md. Here they are
checked and turned into `timeline.knowledge` and into questions for the sources. Nothing is asked
here, and no connection is opened.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from halfawake.questions import EXPECTED_ROWS, SANITY_ROWS, UNASKED, Known, Question
from halfawake.setting_types import DurationMs, Strict
from timeline.clean import clean
from timeline.clock import MILLISECOND_NS
from timeline.knowledge import (
    Contract,
    ExpectedSet,
    Knowledge,
    Overlap,
    SanityAnswer,
    Schedule,
    Work,
)
from timeline.words import count_of

if TYPE_CHECKING:
    from halfawake.config import EnvironmentConfig
    from timeline.keys import KeyRules

CRON_FIELDS = ("minute", "hour", "day-of-month", "month", "day-of-week")


class KnowledgeProblem(ValueError):
    """A table refers to what is not there; `place` are the names that lead to the setting."""

    def __init__(self, place: tuple[str, ...], what: str) -> None:
        super().__init__(what)
        self.place = place


def cron_expression(text: str) -> str:
    """`text`, if it is five fields of cron that come up at some date. Raises ValueError."""
    from datetime import UTC, datetime

    from cronsim import CronSim, CronSimError

    fields = text.split()
    if len(fields) != len(CRON_FIELDS):
        raise ValueError(
            f"{text!r} has {count_of(len(fields), 'field')}, and cron has five: "
            f"{' '.join(CRON_FIELDS)}"
        )
    try:
        CronSim(text, datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        name = str(error).removeprefix("Bad ")
        if name not in CRON_FIELDS:
            raise ValueError(f"{text!r} is not understood: {error}") from None
        wrong = fields[CRON_FIELDS.index(name)]
        raise ValueError(f"{text!r}: {wrong!r} is no {name} that ever comes") from None
    return text


def zone_name(text: str) -> str:
    """`text`, if it names a time zone. Raises ValueError with the nearest name."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

    try:
        return ZoneInfo(text).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = difflib.get_close_matches(text, sorted(available_timezones()), n=1)
    hint = f"the nearest name is {near[0]!r}" if near else "write it as 'Europe/Berlin' or 'UTC'"
    raise ValueError(f"{text!r} is no time zone; {hint}")


def reading_query(text: str) -> str:
    """`text`, if it begins as one reading statement does. Raises ValueError.

    That it changes nothing, the database proves before it is run.
    """
    from connectors.sql.query import one_reading_statement
    from timeline.problems import Misconfigured

    try:
        return one_reading_statement(text)
    except Misconfigured as problem:
        raise ValueError(f"{problem.what}: {problem.where!r}") from None


Cron = Annotated[str, AfterValidator(cron_expression)]
ZoneName = Annotated[str, AfterValidator(zone_name)]
Query = Annotated[str, AfterValidator(reading_query)]
Shown = Annotated[str, AfterValidator(clean)]
"""Stands in findings and is compared with records, which are cleaned as well."""
Text = Annotated[str, Field(min_length=1), AfterValidator(clean)]
Reference = Annotated[str, Field(min_length=1)]
"""Names another table of the configuration, as it is written there."""
Length = Annotated[DurationMs, Field(gt=0)]


def _nanoseconds(milliseconds: float) -> int:
    return round(milliseconds * MILLISECOND_NS)


class _WorkConfig(Strict):
    """How the work is recognised: by its jobs (`job_class`, `queue`), or by the `log` line that
    tells of it, or by the row it leaves in `table`."""

    job_class: Shown = ""
    queue: Shown = ""
    log: Shown = ""
    table: Shown = ""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [bool(self.job_class or self.queue), bool(self.log), bool(self.table)]
        if not any(ways):
            raise ValueError(
                "nothing says how its work is recognised; give job_class, queue, log or table"
            )
        if sum(ways) > 1:
            raise ValueError(
                "its work is recognised in one way: by job_class and queue, or by log, or by table"
            )
        return self

    @property
    def work(self) -> Work:
        return Work(self.job_class, self.queue, self.log, self.table)


class ScheduleConfig(_WorkConfig):
    """`[env.E.schedules.NAME]`: work that is due at known instants, `cron` or `every`."""

    cron: Cron | None = None
    every: Length | None = None
    zone: ZoneName = "UTC"
    tolerance: Length | None = None
    overlap: Overlap = Overlap.FORBID

    @model_validator(mode="after")
    def _cron_or_every(self) -> Self:
        if (self.cron is None) == (self.every is None):
            raise ValueError("give either cron or every")
        return self

    def schedule(self, name: str) -> Schedule:
        known = Schedule(name, self.work, self.cron or "", zone=self.zone, overlap=self.overlap)
        if self.every is not None:
            known = replace(known, every=_nanoseconds(self.every))
        if self.tolerance is not None:
            known = replace(known, tolerance=_nanoseconds(self.tolerance))
        return known


class ExpectedConfig(_WorkConfig):
    """`[env.E.expected.NAME]`: the things that must each be worked on, as a query of their ids."""

    source: Reference
    query: Query
    key: Reference
    ordered: bool = False
    times: Annotated[int, Field(ge=1)] = 1
    run: str = ""

    def question(self, name: str) -> Question:
        blank = ExpectedSet(
            name,
            self.work,
            ordered=self.ordered,
            times=self.times,
            problem=UNASKED,
            run=clean(self.run),
        )
        return Question(self.source, self.query, self.key, EXPECTED_ROWS, blank)


class ContractConfig(Strict):
    """`[env.E.contracts.NAME]`: a row of `table` (while `column` is `value`) has its job, row or
    line `within` so long of its creation."""

    table: Text
    column: Shown = ""
    value: Shown | bool | int | None = None
    needs_job: Shown = ""
    needs_queue: Shown = ""
    needs_row: Shown = ""
    needs_log: Shown = ""
    within: Length | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.column) != (self.value is not None):
            raise ValueError("column and value belong together; give both or neither")
        if self.needs == Work():
            raise ValueError(
                "nothing says what was promised; give needs_job, needs_queue, needs_row or "
                "needs_log"
            )
        return self

    @property
    def needs(self) -> Work:
        return Work(self.needs_job, self.needs_queue, self.needs_log, self.needs_row)

    def contract(self, name: str) -> Contract:
        known = Contract(name, self.table, self.needs)
        if self.column:
            value = self.value if isinstance(self.value, str) else json.dumps(self.value)
            known = replace(known, column=self.column, value=value)
        if self.within is not None:
            known = replace(known, within=_nanoseconds(self.within))
        return known


class SanityConfig(Strict):
    """`[env.E.sanity.NAME]`: a query that finds bad data, and what its rows mean in words."""

    source: Reference
    query: Query
    means: Text
    key: str = ""

    def question(self, name: str) -> Question:
        blank = SanityAnswer(name, self.means, clean(self.source), problem=UNASKED)
        return Question(self.source, self.query, self.key, SANITY_ROWS, blank)


def knowledge_of(environment: EnvironmentConfig) -> tuple[Knowledge, tuple[Question, ...]]:
    """What is known, with a blank for each answer, and the questions that fill the blanks."""
    questions = tuple(_questions(environment))
    blanks: list[Known] = [question.blank for question in questions]
    known = Knowledge(
        schedules=tuple(one.schedule(clean(name)) for name, one in environment.schedules.items()),
        expected=tuple(blank for blank in blanks if isinstance(blank, ExpectedSet)),
        contracts=tuple(one.contract(clean(name)) for name, one in environment.contracts.items()),
        sanity=tuple(blank for blank in blanks if isinstance(blank, SanityAnswer)),
        regions=tuple(clean(region) for region in environment.regions),
    )
    return known, questions


def _questions(environment: EnvironmentConfig) -> Iterator[Question]:
    yield from (one.question(clean(name)) for name, one in environment.expected.items())
    yield from (one.question(clean(name)) for name, one in environment.sanity.items())


def check_references(
    environment: EnvironmentConfig, rules: KeyRules, askable: Mapping[str, bool]
) -> None:
    """Raises `KnowledgeProblem` for a source or a type of key that a question names in vain.

    `askable` says of every source of the environment whether it answers queries.
    """
    tables: Mapping[str, Mapping[str, ExpectedConfig | SanityConfig]] = {
        "expected": environment.expected,
        "sanity": environment.sanity,
    }
    for table, entries in tables.items():
        for name, entry in entries.items():
            if what := _no_source(entry.source, askable):
                raise KnowledgeProblem((table, name, "source"), what)
            if entry.key and rules.named(entry.key) is None:
                raise KnowledgeProblem((table, name, "key"), _no_key(entry.key, rules))
    for name, expected in environment.expected.items():
        if expected.run and rules.named(expected.run) is None:
            raise KnowledgeProblem(("expected", name, "run"), _no_key(expected.run, rules))


def _no_source(source: str, askable: Mapping[str, bool]) -> str:
    if askable.get(source):
        return ""
    others = ", ".join(name for name, able in askable.items() if able)
    there = f"Of this environment, {others} can." if others else "No source here can."
    if source in askable:
        return f"source {source!r} answers no SQL. {there}"
    near = difflib.get_close_matches(source, askable, n=1)
    return f"there is no source {source!r}. " + (f"Did you mean {near[0]!r}?" if near else there)


def _no_key(key: str, rules: KeyRules) -> str:
    names = [known.name for known in rules.types]
    near = difflib.get_close_matches(key, names, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Known are {', '.join(names)}."
    return f"there is no type of key {key!r}; [keys.{key}] would say where its ids stand. {hint}"
