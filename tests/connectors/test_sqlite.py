"""SQLite files as they are found: forms of time, journals, locks, damage; and nothing changed."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.contract import CheckReport
from connectors.discovery import Place
from connectors.sqlite import SQLiteConnector, SQLiteOptions
from tests.conformance.collecting import Collected, drained, fetched, looked_up
from timeline.coverage import Sight
from timeline.event import Event, Kind, Precision
from timeline.keys import KeyRules
from timeline.problems import (
    AccessRefused,
    BadAnswer,
    Misconfigured,
    NothingHere,
    Overloaded,
    SourceProblem,
)
from timeline.window import MINUTE_NS, SECOND_NS, Budget, Window

AT = datetime(2026, 11, 20, 3, 14, 7, 250_000, tzinfo=UTC)
AT_NS = int(AT.timestamp() * 1_000) * 1_000_000
WINDOW = Window(AT_NS, AT_NS - 30 * MINUTE_NS, AT_NS + 5 * MINUTE_NS)


def connector(path: Path, **options: object) -> SQLiteConnector:
    validated = SQLiteOptions.model_validate({"path": str(path), **options})
    return SQLiteConnector("db", validated, KeyRules())


def fetch(path: Path, window: Window = WINDOW, **options: object) -> Collected:
    return fetched(connector(path, **options), window)


def rows(collected: Collected, kind: Kind = Kind.ROW_INSERTED) -> dict[str, Event]:
    return {e.ref.partition("#")[0]: e for e in collected.events if e.kind is kind}


def problem_of(path: Path, window: Window = WINDOW, **options: object) -> SourceProblem:
    with pytest.raises(SourceProblem) as caught:
        fetch(path, window, **options)
    return caught.value


def checked(path: Path, **options: object) -> CheckReport:
    async def check() -> CheckReport:
        reader = connector(path, **options)
        try:
            return await reader.check()
        finally:
            await reader.close()

    return asyncio.run(check())


def made(path: Path, script: str, *rows_: tuple[object, ...]) -> Path:
    """A database of this schema, with rows for its table `things`."""
    with closing(sqlite3.connect(path)) as database:
        database.executescript(script)
        for row in rows_:
            marks = ", ".join("?" * len(row))
            database.execute(f"INSERT INTO things VALUES ({marks})", row)
        database.commit()
    return path


THINGS = "CREATE TABLE things (id integer PRIMARY KEY, created_at {type});"
JULIAN = AT.timestamp() / 86_400 + 2_440_587.5


@pytest.mark.parametrize(
    ("declared", "stored", "exact", "precision"),
    [
        ("datetime", "2026-11-20 03:14:07.250000", True, Precision.MICROSECOND),
        ("datetime", "2026-11-20T03:14:07.250Z", True, Precision.MILLISECOND),
        ("text", "2026-11-20T05:14:07.250+02:00", True, Precision.MILLISECOND),
        ("text", "2026-11-20 03:14:07", False, Precision.SECOND),
        ("integer", int(AT.timestamp()), False, Precision.SECOND),
        ("integer", int(AT.timestamp() * 1_000), True, Precision.MILLISECOND),
        ("integer", int(AT.timestamp() * 1_000_000), True, Precision.MICROSECOND),
        ("real", AT.timestamp(), True, Precision.MICROSECOND),
        ("real", JULIAN, True, Precision.MILLISECOND),
        ("", "2026-11-20 03:14:07.250", True, Precision.MILLISECOND),
    ],
)
def test_the_form_of_a_time_is_told_by_its_values(
    tmp_path: Path, declared: str, stored: object, exact: bool, precision: Precision
) -> None:
    path = made(tmp_path / "a.db", THINGS.replace("{type}", declared), (1, stored))
    event = rows(fetch(path))["things/1"]
    assert event.timestamp == (AT_NS if exact else AT_NS - 250_000_000)
    assert event.precision is precision


def test_text_with_fractions_of_any_length_is_found(tmp_path: Path) -> None:
    stamps = ["2026-11-20 03:14:07", "2026-11-20 03:14:07.2", "2026-11-20 03:14:07.999999"]
    path = made(tmp_path / "a.db", THINGS.replace("{type}", "text"), *enumerate(stamps, 1))
    second = Window(AT_NS, AT_NS - 250_000_000, AT_NS + 750_000_000)
    assert set(rows(fetch(path, second))) == {"things/1", "things/2", "things/3"}


def test_a_stamp_without_zone_is_read_in_the_declared_one_and_that_is_said(tmp_path: Path) -> None:
    berlin = "2026-11-20 04:14:07.250"
    path = made(tmp_path / "a.db", THINGS.replace("{type}", "text"), (1, berlin))
    assert rows(fetch(path, zone="Europe/Berlin"))["things/1"].timestamp == AT_NS
    assumed = fetch(path)
    assert not rows(assumed)
    assert [r.topic for r in assumed.remarks] == ["zone-assumed"]


def test_the_hour_that_clocks_read_twice_is_said(tmp_path: Path) -> None:
    path = made(tmp_path / "a.db", THINGS.replace("{type}", "text"), (1, "2026-10-25 02:30:00"))
    first = int(datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp()) * SECOND_NS
    collected = fetch(path, Window.around(first, MINUTE_NS, 90 * MINUTE_NS), zone="Europe/Berlin")
    assert rows(collected)["things/1"].timestamp == first
    assert any("twice" in e.reason and e.sight is Sight.PARTIAL for e in collected.coverage)


def test_what_is_no_time_is_listed_or_said(tmp_path: Path) -> None:
    """One half-written stamp costs only itself; a column of another thing is left alone."""
    stamps = ["2026-11-20 03:14:07"] * 3 + ["2026-11-20 03:1"]
    path = made(tmp_path / "a.db", THINGS.replace("{type}", "text"), *enumerate(stamps, 1))
    collected = fetch(path)
    assert len(rows(collected)) == 3
    looked = looked_up(connector(path), ("thing:4",), WINDOW)
    undated = [batch.undated for batch in looked.batches if batch.undated is not None]
    assert [frame.get_column("ref").to_list() for frame in undated] == [["things/4#created_at"]]
    other = made(tmp_path / "b.db", THINGS.replace("{type}", "text"), (1, "by hand"), (2, "import"))
    assert any("are no times" in e.reason for e in fetch(other).coverage)


def test_two_forms_in_one_column_are_said(tmp_path: Path) -> None:
    text, number = "2026-11-20 03:14:07", int(AT.timestamp())
    mixed = [(1, text), (2, text), (3, number)]
    path = made(tmp_path / "a.db", THINGS.replace("{type}", "datetime"), *mixed)
    collected = fetch(path)
    assert set(rows(collected)) == {"things/1", "things/2"}
    assert any("only the text is read" in entry.reason for entry in collected.coverage)


APPLICATION = """
import sqlite3, sys
database = sqlite3.connect({path!r})
database.execute("PRAGMA journal_mode = {mode}")
database.executescript("{schema}")
database.execute("INSERT INTO things VALUES (1, '2026-11-20 03:14:07')")
database.commit()
print("ready", flush=True)
sys.stdin.read()
database.close()
"""
"""Writes a row and keeps the database open until its standard input ends."""


def _fingerprint(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        file.name: (hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_mtime_ns)
        for file in folder.iterdir()
    }


@pytest.mark.parametrize("mode", ["delete", "truncate", "persist", "wal"])
@pytest.mark.parametrize("used", [True, False])
def test_not_one_byte_changes(tmp_path: Path, mode: str, used: bool) -> None:
    """Of the file, of what lies beside it, nor which files lie there; open elsewhere or not."""
    path = tmp_path / "a.db"
    program = APPLICATION.format(path=str(path), mode=mode, schema=THINGS.replace("{type}", "text"))
    # a process of its own: two connections of one process share what lies beside the file
    application = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert application.stdout is not None
    application.stdout.readline()
    if not used:
        application.communicate()
    before = _fingerprint(tmp_path)
    collected = fetch(path)
    looked_up(connector(path), ("thing:1",), WINDOW)
    checked(path)
    assert _fingerprint(tmp_path) == before
    assert set(rows(collected)) == {"things/1"}
    copied = any(remark.topic == "copy" for remark in collected.remarks)
    assert copied is (mode == "wal" and not used)
    application.communicate()


def test_a_private_copy_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "private"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as application:
        application.execute("PRAGMA journal_mode = wal")
        application.executescript(THINGS.replace("{type}", "text"))
    reader = connector(path)

    async def read() -> list[Path]:
        await drained(reader.fetch(WINDOW, Budget()))
        copies = list(folder.iterdir())
        assert (copies[0].stat().st_mode & 0o777) == 0o700
        await reader.close()
        return copies

    assert len(asyncio.run(read())) == 1
    assert list(folder.iterdir()) == []


def test_a_closed_wal_database_too_large_to_copy_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as application:
        application.execute("PRAGMA journal_mode = wal")
        application.executescript(THINGS.replace("{type}", "text"))
    problem = problem_of(path, copy_bytes=1_000)
    assert isinstance(problem, Misconfigured)
    assert "copy" in problem.remedy
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.db"]


def _crash_within(path: Path, mode: str) -> None:
    """A process that ends without a farewell: committed work in the WAL, or a half-done write."""
    pid = os.fork()
    if pid == 0:
        database = sqlite3.connect(path, isolation_level=None)
        database.execute(f"PRAGMA journal_mode = {mode}")
        if mode == "wal":
            database.execute("UPDATE things SET created_at = '2026-11-20 03:15:00'")
        else:
            database.execute("PRAGMA cache_spill = 1")
            database.execute("PRAGMA cache_size = 1")
            database.execute("BEGIN")
            database.execute("UPDATE things SET created_at = '1999-01-01 00:00:00'")
        os._exit(0)
    os.waitpid(pid, 0)


@pytest.mark.parametrize(("mode", "minute"), [("wal", 15), ("delete", 14)])
def test_a_writer_that_crashed_is_read_around(tmp_path: Path, mode: str, minute: int) -> None:
    """What it committed is seen, what it did not is not; and its journal is left to its owner."""
    many = [(n, "2026-11-20 03:14:00") for n in range(1, 2_001)]
    path = made(tmp_path / "a.db", THINGS.replace("{type}", "text"), *many)
    _crash_within(path, mode)
    (tmp_path / "a.db-shm").unlink(missing_ok=True)  # it is gone after a restart of the machine
    before = _fingerprint(tmp_path)
    assert len(before) == 2, "the crash left a journal"
    found = rows(fetch(path))
    assert _fingerprint(tmp_path) == before
    stamp = int(datetime(2026, 11, 20, 3, minute, tzinfo=UTC).timestamp()) * SECOND_NS
    assert {event.timestamp for event in found.values()} == {stamp}
    assert len(found) == 2_000


def test_a_locked_database_is_evidence_and_soon_said(tmp_path: Path) -> None:
    path = made(tmp_path / "a.db", THINGS.replace("{type}", "text"), (1, "2026-11-20 03:14:07"))
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        started = time.monotonic()
        problem = problem_of(path)
        assert time.monotonic() - started < 1.5
        writer.execute("ROLLBACK")
    assert isinstance(problem, Overloaded)
    assert "locked by a writer" in problem.sentence()


def test_a_write_of_the_application_succeeds_while_we_read(tmp_path: Path) -> None:
    many = [(n, "2026-11-20 03:14:07") for n in range(1, 501)]
    path = made(tmp_path / "a.db", THINGS.replace("{type}", "text"), *many)
    errors: list[str] = []
    writes = 0
    stop = threading.Event()

    def work() -> None:
        nonlocal writes
        with closing(sqlite3.connect(path, timeout=5, isolation_level=None)) as application:
            while not stop.is_set():
                try:
                    application.execute("UPDATE things SET created_at = created_at WHERE id = 1")
                    writes += 1
                    time.sleep(0.002)
                except sqlite3.Error as error:
                    errors.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for _ in range(3):
            try:
                assert len(rows(fetch(path, page_rows=100))) == 500
            except Overloaded:
                continue  # a writer that never rests may starve us, never the other way round
    finally:
        stop.set()
        thread.join()
    assert errors == []
    assert writes > 5


@pytest.mark.parametrize("indexed", [True, False])
def test_a_large_table_is_never_read_from_end_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, indexed: bool
) -> None:
    monkeypatch.setattr("connectors.sql.tables.LARGE_ROWS", 1_000)
    script = (
        "CREATE TABLE things (id integer PRIMARY KEY, created_at integer, updated_at integer,"
        " user_id integer);"
    )
    first = int(AT.timestamp()) - 20_000
    many = [(n, first + n, first + n, n % 7) for n in range(1, 40_001)]
    path = made(tmp_path / "a.db", script, *many)
    if indexed:
        with closing(sqlite3.connect(path)) as database:
            database.execute("CREATE INDEX by_time ON things (created_at)")
            database.execute("CREATE INDEX by_user ON things (user_id)")
    window = Window.around(AT_NS, MINUTE_NS, MINUTE_NS)
    collected = fetch(path, window)
    assert len(rows(collected)) == 120
    reasons = " ".join(entry.reason for entry in collected.coverage)
    notes = " ".join(remark.sentence for remark in collected.remarks)
    assert ("rows were found by id" in reasons) is not indexed
    assert ("read through by_time" in notes) is indexed
    assert "things.updated_at: it has no index and things is too large" in reasons
    looked = looked_up(connector(path), ("user:3",), window)
    assert bool(looked.events) is indexed
    assert any("user_id has no index" in e.reason for e in looked.coverage) is not indexed
    by_id = looked_up(connector(path), ("thing:39999",), window)
    assert [event.seq for event in by_id.events] == [39_999]


def test_ids_out_of_the_order_of_time_are_no_bracket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.sql.tables.LARGE_ROWS", 1_000)
    script = "CREATE TABLE things (id integer PRIMARY KEY, created_at integer);"
    last = int(AT.timestamp()) + 20_000
    many = [(n, last - n) for n in range(1, 40_001)]  # an import that ran backwards
    collected = fetch(made(tmp_path / "a.db", script, *many))
    assert not rows(collected)
    assert any("not in the order of time" in entry.reason for entry in collected.coverage)


def test_cancelling_ends_a_long_statement_soon(tmp_path: Path) -> None:
    script = (
        "CREATE TABLE seed (id integer PRIMARY KEY, created_at text);"
        "CREATE VIEW slow AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
        " SELECT i AS id, '1999-01-01 00:00:0' || (i % 10) AS created_at FROM n;"
    )
    path = made(tmp_path / "a.db", script)
    table = {"name": "slow", "pk": "id", "time_columns": ["created_at"]}

    async def cancelled() -> float:
        reader = connector(path, tables=[table], statement_timeout_ms=60_000)
        task = asyncio.create_task(drained(reader.fetch(WINDOW, Budget())))
        await asyncio.sleep(0.3)
        started = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - started

    assert asyncio.run(cancelled()) < 1.0
    limited = fetch(path, tables=[table], statement_timeout_ms=100)
    assert any("statement_timeout_ms" in entry.reason for entry in limited.coverage)


def test_what_is_no_database_is_a_sentence(tmp_path: Path) -> None:
    assert isinstance(problem_of(tmp_path / "nowhere.db"), Misconfigured)
    text = tmp_path / "notes.db"
    text.write_text("shopping list")
    assert isinstance(problem_of(text), BadAnswer)
    good = made(tmp_path / "a.db", THINGS.replace("{type}", "text"), (1, "2026-11-20 03:14:07"))
    cut = tmp_path / "cut.db"
    for kept in (20, 99, 4_096, 5_000):  # the last ends within a page, which SQLite takes for empty
        cut.write_bytes(good.read_bytes()[:kept])
        assert isinstance(problem_of(cut), BadAnswer)
    assert isinstance(problem_of(tmp_path), AccessRefused)


def test_a_file_without_stamps_is_not_ours(tmp_path: Path) -> None:
    path = made(tmp_path / "a.db", "CREATE TABLE things (id integer PRIMARY KEY, name text);")
    with pytest.raises(NothingHere):
        checked(path)


def test_check_names_the_framework(tmp_path: Path) -> None:
    script = THINGS.replace("{type}", "datetime") + "CREATE TABLE django_migrations (id integer);"
    report = checked(made(tmp_path / "a.db", script))
    assert any("Django" in fact for fact in report.facts)
    assert report.writes_refused is False, "this account owns the file"


def test_names_that_look_like_code_are_names(tmp_path: Path) -> None:
    name = 'odd"; DROP TABLE things; --'
    quoted = '"' + name.replace('"', '""') + '"'
    script = f"CREATE TABLE {quoted} (id text PRIMARY KEY, created_at text);"
    path = made(tmp_path / "a.db", script)
    with closing(sqlite3.connect(path)) as database:
        database.execute(
            f"INSERT INTO {quoted} VALUES (?, ?)", ("x' OR 1=1", "2026-11-20 03:14:07")
        )
        database.commit()
    collected = fetch(path)
    assert len(rows(collected)) == 1
    hostile = looked_up(connector(path), (f"row:{name}/x' OR 1=1",), WINDOW)
    assert len(hostile.events) == 1
    nothing = looked_up(connector(path), (f"row:{name}/' OR '1'='1",), WINDOW)
    assert nothing.events == []


def test_a_table_without_key_is_known_by_its_row_number(tmp_path: Path) -> None:
    path = made(tmp_path / "a.db", "CREATE TABLE things (name text, created_at text);",
                ("a", "2026-11-20 03:14:07"))  # fmt: skip
    assert set(rows(fetch(path))) == {"things/1"}


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="Europe/Berlin"):
        SQLiteOptions.model_validate({"path": "a.db", "zone": "Nowhere"})


def test_discovery_finds_files_at_their_frameworks_places(tmp_path: Path) -> None:
    (tmp_path / "storage").mkdir()
    made(tmp_path / "storage/development.sqlite3", THINGS.replace("{type}", "text"))
    (tmp_path / "db.sqlite3").write_text("")  # as `rails db:create` leaves it: nothing in it yet
    variables = {"DATABASE_URL": "sqlite:///app.db"}
    found = list(SQLiteConnector.candidates(Place(variables, tmp_path, tmp_path)))
    assert [(c.options["path"], c.local) for c in found] == [
        (str(tmp_path / "app.db"), False),
        (str(tmp_path / "storage/development.sqlite3"), True),
    ]
