"""`halfawake check` as a weekly job would use it: exit codes, JSON, bounds, 80 columns."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from functools import partial
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from connectors.contract import LOCAL_FILES, CheckReport, Cost, Writes
from halfawake.commands.check import exit_code_of
from halfawake.discovery.asking import Answered, all_of, ask
from halfawake.discovery.report import WIDTH, SourceReport, as_json, as_text
from halfawake.exit_codes import ExitCode
from tests.halfawake.fakes import FakeConnector, fake
from tests.halfawake.test_init import LINE, SECRET, halfawake
from timeline.clean import clean
from timeline.clock import ClockReading
from timeline.event import Lane
from timeline.incident import SourceInfo
from timeline.problems import NothingHere, SourceProblem, Unreachable
from timeline.window import Budget

LONG = "whether a word of this long sentence would still fit is decided by the width " * 3


def reported(refused: bool | None = True, name: str = "db") -> SourceReport:
    report = CheckReport(
        "PostgreSQL 15.18 (primary)",
        ("connected as reader", LONG),
        ("deleted rows\x1b[31m", LONG),
        ClockReading(name, 310_000, 1_200_000, 0),
        refused,
    )
    return answering(report, name)


def answering(
    report: CheckReport, name: str, system: str = "postgresql", lane: Lane = Lane.DATABASE
) -> SourceReport:
    budget = Budget(rows=50_000, bytes=64 * 1024**2, seconds=20)
    return SourceReport(SourceInfo(name, lane, system), budget, Answered(report, None, 0.25))


def silent(problem: SourceProblem, name: str = "queue") -> SourceReport:
    return SourceReport(SourceInfo(name, Lane.QUEUE, "rq"), Budget(), Answered(None, problem, 1.0))


SENTENCES = ("facts", "rights", "retention", "cannot_see")
SAID_BY_ALL: dict[str, object] = {
    "source": {"type": "string"},
    "connector": {"type": "string"},
    "lane": {"type": "string"},
    "answered": {"type": "boolean"},
    "seconds": {"type": "number"},
    "budget": {"$ref": "#/$defs/budget"},
}
SAID_BY_ANSWERED = ("system", "writes", "clock", "cost", *SENTENCES)
REFUSED = Unreachable("Nothing listens there", where="cache:6379", remedy="Check host and port.")


@pytest.mark.parametrize(
    ("reports", "code", "strict"),
    [
        ([reported()], ExitCode.DONE, ExitCode.DONE),
        ([reported(None)], ExitCode.DONE, ExitCode.DONE),
        ([reported(), silent(REFUSED)], ExitCode.PARTIAL, ExitCode.PARTIAL),
        ([reported(refused=False)], ExitCode.DONE, ExitCode.COULD_WRITE),
        ([reported(refused=False), silent(REFUSED)], ExitCode.PARTIAL, ExitCode.COULD_WRITE),
        ([silent(REFUSED)], ExitCode.NO_ANSWER, ExitCode.NO_ANSWER),
        ([silent(NothingHere("no keys"))], ExitCode.NO_ANSWER, ExitCode.NO_ANSWER),
    ],
)
def test_every_outcome_has_its_exit_code(
    reports: list[SourceReport], code: ExitCode, strict: ExitCode
) -> None:
    assert exit_code_of(reports) == code
    assert exit_code_of(reports, strict=True) == strict


def test_the_text_is_aligned_and_fits_80_columns() -> None:
    both = [reported(refused=False), silent(REFUSED), silent(NothingHere("no keys of RQ"), "rq")]
    lines = as_text("prod", both, 0.44, ExitCode.PARTIAL).splitlines()
    assert lines[:2] == ["prod: 1 of 3 sources answered in 0.4 s", "writes POSSIBLE: db"]
    assert max(map(len, lines)) <= WIDTH
    assert not any("\x1b" in line for line in lines)
    labelled = [line for line in lines if line.startswith("  ") and line[2:3].strip()]
    assert [line[2:13].strip() for line in labelled] == [
        "writes",
        "clock",
        "says",
        "cannot see",
        "a look",
    ]
    assert "  clock      +0.31 ±1.20 ms from here, measured now" in lines
    assert any(line.startswith("  writes     POSSIBLE") for line in lines)
    assert "queue (rq): no answer" in lines
    assert "rq: nothing there" in lines
    assert any("Nothing listens there (cache:6379). Check host" in line for line in lines)


def three() -> list[SourceReport]:
    """A database, a queue whose account is not known, and files."""
    database = CheckReport(
        "PostgreSQL 15.18 (primary)",
        ("connected as reader to db.internal:5432/shop",),
        ("deleted rows and overwritten values",),
        ClockReading("db", 310_000, 1_200_000, 0),
        writes_refused=True,
        retention=("rows as they are now",),
        cost=(
            Cost("orders.created_at", "orders_created_at_idx", 1200),
            Cost("events.at", "ids 812000 to 829000", None),
            Cost("audit.at", refused="no index, and 40 GiB are too large to be read whole"),
        ),
        rights=("SELECT on 12 tables and nothing else",),
    )
    queue = CheckReport(
        "RQ 3.0 on Redis 7.0.15",
        cannot_see=("successes after result_ttl (500 s)",),
        retention=("successes for 500 s (result_ttl, as configured)",),
        rights=("an account may ask only with the rules +acl|whoami +acl|dryrun",),
    )
    files = CheckReport("2 log files, 0.3 MB", ("web.log: json",), no_account=LOCAL_FILES)
    return [
        answering(database, "db"),
        answering(queue, "queue", "rq", Lane.QUEUE),
        answering(files, "files", "file", Lane.LOG),
    ]


GOLDEN = """\
prod: 3 of 3 sources answered in 0.4 s
writes UNKNOWN: queue

db (postgresql): PostgreSQL 15.18 (primary)
  writes     refused: this account cannot write
             SELECT on 12 tables and nothing else
  clock      +0.31 ±1.20 ms from here, measured now
  says       connected as reader to db.internal:5432/shop
  keeps      rows as they are now
  cannot see deleted rows and overwritten values
  costs      orders.created_at: about 1,200 rows by orders_created_at_idx
             events.at: by ids 812000 to 829000
             audit.at: REFUSED: no index, and 40 GiB are too large to be read
               whole
  a look     takes at most 50000 rows, 64 MiB, 20 s

queue (rq): RQ 3.0 on Redis 7.0.15
  writes     UNKNOWN: it is not proved that this account cannot write
             an account may ask only with the rules +acl|whoami +acl|dryrun
  keeps      successes for 500 s (result_ttl, as configured)
  cannot see successes after result_ttl (500 s)
  a look     takes at most 50000 rows, 64 MiB, 20 s

files (file): 2 log files, 0.3 MB
  writes     local: read on this machine with your own rights; only ever opened
               for reading
  says       web.log: json
  a look     takes at most 50000 rows, 64 MiB, 20 s
"""


def test_three_sources_read_as_a_person_reads_them() -> None:
    assert as_text("prod", three(), 0.4, ExitCode.DONE) == GOLDEN


def test_unknown_is_told_and_fails_no_weekly_job() -> None:
    assert exit_code_of(three(), strict=True) == ExitCode.DONE
    assert [one.report.writes for one in three() if one.report] == [
        Writes.REFUSED,
        Writes.UNKNOWN,
        Writes.NOT_APPLICABLE,
    ]


SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["format", "environment", "exit_code", "seconds", "sources", "knowledge"],
    "properties": {
        "format": {"const": 1},
        "environment": {"type": "string"},
        "exit_code": {"enum": [0, 3, 4, 5]},
        "seconds": {"type": "number", "minimum": 0},
        "sources": {
            "type": "array",
            "items": {"oneOf": [{"$ref": "#/$defs/answered"}, {"$ref": "#/$defs/silent"}]},
        },
        "knowledge": {"type": "array", "items": {"$ref": "#/$defs/known"}},
    },
    "$defs": {
        "sentences": {"type": "array", "items": {"type": "string", "minLength": 1}},
        "budget": {
            "type": "object",
            "additionalProperties": False,
            "required": ["rows", "bytes", "seconds"],
            "properties": {name: {"type": "number"} for name in ("rows", "bytes", "seconds")},
        },
        "known": {
            "type": "object",
            "additionalProperties": False,
            "required": ["kind", "name", "source", "runs", "problem"],
            "properties": {
                "kind": {"enum": ["schedule", "expected", "contract", "sanity", "region"]},
                "name": {"type": "string", "minLength": 1},
                "source": {"type": ["string", "null"]},
                "runs": {"type": ["boolean", "null"]},
                "problem": {"type": "string"},
            },
        },
        "cost": {
            "type": "object",
            "additionalProperties": False,
            "required": ["read", "way", "rows", "refused", "reason"],
            "properties": {
                "read": {"type": "string", "minLength": 1},
                "way": {"type": "string"},
                "rows": {"type": ["integer", "null"], "minimum": 0},
                "refused": {"type": "boolean"},
                "reason": {"type": "string"},
            },
        },
        "answered": {
            "type": "object",
            "additionalProperties": False,
            "required": [*SAID_BY_ALL, *SAID_BY_ANSWERED],
            "properties": {
                **SAID_BY_ALL,
                "answered": {"const": True},
                "system": {"type": "string", "minLength": 1},
                "writes": {"enum": ["refused", "possible", "unknown", "not_applicable"]},
                "clock": {
                    "type": ["object", "null"],
                    "additionalProperties": False,
                    "required": ["offset_ms", "error_ms"],
                    "properties": {"offset_ms": {"type": "number"}, "error_ms": {"minimum": 0}},
                },
                **{name: {"$ref": "#/$defs/sentences"} for name in SENTENCES},
                "cost": {"type": "array", "items": {"$ref": "#/$defs/cost"}},
            },
        },
        "silent": {
            "type": "object",
            "additionalProperties": False,
            "required": [*SAID_BY_ALL, "problem"],
            "properties": {
                **SAID_BY_ALL,
                "answered": {"const": False},
                "problem": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["kind", "what", "where", "remedy"],
                    "properties": {
                        name: {"type": "string"} for name in ("kind", "what", "where", "remedy")
                    },
                },
            },
        },
    },
}


def test_json_is_what_the_documentation_says() -> None:
    validator = Draft202012Validator(SCHEMA)
    told = json.loads(as_json("prod", [*three(), silent(REFUSED)], 0.4, ExitCode.PARTIAL))
    validator.validate(told)
    database, queue, files, _ = told["sources"]
    assert [one["writes"] for one in (database, queue, files)] == [
        "refused",
        "unknown",
        "not_applicable",
    ]
    assert database["cost"][2]["refused"] is True
    assert database["cost"][0] == {
        "read": "orders.created_at",
        "way": "orders_created_at_idx",
        "rows": 1200,
        "refused": False,
        "reason": "",
    }
    documented = (Path(__file__).parents[2] / "docs" / "init.md").read_text(encoding="utf-8")
    fields = {*SAID_BY_ALL, *SAID_BY_ANSWERED, "problem", *database["cost"][0]}
    assert [name for name in sorted(fields) if f"`{name}`" not in documented] == []
    queue["writes"] = "perhaps"
    assert not validator.is_valid(told)


def test_json_says_the_same_in_fields() -> None:
    both = [reported(None), silent(REFUSED)]
    text = as_json("prod", both, 0.4444, ExitCode.PARTIAL)
    assert "u001b" not in text
    told = json.loads(text)
    assert (told["format"], told["environment"], told["exit_code"]) == (1, "prod", 3)
    good, bad = told["sources"]
    assert (good["source"], good["answered"], good["writes"]) == ("db", True, "unknown")
    assert good["clock"] == {"offset_ms": 0.31, "error_ms": 1.2}
    assert good["cannot_see"] == [clean("deleted rows\x1b[31m"), clean(LONG)]
    assert bad["answered"] is False
    assert bad["problem"] == {
        "kind": "Unreachable",
        "what": "Nothing listens there",
        "where": "cache:6379",
        "remedy": "Check host and port.",
    }
    assert "system" not in bad


def test_a_connector_that_hangs_or_breaks_is_a_problem_in_time() -> None:
    class Hangs(FakeConnector):
        async def check(self) -> CheckReport:
            await asyncio.sleep(60)
            raise AssertionError

    class Breaks(FakeConnector):
        async def check(self) -> CheckReport:
            raise KeyError(SECRET)

    began = time.monotonic()
    hung = asyncio.run(ask(_as(Hangs), 0.1))
    assert time.monotonic() - began < 30
    assert hung.problem is not None
    assert "0.1 s" in hung.problem.what
    broke = asyncio.run(ask(_as(Breaks), 5))
    assert broke.problem is not None
    assert "KeyError" in broke.problem.sentence()
    assert SECRET not in broke.problem.sentence()


def _as(cls: type[FakeConnector]) -> FakeConnector:
    made = fake("x")
    made.__class__ = cls
    return made


def test_only_so_many_are_asked_at_once_and_answers_keep_their_order() -> None:
    running, most = 0, 0

    async def work(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return number

    async def all_works() -> list[int]:
        return await all_of([partial(work, number) for number in range(10)], at_once=3)

    assert asyncio.run(all_works()) == list(range(10))
    assert most == 3


def test_a_weekly_job_reads_json_from_stdout(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text(LINE, encoding="utf-8")
    text = (
        '[env.prod.sources.files]\nconnector = "file"\npaths = ["app.log"]\n'
        '[env.prod.sources.queue]\nconnector = "rq"\nurl = "redis://:${PASS}@127.0.0.1:9/0"\n'
    )
    (tmp_path / "halfawake.toml").write_text(text, encoding="utf-8")
    done = halfawake(tmp_path, "check", "--json", PASS=SECRET)
    told = json.loads(done.stdout)
    assert done.returncode == told["exit_code"] == 3
    assert [one["answered"] for one in told["sources"]] == [True, False]
    assert told["sources"][1]["problem"]["kind"] == "Unreachable"
    assert halfawake(tmp_path, "check", "--source", "files", PASS=SECRET).returncode == 0
    assert halfawake(tmp_path, "check", "--source", "queue", PASS=SECRET).returncode == 4


def test_an_environment_without_sources_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "halfawake.toml").write_text("[env.prod]\n", encoding="utf-8")
    done = halfawake(tmp_path, "check")
    assert done.returncode == 2
    assert "halfawake init" in done.stderr


KNOWN = """\
[keys.app]
table = "apps"

[env.prod]
regions = ["eu-1", "us-east"]

[env.prod.sources.db]
connector = "sqlite"
path = "app.db"

[env.prod.sources.files]
connector = "file"
paths = ["app.log"]

[env.prod.schedules.nightly]
cron = "0 2 * * *"
zone = "Europe/Berlin"
job_class = "BackupJob"

[env.prod.expected.backups]
source = "db"
query = "SELECT id FROM apps"
key = "app"
job_class = "BackupJob"

[env.prod.contracts.welcome]
table = "users"
column = "state"
value = "pending"
needs_job = "WelcomeMail"
within = "60s"

[env.prod.sanity.orphans]
source = "db"
query = "SELECT owner FROM apps"
means = "apps without an owner"
"""


def test_configured_knowledge_is_listed_and_its_queries_are_tried(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text(LINE, encoding="utf-8")
    (tmp_path / "halfawake.toml").write_text(KNOWN, encoding="utf-8")
    with sqlite3.connect(tmp_path / "app.db") as connection:
        connection.execute("CREATE TABLE apps (id INTEGER PRIMARY KEY, created_at TEXT)")
        connection.execute("INSERT INTO apps VALUES (1, '2026-03-14 02:00:00')")
    connection.close()
    done = halfawake(tmp_path, "check")
    assert done.returncode == 3, done.stderr
    section = done.stdout[done.stdout.index("\nknowledge\n") :].splitlines()[2:]
    assert max(map(len, section)) <= WIDTH
    assert " ".join(" ".join(section).split()) == (
        "schedule nightly: due at 0 2 * * * in Europe/Berlin, at most 1 min late; known by its "
        "BackupJob job "
        "expected backups: each app has a BackupJob job once; its query runs on db "
        "sanity orphans: DOES NOT RUN on db: SQLite does not run it: no such column: owner "
        "(SELECT owner FROM apps). Write it as one SELECT. "
        "contract welcome: a row of users with state=pending has a WelcomeMail job within 1 min "
        "regions eu-1 and us-east"
    )
    told = json.loads(halfawake(tmp_path, "check", "--json").stdout)
    Draft202012Validator(SCHEMA).validate(told)
    runs = {(one["kind"], one["name"]): one["runs"] for one in told["knowledge"]}
    assert runs == {
        ("schedule", "nightly"): None,
        ("contract", "welcome"): None,
        ("region", "eu-1"): None,
        ("region", "us-east"): None,
        ("expected", "backups"): True,
        ("sanity", "orphans"): False,
    }
    only = halfawake(tmp_path, "check", "--source", "files")
    assert only.returncode == 0
    assert "orphans" not in only.stdout


def test_a_database_that_is_gone_keeps_its_queries_from_running(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text(LINE, encoding="utf-8")
    (tmp_path / "halfawake.toml").write_text(KNOWN, encoding="utf-8")
    done = halfawake(tmp_path, "check")
    assert done.returncode == 3
    assert "backups: DOES NOT RUN on db: its source does not answer" in done.stdout
