"""Configured queries are asked beside the window, bounded, and their failures cost nothing."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.contract import Answer, QueryAnswer
from halfawake.config import load_config
from halfawake.questions import (
    QUESTION_S,
    SAMPLE_CHARACTERS,
    Known,
    Question,
    can_answer,
    put,
    with_answer,
)
from halfawake.setup import PreparedSource, Setup, setup_for_environment
from tests.halfawake.fakes import FakeConnector, FakeOptions, event, fake, setup_of
from tests.halfawake.test_collector import T, collected
from tests.halfawake.test_config import written
from timeline.batch import batch_of
from timeline.event import Lane
from timeline.incident import SourceInfo
from timeline.keys import KeyRules
from timeline.knowledge import ExpectedSet, Knowledge, SanityAnswer, Work
from timeline.problems import Misconfigured, NothingHere
from timeline.window import Budget, Window

BLANK = ExpectedSet("backups", Work(job_class="BackupJob"), problem="not asked")
SANE = SanityAnswer("orphans", "odd apps", "db", problem="not asked")
APPS = QueryAnswer(("id", "name"), (("1", "a"), ("2", None), (None, "x"), ("1", "b")), True, T)


class Asked(FakeConnector):
    """Answers queries: by statement, after `delay` seconds each."""

    def __init__(self, source: str, answers: dict[str, QueryAnswer | Exception]) -> None:
        super().__init__(source, FakeOptions(), KeyRules())
        self.answers = answers
        self.delay = 0.0
        self.limits: list[tuple[int, float]] = []
        self.under_way = 0
        self.most = 0

    async def query(self, statement: str, limit: int, seconds: float) -> QueryAnswer:
        self.limits.append((limit, seconds))
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await asyncio.sleep(self.delay)
        finally:
            self.under_way -= 1
        answer = self.answers[statement]
        if isinstance(answer, Exception):
            raise answer
        return answer


def source_of(connector: FakeConnector | None, name: str, seconds: float = 5) -> PreparedSource:
    problem = NothingHere("It is not installed") if connector is None else None
    return PreparedSource(
        SourceInfo(name, Lane.DATABASE, "fake"), connector, Budget(seconds=seconds), problem
    )


def answers_of(questions: list[Question], *sources: PreparedSource) -> list[Known]:
    taken: list[Known] = []
    asyncio.run(put(questions, sources, taken.append))
    return taken


def one(question: Question, *sources: PreparedSource) -> Known:
    (answer,) = answers_of([question], *sources)
    return answer


def test_an_expected_set_is_typed_by_its_first_column() -> None:
    connector = Asked("db", {"q": APPS})
    known = one(Question("db", "q", "app", 50, BLANK), source_of(connector, "db", seconds=20))
    assert known == replace(BLANK, keys=("app:1", "app:2"), asked_at=T, problem="")
    assert connector.limits == [(50, QUESTION_S)]


def test_a_sanity_answer_counts_its_rows_and_shows_the_first() -> None:
    connector = Asked("db", {"q": replace(APPS, complete=False)})
    known = one(Question("db", "q", "", 3, SANE), source_of(connector, "db"))
    assert isinstance(known, SanityAnswer)
    assert (known.rows, known.complete, known.keys, known.problem) == (4, False, (), "")
    assert known.sample == ("id=1, name=a", "id=2, name=NULL", "id=NULL, name=x")


def test_a_sample_is_never_a_whole_page() -> None:
    long = QueryAnswer(("body",), (("x" * 10_000,),), True, T)
    known = one(Question("db", "q", "", 3, SANE), source_of(Asked("db", {"q": long}), "db"))
    assert isinstance(known, SanityAnswer)
    assert len(known.sample[0]) == SAMPLE_CHARACTERS


def test_every_failure_leaves_its_reason_and_the_others_their_answers() -> None:
    connector = Asked(
        "db",
        {
            "bad": Misconfigured("PostgreSQL does not run it", where="SELECT x", remedy="Fix it."),
            "bug": KeyError("hunter2"),
            "good": APPS,
        },
    )
    questions = [Question("db", q, "app", 9, replace(BLANK, name=q)) for q in connector.answers]
    questions.append(Question("gone", "good", "app", 9, replace(BLANK, name="gone")))
    questions.append(Question("absent", "good", "app", 9, replace(BLANK, name="absent")))
    questions.append(Question("mute", "good", "app", 9, replace(BLANK, name="mute")))
    sources = (source_of(connector, "db"), source_of(None, "gone"), source_of(fake("m"), "mute"))
    told = {known.name: known.problem for known in answers_of(questions, *sources)}
    assert told == {
        "bad": "PostgreSQL does not run it (SELECT x). Fix it",
        "bug": "The connector failed (KeyError). That is a bug: report it",
        "good": "",
        "gone": "its source gone cannot be asked: It is not installed",
        "absent": "its source absent is left out of this look",
        "mute": "mute answers no SQL",
    }


def test_a_source_is_asked_one_question_at_a_time_within_its_seconds() -> None:
    connector = Asked("db", {str(n): APPS for n in range(5)})
    connector.delay = 0.15
    questions = [Question("db", q, "", 9, replace(SANE, name=q)) for q in connector.answers]
    began = time.monotonic()
    told = answers_of(questions, source_of(connector, "db", seconds=0.4))
    assert time.monotonic() - began < 5
    assert connector.most == 1
    problems = [known.problem for known in told]
    assert problems[0] == ""
    assert "No answer within" in problems[2] or "no time left" in problems[2]
    assert problems[4] == "db had no time left for it (it has 0.4 s)"
    assert all(seconds <= 0.4 for _, seconds in connector.limits)


def test_an_answer_takes_the_place_of_its_own_blank_only() -> None:
    same_name = replace(SANE, name="backups")
    knowledge = Knowledge(expected=(BLANK, replace(BLANK, name="b")), sanity=(same_name,))
    answered = replace(BLANK, keys=("app:1",), problem="")
    known = with_answer(knowledge, answered)
    assert known == replace(knowledge, expected=(answered, knowledge.expected[1]))


def test_who_can_answer() -> None:
    from halfawake.plugins import connector_class

    able = {"postgresql", "mysql", "sqlite"}
    for name in (*able, "file", "rq", "elasticsearch"):
        assert can_answer(connector_class(name)) == (name in able)


@pytest.fixture
def shop(tmp_path: Path) -> Setup:
    with sqlite3.connect(tmp_path / "app.db") as connection:
        connection.executescript(
            "CREATE TABLE apps (id INTEGER PRIMARY KEY, backups INTEGER, created_at TEXT);"
            "INSERT INTO apps VALUES (1, 1, '2026-03-14 02:00:00'), (2, 0, '2026-03-14 02:00:00'),"
            " (3, 1, '2026-03-14 02:00:00');"
        )
    connection.close()
    text = (
        '[keys.app]\ntable = "apps"\n'
        '[env.prod.sources.db]\nconnector = "sqlite"\npath = "' + str(tmp_path / "app.db") + '"\n'
        '[env.prod.schedules.nightly]\ncron = "0 2 * * *"\njob_class = "BackupJob"\n'
        '[env.prod.expected.backups]\nsource = "db"\nkey = "app"\njob_class = "BackupJob"\n'
        'query = "SELECT id FROM apps WHERE backups ORDER BY id DESC"\n'
        '[env.prod.sanity.odd]\nsource = "db"\nmeans = "apps without backups"\n'
        'query = "SELECT id FROM apps WHERE NOT backups"\nkey = "app"\n'
        '[env.prod.sanity.wrong]\nsource = "db"\nmeans = "nothing"\nquery = "SELECT x FROM apps"\n'
    )
    path = written(tmp_path, text)
    return setup_for_environment(load_config(path, {}), path, "prod")


def test_a_collection_knows_what_a_real_database_answered(shop: Setup) -> None:
    before = time.time_ns()
    knowledge = collected(shop).incident.knowledge
    assert [schedule.name for schedule in knowledge.schedules] == ["nightly"]
    (expected,) = knowledge.expected
    assert (expected.keys, expected.complete, expected.problem) == (("app:3", "app:1"), True, "")
    assert before <= expected.asked_at <= time.time_ns()
    odd, wrong = knowledge.sanity
    assert (odd.rows, odd.keys, odd.sample) == (1, ("app:2",), ("id=2",))
    assert "no such column: x" in wrong.problem
    assert wrong.rows == 0


def test_queries_run_beside_the_window_and_never_lose_it() -> None:
    """The window waits for the query and the query for the window: only together can they end."""
    connector = Asked("db", {"q": APPS, "fails": Misconfigured("no")})
    reading, asking = asyncio.Event(), asyncio.Event()

    async def behaviour(window: Window) -> AsyncIterator[Answer]:
        reading.set()
        await asking.wait()
        yield batch_of("db", [event("db", T, "kept")])

    class Together(Asked):
        async def query(self, statement: str, limit: int, seconds: float) -> QueryAnswer:
            asking.set()
            await reading.wait()
            return await super().query(statement, limit, seconds)

    connector.__class__ = Together
    connector.behaviour = behaviour
    setup = replace(
        setup_of(connector),
        knowledge=Knowledge(expected=(BLANK,), sanity=(SANE,)),
        questions=(Question("db", "q", "app", 9, BLANK), Question("db", "fails", "", 9, SANE)),
    )
    result = collected(setup)
    assert [e.body for e in result.incident.snapshot.in_order(0, 9)] == ["kept"]
    assert result.incident.knowledge.expected[0].keys == ("app:1", "app:2")
    assert result.incident.knowledge.sanity[0].problem == "no"
    assert [status.problem for status in result.statuses] == [""]


def test_they_are_asked_once_for_a_look_and_its_look_ups() -> None:
    connector = Asked("db", {"q": APPS})
    setup = replace(
        setup_of(connector),
        knowledge=Knowledge(expected=(BLANK,)),
        questions=(Question("db", "q", "app", 9, BLANK),),
    )
    collected(setup, key="app:1")
    assert len(connector.limits) == 1
