"""Configured knowledge means what it says, or is refused with file, line, key and remedy."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

from halfawake.config import ConfigProblem, load_config
from halfawake.questions import EXPECTED_ROWS, QUESTION_S, SAMPLE_ROWS, SANITY_ROWS, UNASKED
from halfawake.setup import REMOTE_BUDGET, Setup, setup_for_environment
from tests.halfawake.test_config import written
from timeline.knowledge import Contract, Knowledge, Overlap, Schedule, Work
from timeline.window import MINUTE_NS, SECOND_NS

DOCUMENT = Path(__file__).parents[2] / "docs" / "knowledge.md"
SOURCES = """\
[env.prod.sources.db]
connector = "sqlite"
path = "app.db"

[env.prod.sources.files]
connector = "file"
paths = ["app.log"]

[keys.app]
table = "apps"

"""
SCHEDULE = '[env.prod.schedules.backup]\ncron = "0 2 * * *"\njob_class = "BackupJob"\n'
EXPECTED = (
    '[env.prod.expected.backups]\nsource = "db"\nquery = "SELECT id FROM apps"\nkey = "app"\n'
    'job_class = "BackupJob"\n'
)
CONTRACT = '[env.prod.contracts.welcome]\ntable = "users"\nneeds_job = "WelcomeMail"\n'
SANITY = (
    '[env.prod.sanity.orphans]\nsource = "db"\nquery = "SELECT id FROM apps"\nmeans = "odd apps"\n'
)


def prepared(folder: Path, text: str) -> Setup:
    sqlite3.connect(folder / "app.db").close()
    path = written(folder, text)
    return setup_for_environment(load_config(path, {}), path, "prod")


def known(folder: Path, text: str) -> Knowledge:
    return prepared(folder, SOURCES + text).knowledge


def test_the_documented_examples_load(tmp_path: Path) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    sources = SOURCES.replace('[keys.app]\ntable = "apps"\n', "")
    setup = prepared(tmp_path, "\n".join([*blocks, sources]))
    knowledge = setup.knowledge
    assert [one.name for one in knowledge.schedules] == ["backup", "heartbeat"]
    assert [one.name for one in knowledge.expected] == ["backups"]
    assert [one.name for one in knowledge.contracts] == ["welcome"]
    assert [one.name for one in knowledge.sanity] == ["orphans"]
    assert knowledge.regions == ("eu-west-1", "us-east-1")
    assert setup.expected_services == ("web", "mailer")
    assert [question.key for question in setup.questions] == ["app", "order"]


def test_the_documented_figures_are_those_of_the_code(tmp_path: Path) -> None:
    text = " ".join(DOCUMENT.read_text(encoding="utf-8").split())
    assert f"At most {EXPECTED_ROWS:,} keys".replace(",", " ") in text
    assert f"At most {SANITY_ROWS:,} rows".replace(",", " ") in text
    assert (QUESTION_S, "A query has five seconds" in text) == (5, True)
    assert (SAMPLE_ROWS, "the first three rows" in text) == (3, True)
    assert f"({REMOTE_BUDGET.seconds:g} s)" in text
    (schedule,) = known(tmp_path, SCHEDULE).schedules
    assert (schedule.tolerance, "1m when left out" in text) == (MINUTE_NS, True)
    (contract,) = known(tmp_path, CONTRACT).contracts
    assert (contract.within, "60s when left out" in text) == (60 * SECOND_NS, True)


def test_a_schedule_says_when_and_how_late(tmp_path: Path) -> None:
    more = 'zone = "Europe/Berlin"\ntolerance = "90s"\noverlap = "allow"\n'
    (schedule,) = known(tmp_path, SCHEDULE + more).schedules
    work = Work(job_class="BackupJob")
    assert schedule == Schedule(
        "backup", work, "0 2 * * *", None, "Europe/Berlin", 90 * SECOND_NS, Overlap.ALLOW
    )
    period = SCHEDULE.replace('cron = "0 2 * * *"', 'every = "15m"')
    (schedule,) = known(tmp_path, period).schedules
    assert schedule == Schedule("backup", work, every=15 * MINUTE_NS)


def test_a_contract_compares_values_as_the_rows_are_read(tmp_path: Path) -> None:
    base = CONTRACT + 'within = "5m"\ncolumn = "state"\n'
    for written_value, value in (('"pending"', "pending"), ("3", "3"), ("true", "true")):
        (contract,) = known(tmp_path, f"{base}value = {written_value}\n").contracts
        needs = Work(job_class="WelcomeMail")
        assert contract == Contract("welcome", "users", needs, 5 * MINUTE_NS, "state", value)


def test_what_was_not_asked_yet_is_no_answer(tmp_path: Path) -> None:
    knowledge = known(tmp_path, EXPECTED + SANITY)
    assert [one.problem for one in knowledge.expected] == [UNASKED]
    assert [one.problem for one in knowledge.sanity] == [UNASKED]
    assert knowledge.expected[0].keys == ()


def test_a_set_is_expected_once_a_run_where_runs_have_a_name(tmp_path: Path) -> None:
    nights = '[keys.night]\nfields = ["night"]\n' + EXPECTED + 'run = "night"\n'
    assert [one.run for one in known(tmp_path, nights).expected] == ["night"]
    assert [one.run for one in known(tmp_path, EXPECTED).expected] == [""]


def test_words_of_a_configuration_cannot_drive_the_terminal(tmp_path: Path) -> None:
    hostile = SANITY.replace("orphans", '"or\\u001b[31mphans"').replace("odd", "\\u001b]0;x")
    (answer,) = known(tmp_path, hostile).sanity
    assert (answer.name, answer.means) == ("or␛[31mphans", "␛]0;x apps")


def after(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize(
    ("wrong", "line", "said"),
    [
        (after(SCHEDULE, "0 2 *", "0 25 *"), 2, "'25' is no hour that ever comes"),
        (after(SCHEDULE, "0 2 * * *", "0 2 30 2 *"), 2, "'30' is no day-of-month that ever"),
        (after(SCHEDULE, "0 2 * * *", "@daily"), 2, "has 1 field, and cron has five: minute hour"),
        (after(SCHEDULE, "0 2 * * *", "0 0 2 * * *"), 2, "has 6 fields"),
        (SCHEDULE + 'zone = "Europe/Berln"\n', 4, "no time zone; the nearest name is 'Europe/Ber"),
        (SCHEDULE + 'zone = "Europe"\n', 4, "'Europe' is no time zone"),
        (SCHEDULE + 'every = "15m"\n', 1, "give either cron or every"),
        (after(SCHEDULE, 'cron = "0 2 * * *"\n', ""), 1, "give either cron or every"),
        (after(SCHEDULE, 'job_class = "BackupJob"', ""), 1, "give job_class, queue, log or table"),
        (SCHEDULE + 'log = "backup done"\n', 1, "recognised in one way"),
        (SCHEDULE + 'tolerance = "0s"\n', 4, "greater than 0"),
        (after(SCHEDULE, "job_class", "job_clas"), 3, "Did you mean 'job_class'?"),
        (SCHEDULE + 'overlap = "never"\n', 4, "'forbid' or 'allow'"),
        (after(EXPECTED, '"SELECT id FROM apps"', '"DELETE FROM apps"'), 3, "SELECT, WITH, TABLE"),
        (after(EXPECTED, 'source = "db"', 'source = "dbs"'), 2, "'dbs'. Did you mean 'db'?"),
        (after(EXPECTED, 'source = "db"', 'source = "files"'), 2, "answers no SQL"),
        (after(EXPECTED, '"app"', '"ap"'), 4, "no type of key 'ap'"),
        (after(EXPECTED, 'key = "app"\n', ""), 1, "expected.backups.key is missing"),
        (EXPECTED + 'run = "ap"\n', 6, "no type of key 'ap'"),
        (EXPECTED + "times = 0\n", 6, "greater than or equal to 1"),
        (CONTRACT + 'column = "state"\n', 1, "column and value belong together"),
        (after(CONTRACT, 'needs_job = "WelcomeMail"\n', ""), 1, "what was promised"),
        (CONTRACT + 'within = "soon"\n', 4, "'soon' is not a duration"),
        (after(SANITY, 'means = "odd apps"\n', ""), 1, "sanity.orphans.means is missing"),
        (after(SANITY, '"odd apps"', '""'), 4, "at least 1 character"),
        (SANITY + 'key = "order"\n', 5, "[keys.order] would say where its ids stand"),
        (after(SANITY, 'source = "db"', 'source = "nowhere"'), 2, "Of this environment, db can"),
    ],
)
def test_a_mistake_is_refused_with_its_line(
    tmp_path: Path, wrong: str, line: int, said: str
) -> None:
    with pytest.raises(ConfigProblem) as caught:
        known(tmp_path, wrong)
    message = str(caught.value)
    assert f"halfawake.toml, line {line + SOURCES.count(chr(10))}: " in message
    assert " env.prod." in message
    assert said in message
    assert ".." not in message and "?." not in message


def test_a_source_without_sql_anywhere_says_so(tmp_path: Path) -> None:
    files = SOURCES[SOURCES.index("[env.prod.sources.files]") :]
    with pytest.raises(ConfigProblem, match="No source here can"):
        prepared(tmp_path, files + SANITY)


def test_a_mistake_in_another_environment_is_refused_too(tmp_path: Path) -> None:
    wrong = after(SCHEDULE, "env.prod", "env.staging").replace("0 2 *", "0 25 *")
    with pytest.raises(ConfigProblem, match=r"env\.staging\.schedules\.backup\.cron"):
        known(tmp_path, wrong)
