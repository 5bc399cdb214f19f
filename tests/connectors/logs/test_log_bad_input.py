"""Bad input never costs good data: every byte is accounted for and every loss is said."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.logs import stamps
from connectors.logs.chunk import Reading, read_chunk
from connectors.logs.dialect import Dialect, decide
from connectors.logs.formats import BY_NAME
from connectors.logs.record import BODY_LIMIT, CUT_MARK, Place
from connectors.logs.tally import Tally
from connectors.logs.zones import ZoneRule
from tests.connectors.logs.reading import T0, WIDE, load, write
from timeline.coverage import Sight
from timeline.keys import KeyRules
from timeline.window import Budget, Window

PLACE = Place("logs", "app.log", 0, "", "app")


def accounted(tally: Tally) -> int:
    return tally.event_bytes + tally.undated_bytes + tally.outside_bytes + tally.orphan_bytes


lines = st.one_of(
    st.sampled_from(
        [
            b"2026-03-14T02:07:29.110Z ERROR boom user_id=4711",
            b"2026-03-14T02:07:60.110Z ERROR leap",
            b"2019-01-01T00:00:00Z INFO far outside",
            b"    at com.shop.Signup(Signup.java:42)",
            b"Traceback (most recent call last):",
            b"",
            b"\r",
            b"\xff\xfe broken \x80 bytes",
            b"\x1b[31mred\x1b[0m \x00",
            b'{"timestamp":"2026-03-14T02:07:29Z","msg":"ok","level":"info"}',
            b'{"timestamp":"2026-03-14T02:07:29Z","msg":"to',
            b'{"msg": "no time"}',
            b"{}",
        ]
    ),
    st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b"")),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(lines, max_size=30), st.booleans())
def test_every_byte_is_accounted_for_and_the_line_reader_agrees(
    parts: list[bytes], ended: bool
) -> None:
    raw = b"\n".join(parts) + (b"\n" if ended and parts else b"")
    sample = [
        '{"timestamp":"2026-03-14T02:07:29Z","msg":"m","level":"info"}',
        BY_NAME["iso-level"].example,
    ]
    dialect = decide(sample, ZoneRule(), T0 // 10**9)
    chunk = read_chunk(raw, 1_000, Reading(PLACE, dialect, KeyRules(), WIDE.start, WIDE.end))
    assert chunk.tally.bytes_read == len(raw)
    assert accounted(chunk.tally) == len(raw)
    assert chunk.events["length"].sum() == chunk.tally.event_bytes
    texts = [part.decode("utf-8", "replace").removesuffix("\r") for part in raw.split(b"\n")]
    read = [line.stamp.ns for text in texts if (line := dialect.read(text)) is not None]
    inside = [ns for ns in read if ns is not None and WIDE.contains(ns)]
    assert chunk.events["timestamp"].to_list() == inside
    assert chunk.tally.undated == sum(ns is None for ns in read)


def test_lines_outside_the_range_of_nanoseconds_are_listed_never_wrapped(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "app.log",
        "1600-03-14T02:07:29Z INFO too early",
        "2026-03-14T02:07:29Z INFO good",
        "9999-12-31T23:59:59Z INFO too late",
        "2016-12-31T23:59:60Z INFO leap",
        "2026-02-30T00:00:00Z INFO no such day",
    )
    loaded = load(path)
    assert [event.body for event in loaded.events] == ["good"]
    assert sorted(loaded.reasons()) == [
        stamps.IMPOSSIBLE,
        stamps.LEAP_SECOND,
        stamps.OUT_OF_RANGE,
        stamps.OUT_OF_RANGE,
    ]
    assert loaded.topics()["undated"] == 4


def test_one_broken_json_line_costs_only_itself(tmp_path: Path) -> None:
    good = [
        json.dumps({"timestamp": f"2026-03-14T02:07:{n % 60:02d}Z", "msg": f"line {n}"})
        for n in range(500)
    ]
    good[250] = good[250][:-10]
    good[300] = '{"timestamp": "2026-03-14T02:07:29Z", "msg": "bad \\x escape"}'
    loaded = load(write(tmp_path, "app.log", *good))
    assert len(loaded.events) == 498
    assert loaded.reasons() == [stamps.BROKEN_JSON, stamps.BROKEN_JSON]
    assert loaded.topics()["broken-line"] == 2


def test_fields_of_another_type_do_not_break_their_neighbours(tmp_path: Path) -> None:
    stamp = '"timestamp":"2026-03-14T02:07:29Z"'
    path = write(
        tmp_path,
        "app.log",
        f'{{{stamp},"msg":"a","level":"info","host":"h"}}',
        f'{{{stamp},"msg":{{"deep":1}},"level":"info","host":{{"name":"x"}}}}',
        f'{{{stamp},"msg":["l"],"level":{{}},"host":7}}',
        '{"timestamp":{"$date":1},"msg":"b"}',
        f'{{{stamp},"msg":"\\ud800 lone","level":true}}',
        f'{{{stamp},"msg":"a again","level":"info","host":"h"}}',
    )
    loaded = load(path)
    assert [event.body for event in loaded.events][0::4] == ["a", "a again"]
    assert len(loaded.events) == 5
    assert loaded.events[3].body == "\ufffd lone"
    assert loaded.reasons() == [stamps.NOT_A_TIME]


def test_one_bad_byte_costs_one_character_and_moves_no_offset(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    first = b"2026-03-14T02:07:29Z INFO caf\xe9 \xf0\x9f\n"
    path.write_bytes(first + b"2026-03-14T02:07:30Z INFO after\n")
    loaded = load(path)
    assert [event.body for event in loaded.events] == ["caf\ufffd \ufffd", "after"]
    assert [event.seq for event in loaded.events] == [0, len(first)]
    assert loaded.topics()["broken-line"] == 1
    assert accounted(loaded.tally) == path.stat().st_size


def test_windows_line_ends_and_a_byte_order_mark_are_no_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    line = b"2026-03-14T02:07:29Z INFO one\r\n"
    path.write_bytes(b"\xef\xbb\xbf" + line + line)
    loaded = load(path)
    assert [(event.body, event.seq) for event in loaded.events] == [
        ("one", 0),
        ("one", len(line) + 3),
    ]
    assert accounted(loaded.tally) == path.stat().st_size


def test_hostile_text_arrives_harmless(tmp_path: Path) -> None:
    hostile = "\x1b]0;owned\x07 [/markup] \u202e reversed \x9b31m"
    path = write(
        tmp_path,
        "app.log",
        f"2026-03-14T02:07:29Z INFO {hostile}",
        f"    at {hostile}",
    )
    event = load(path).events[0]
    assert event.body.isprintable()
    assert "[/markup]" in event.body
    path = tmp_path / "json.log"
    path.write_text(
        json.dumps(
            {"time": "2026-03-14T02:07:29Z", "msg": hostile, "service": hostile, "host": "\x1b"}
        ),
        encoding="utf-8",
    )
    event = load(path).events[0]
    assert (event.body + event.actor + event.clock).isprintable()


def test_a_stack_trace_stays_one_event(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "app.log",
        "2026-03-14 02:07:29,110 - shop - ERROR - enqueue failed",
        "Traceback (most recent call last):",
        '  File "signup.py", line 42, in create',
        "    queue.enqueue(welcome_mail, user_id=4711)",
        "redis.exceptions.TimeoutError: Timeout reading from socket",
        "",
        "2026-03-14 02:07:30,000 - shop - INFO - next",
    )
    loaded = load(path)
    assert len(loaded.events) == 2
    assert loaded.events[0].body == (
        "shop - enqueue failed␊Traceback (most recent call last):"
        '␊  File "signup.py", line 42, in create␊    queue.enqueue(welcome_mail, user_id=4711)'
        "␊redis.exceptions.TimeoutError: Timeout reading from socket"
    )
    assert "user:4711" in loaded.events[0].keys


def test_a_monstrous_record_is_cut_and_says_so(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "app.log",
        "2026-03-14T02:07:29Z ERROR " + "x" * 100_000,
        "2026-03-14T02:07:30Z ERROR deep",
        *[f"    at frame {n}" for n in range(5_000)],
        "2026-03-14T02:07:31Z INFO after",
    )
    loaded = load(path)
    assert [len(event.body) for event in loaded.events[:2]] == [BODY_LIMIT + len(CUT_MARK)] * 2
    assert loaded.events[2].body == "after"
    assert loaded.topics()["body-cut"] == 2
    assert accounted(loaded.tally) == path.stat().st_size


def test_lines_before_the_first_record_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path, "app.log", "=== banner ===", "v1.2", "2026-03-14T02:07:29Z INFO up")
    loaded = load(path)
    assert loaded.tally.orphan_lines == 2
    assert loaded.topics()["undated"] == 2
    assert accounted(loaded.tally) == path.stat().st_size


def test_zone_less_stamps_are_utc_and_said_to_be(tmp_path: Path) -> None:
    path = write(tmp_path, "app.log", "2026-03-14 02:07:29.110 hello", "2026-03-14 02:07:30 two")
    loaded = load(path)
    assert loaded.events[0].timestamp == T0
    assert loaded.topics() == {"zone-assumed": 2}
    declared = load(path, zone="Europe/Berlin")
    assert declared.events[0].timestamp == T0 - 3_600 * 10**9
    assert declared.topics() == {}


def test_an_unknown_format_lists_its_lines_and_names_the_remedy(tmp_path: Path) -> None:
    path = write(tmp_path, "app.log", "[02:07:29] hello", "[02:07:30] world")
    loaded = load(path)
    assert loaded.events == []
    assert loaded.reasons() == [stamps.NO_TIME, stamps.NO_TIME]
    (remark,) = [item for item in loaded.remarks if item.topic == "format-unknown"]
    assert "set format" in remark.sentence
    assert [entry.sight for entry in loaded.coverage] == [Sight.BLIND]


@pytest.mark.parametrize("share", [0.5, 0.99])
def test_a_truncated_gzip_keeps_what_was_good(share: float, tmp_path: Path) -> None:
    text = "".join(
        f"2026-03-14T02:{n // 1000:02d}:{n // 17 % 60:02d}Z INFO line {n} {n * 7919 % 104729}\n"
        for n in range(20_000)
    )
    whole = gzip.compress(text.encode())
    path = tmp_path / "app.log.gz"
    path.write_bytes(whole[: int(len(whole) * share)])
    loaded = load(path)
    assert 20_000 * share * 0.5 < len(loaded.events) < 20_000
    assert loaded.events[0].body.startswith("line 0 ")
    (remark,) = [item for item in loaded.remarks if item.topic == "damaged"]
    assert "app.log.gz" in remark.sentence
    assert "Copy the file again" in remark.sentence
    assert loaded.coverage[-1].sight is not Sight.FULL or len(loaded.coverage) > 1


def test_an_empty_file_sees_nothing_and_claims_nothing(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.touch()
    loaded = load(path)
    assert loaded.events == []
    assert [entry.sight for entry in loaded.coverage] == [Sight.PARTIAL]


def test_a_row_budget_keeps_what_is_nearest_to_the_pin(tmp_path: Path) -> None:
    lines = [
        f"2026-03-14T02:{n // 60:02d}:{n % 60:02d}.000Z INFO line {n} user_id={n}"
        for n in range(3_600)
    ]
    path = write(tmp_path, "app.log", *lines)
    window = Window(T0, T0 - 420 * 10**9, T0 + 420 * 10**9)
    loaded = load(path, window=window, budget=Budget(rows=101))
    numbers = [int(event.body.split()[1]) for event in loaded.events]
    middle = 7 * 60 + 29
    assert numbers == list(range(middle - 50, middle + 51))
    assert loaded.events[0].keys == (f"user:{numbers[0]}",)
    assert loaded.topics()["cut"] == 101
    full = [entry for entry in loaded.coverage if entry.sight is Sight.FULL]
    assert len(full) == 1
    assert all(full[0].start <= event.timestamp < full[0].end for event in loaded.events[1:-1])
    partial = [entry for entry in loaded.coverage if entry.sight is Sight.PARTIAL]
    assert {entry.reason for entry in partial} >= {"reading stopped at 101 events"}


def test_coverage_ends_at_the_last_line(tmp_path: Path) -> None:
    path = write(
        tmp_path, "app.log", "2026-03-14T02:00:00Z INFO a", "2026-03-14T02:07:40.5Z INFO b"
    )
    window = Window(T0, T0 - 60 * 10**9, T0 + 60 * 10**9)
    loaded = load(path, window=window)
    full, partial = sorted(loaded.coverage, key=lambda entry: entry.start)
    assert (full.sight, full.start) == (Sight.FULL, window.start)
    assert (partial.sight, partial.start, partial.end) == (Sight.PARTIAL, full.end, window.end)
    assert "last line 2026-03-14 02:07:40Z" in partial.reason
    assert full.end == loaded.events[-1].timestamp + 1


def test_a_dialect_without_formats_reads_nothing() -> None:
    assert not Dialect().known
    assert Dialect().read("2026-03-14T02:07:29Z x") is None
