"""What a source of several formats says, and what a line must not be taken for."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from connectors.logs.formats import FORMATS
from tests.connectors.logs.reading import load, write


@pytest.mark.parametrize(
    "line",
    [
        "order 1773454049 was shipped to 2026-03-14 02:07:29",
        "user 4711 logged in at 02:07:29",
        "Exception in thread main java.lang.IllegalStateException",
        "12345678 bytes written",
        "{not json",
        '{"message": "no time here", "t": 12}',
        "26/03/14 02:07:29 is no stamp where no level and no class follow",
        "20260314020729 compact stamps are not in the table",
    ],
)
def test_a_number_inside_a_message_is_never_a_time(line: str, tmp_path: Path) -> None:
    loaded = load(write(tmp_path, "app.log", line, line))
    assert loaded.events == []
    assert [row["body"] for row in loaded.undated] == [line, line]
    assert loaded.topics()["format-unknown"] == 2


def test_two_words_and_a_colon_are_no_host_and_program(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "hook.log",
        "2026-03-14T02:07:29.110Z Connection error: refused",
        "2026-03-14T02:07:29+00:00 listening on :8080",
        "2026-03-14T02:07:29+00:00 taking part 3 of 9",
        "2026-03-14T02:07:29+00:00 START RequestId: 8f2c",
    )
    told = load(path).events
    assert {event.actor for event in told} == {"hook"}
    assert {event.clock for event in told} == {""}
    assert "Connection error: refused" in {event.body for event in told}


def test_one_source_may_mix_formats(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "nginx.log",
        '203.0.113.7 - - [14/Mar/2026:02:07:28 +0000] "GET / HTTP/1.1" 200 5',
        "2026/03/14 02:07:29 [error] 31#31: *812 connect() failed",
        '{"time":"2026-03-14T02:07:30Z","msg":"from a sidecar"}',
    )
    loaded = load(path)
    assert [event.severity_number for event in loaded.events] == [0, 17, 0]
    assert loaded.undated == []


def test_a_level_word_inside_messages_is_no_level_column(tmp_path: Path) -> None:
    lines = [f"2026-03-14 02:07:{n:02d} sent message {n}" for n in range(10)]
    lines.append("2026-03-14 02:07:29 sending FATAL signal")
    loaded = load(write(tmp_path, "app.log", *lines))
    assert {event.severity_number for event in loaded.events} == {0}
    assert loaded.events[-1].body == "sending FATAL signal"


def test_a_dated_line_of_a_kind_the_sample_lacked_is_not_swallowed(tmp_path: Path) -> None:
    lines = [f'{{"time":"2026-03-14T02:07:{n % 60:02d}Z","msg":"m"}}' for n in range(5_000)]
    lines[1_234] = "2026-03-14 02:07:34 CRITICAL out of memory"
    loaded = load(write(tmp_path, "app.log", *lines))
    (event,) = [event for event in loaded.events if event.severity_number]
    assert event.body == "out of memory"


def test_a_declared_format_is_not_second_guessed(tmp_path: Path) -> None:
    path = write(tmp_path, "app.log", "2026-03-14 02:07:29 hello", "1773454049 epoch line")
    loaded = load(path, format_name="epoch")
    assert [event.body for event in loaded.events] == ["epoch line"]


def test_a_request_of_a_user_whose_name_has_a_blank_is_not_swallowed(tmp_path: Path) -> None:
    stamp = "[14/Mar/2026:02:07:29 +0000]"
    path = write(
        tmp_path,
        "access.log",
        f'203.0.113.7 - frank {stamp} "GET /a HTTP/1.1" 200 5',
        f'203.0.113.7 - jane doe {stamp} "GET /b HTTP/1.1" 401 5',
        f'203.0.113.7, 10.0.0.2 - - {stamp} "GET /c HTTP/1.1" 499 0',
    )
    assert [event.body.split('"')[1] for event in load(path).events] == [
        "GET /a HTTP/1.1",
        "GET /b HTTP/1.1",
        "GET /c HTTP/1.1",
    ]


def test_a_sentence_that_quotes_such_a_stamp_begins_no_record(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "access.log",
        '203.0.113.7 - - [14/Mar/2026:02:07:29 +0000] "GET /a HTTP/1.1" 200 5',
        "the partner answered late at [14/Mar/2026:02:07:28 +0000] once more",
    )
    assert len(load(path).events) == 1


@pytest.mark.parametrize(
    "line",
    [
        "2026-03-14 02:07:29.110 UTC " + "0" * 20_000,
        "ERROR " + " " * 20_000 + "x",
        "203.0.113.7 - " + "a " * 20_000 + '"',
        "2026-03-14 02:07:29,110 " + "-" * 20_000,
        "2026-03-14 02:07:29,110 " + "a-" * 10_000,
    ],
    ids=["digits", "blanks", "words", "dashes", "dashed"],
)
def test_a_long_line_of_one_kind_is_looked_at_once(line: str) -> None:
    """Patterns that try every pair of places would need minutes for one such line."""
    begun = time.process_time()
    for item in FORMATS:
        item.match(line)
    assert time.process_time() - begun < 1.0
