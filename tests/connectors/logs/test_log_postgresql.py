"""PostgreSQL's own logs: three destinations, the usual prefixes, what explains a message."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.logs.dialect import decide
from connectors.logs.zones import ZoneRule
from tests.connectors.logs.agreement import agreed
from tests.connectors.logs.reading import T0, load, write
from timeline.event import Event

PREFIXES = (
    "2026-03-14 02:07:29.110 UTC [812] ",
    "2026-03-14 02:07:29.110 UTC [812] app@shop ",
    "2026-03-14 02:07:29.110 UTC [812]: [3-1] user=app,db=shop,app=psql - main,client=10.0.0.5 ",
    "2026-03-14 02:07:29.110 UTC:10.0.0.5(51234):app@shop:[812]:",
    "2026-03-14 03:07:29.110 CET [812] 69b4c2f1.32c app@shop ",
)
DEADLOCK = (
    ("ERROR", "deadlock detected"),
    ("DETAIL", "Process 812 waits for ShareLock on transaction 740; blocked by process 811."),
    ("", "\tProcess 811 waits for ShareLock on transaction 741; blocked by process 812."),
    ("HINT", "See server log for query details."),
    ("CONTEXT", 'while updating tuple (0,1) in relation "users"'),
    ("STATEMENT", "UPDATE users SET name = 'x'"),
    ("", "\tWHERE id = 4711"),
)


def read(*lines: str) -> list[Event]:
    dialect = decide(lines, ZoneRule(), T0 // 10**9)
    return agreed("".join(line + "\n" for line in lines).encode(), dialect)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_what_explains_a_message_is_part_of_it(prefix: str) -> None:
    lines = [f"{prefix}{label}:  {text}" if label else text for label, text in DEADLOCK]
    later = prefix.replace(":29.110", ":30.000")
    events = read(*lines, f"{later}LOG:  checkpoint starting: time")
    assert len(events) == 2
    deadlock = events[0]
    assert (deadlock.timestamp, deadlock.severity_number) == (T0, 17)
    body = deadlock.body.split("␊")
    assert body[0].endswith("deadlock detected")
    assert body[1:4] == [
        "DETAIL:  Process 812 waits for ShareLock on transaction 740; blocked by process 811.",
        " Process 811 waits for ShareLock on transaction 741; blocked by process 812.",
        "HINT:  See server log for query details.",
    ]
    assert {"txn:740", "txn:741"} <= set(deadlock.keys)
    assert events[1].body.endswith("checkpoint starting: time")


@pytest.mark.parametrize(
    ("word", "text", "severity"),
    [
        ("LOG", "process 812 still waiting for ShareLock on transaction 741 after 1000.1 ms", 9),
        ("LOG", "process 812 acquired ShareLock on transaction 741 after 2003.402 ms", 9),
        ("ERROR", "canceling statement due to lock timeout", 17),
        ("LOG", "connection authorized: user=app database=shop", 9),
        ("FATAL", "sorry, too many clients already", 21),
        ("PANIC", "could not write to file: No space left on device", 21),
        ("WARNING", "there is no transaction in progress", 13),
        ("DEBUG2", "checkpointer updated shared memory", 5),
        ("NOTICE", "relation exists, skipping", 10),
    ],
)
def test_the_servers_words_are_levels(word: str, text: str, severity: int) -> None:
    for prefix in PREFIXES:
        (event,) = read(f"{prefix}{word}:  {text}")
        assert event.severity_number == severity
        assert event.body.endswith(text)
        assert ("txn:741" in event.keys) == ("741" in text)


CSV = (
    '2026-03-14 02:07:29.110 UTC,"app","shop",812,"10.0.0.5:51234",69b4c2f1.32c,3,"UPDATE waiting",'
    '2026-03-14 02:00:00 UTC,4/12,741,LOG,00000,"process 812 still waiting for ShareLock on '
    'transaction 740 after 1000.123 ms","Process holding the lock: 811. Wait queue: 812.",,,,'
    '"while updating tuple (0,1) in relation ""users""","UPDATE users SET name = \'x\'",,,"web",'
    '"client backend",,0'
)


def test_a_line_of_csvlog_tells_message_detail_context_and_statement() -> None:
    (event,) = read(CSV)
    assert event.body == (
        "[812] app@shop process 812 still waiting for ShareLock on transaction 740 after 1000.123 "
        "ms␊DETAIL:  Process holding the lock: 811. Wait queue: 812.␊CONTEXT:  while updating "
        "tuple (0,1) in relation \"users\"␊STATEMENT:  UPDATE users SET name = 'x'"
    )
    assert set(event.keys) == {"txn:740", "txn:741", "session:69b4c2f1.32c"}
    assert event.severity_number == 9


def test_a_csvlog_line_of_a_background_process_has_no_account() -> None:
    (event,) = read(
        "2026-03-14 02:07:29.110 UTC,,,70,,69b4c2f1.46,2,,2026-03-14 02:00:00 UTC,,0,LOG,00000,"
        '"checkpoint starting: time",,,,,,,,,"","checkpointer",,0'
    )
    assert event.body == "[70] checkpoint starting: time"
    assert event.keys == ("session:69b4c2f1.46",)


def test_a_statement_over_several_lines_of_csvlog_stays_one_event() -> None:
    first, second = CSV.replace("SET name = 'x'", "SET name = 'x'\nWHERE id = 1").split("\n")
    events = read(first, second, CSV.replace(":29.110", ":30.000"))
    assert len(events) == 2
    assert "STATEMENT:  UPDATE users SET name = 'x'␊WHERE id = 1" in events[0].body


def test_jsonlog_names_process_level_and_explanations() -> None:
    record = {
        "timestamp": "2026-03-14 02:07:29.110 UTC",
        "user": "app",
        "dbname": "shop",
        "pid": 812,
        "session_id": "69b4c2f1.32c",
        "vxid": "4/12",
        "txid": 741,
        "error_severity": "FATAL",
        "state_code": "53300",
        "message": "sorry, too many clients already",
        "detail": "All slots are taken.",
        "hint": "Raise max_connections.",
        "statement": "SELECT 1",
        "backend_type": "client backend",
        "query_id": 0,
    }
    idle = {**record, "txid": 0, "detail": None, "hint": None, "statement": None}
    fatal, other = read(json.dumps(record), json.dumps(idle))
    assert fatal.body == (
        "[812] sorry, too many clients already␊DETAIL:  All slots are taken.␊"
        "HINT:  Raise max_connections.␊STATEMENT:  SELECT 1"
    )
    assert (fatal.timestamp, fatal.severity_number) == (T0, 21)
    assert {"txn:741", "session:69b4c2f1.32c"} <= set(fatal.keys)
    assert other.body == "[812] sorry, too many clients already"
    assert not [key for key in other.keys if key.startswith("txn:")]


def test_context_of_another_json_log_is_not_appended(tmp_path: Path) -> None:
    line = '{"time":"2026-03-14T02:07:29.110Z","msg":"m","context":"c","pid":3}'
    (event,) = load(write(tmp_path, "app.log", line)).events
    assert event.body == "m"


def test_a_detail_that_opens_the_file_is_part_of_no_record(tmp_path: Path) -> None:
    path = write(
        tmp_path, "pg.log", PREFIXES[0] + "DETAIL:  torn off", PREFIXES[0] + "LOG:  started"
    )
    loaded = load(path)
    assert [event.body for event in loaded.events] == ["[812] started"]
    assert loaded.topics()["undated"] == 1


def test_a_long_server_log_is_bisected_between_records(tmp_path: Path) -> None:
    lines = []
    for number in range(6_000):
        hour, rest = divmod(number, 3600)
        minute, second = divmod(rest, 60)
        prefix = f"2026-03-14 {hour + 1:02d}:{minute:02d}:{second:02d}.000 UTC [812] app@shop "
        lines += [f"{prefix}{label}:  {text}" if label else text for label, text in DEADLOCK]
    path = write(tmp_path, "postgresql.log", *lines)
    from timeline.window import SECOND_NS, Window

    pin = T0 // SECOND_NS * SECOND_NS
    loaded = load(path, window=Window(pin, pin - 20 * SECOND_NS, pin + 20 * SECOND_NS))
    assert len(loaded.events) == 40
    assert all(event.body.count("␊") == 6 for event in loaded.events)
    assert loaded.tally.bytes_read < path.stat().st_size
