"""Lines in the prefixes of container tools: who speaks, which time counts, what belongs where."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.logs.dialect import decide
from connectors.logs.envelope import DOCKER_JSON, ENVELOPES, decide_envelope
from connectors.logs.zones import ZoneRule
from tests.connectors.logs.agreement import agreed
from tests.connectors.logs.reading import T0, load, write
from timeline.event import Event, Meaning, Precision

NS = T0 + 123_456
STAMP = "2026-03-14T02:07:29.110123456Z"
APP = "2026-03-14 02:07:29,110 ERROR enqueue failed for user_id=4711"


def read(*lines: str) -> list[Event]:
    dialect = decide(lines, ZoneRule(), T0 // 10**9)
    return agreed("".join(line + "\n" for line in lines).encode(), dialect)


def told(events: list[Event]) -> list[tuple[str, str]]:
    return [(event.actor, event.body) for event in events]


@pytest.mark.parametrize("envelope", [*ENVELOPES, DOCKER_JSON], ids=lambda item: item.name)
def test_every_envelope_is_known_by_its_example(envelope: object) -> None:
    example = getattr(envelope, "example")  # noqa: B009  either kind
    assert decide_envelope([example]) is envelope


@pytest.mark.parametrize(
    ("line", "actor"),
    [
        (f"web-1  | {APP}", "web-1"),
        (f"web-1  | {STAMP} {APP}", "web-1"),
        (f"[pod/web-6f9c-x2/app] {APP}", "web-6f9c-x2/app"),
        (f"[pod/web-6f9c-x2/app] {STAMP} {APP}", "web-6f9c-x2/app"),
        (f"{STAMP} stderr F {APP}", "app"),
        (f"{STAMP} {APP}", "app"),
        (json.dumps({"log": APP + "\n", "stream": "stdout", "time": STAMP}), "app"),
    ],
)
def test_the_inner_line_is_read_by_its_own_format(line: str, actor: str) -> None:
    (event,) = read(line)
    assert (event.timestamp, event.meaning, event.severity_number) == (T0, Meaning.OCCURRED, 17)
    assert (event.actor, event.body) == (actor, "enqueue failed for user_id=4711")
    assert event.keys == ("user:4711",)


@pytest.mark.parametrize(
    "line",
    [
        f"web-1  | {STAMP} enqueue failed",
        f"[pod/web-6f9c-x2/app] {STAMP} enqueue failed",
        f"{STAMP} stderr F enqueue failed",
        json.dumps({"log": "enqueue failed\n", "stream": "stdout", "time": STAMP}),
    ],
)
def test_the_runtimes_stamp_serves_a_line_without_one_and_says_not_later(line: str) -> None:
    (event,) = read(line)
    assert (event.timestamp, event.precision) == (NS, Precision.NANOSECOND)
    assert (event.meaning, event.body) == (Meaning.INGESTED, "enqueue failed")


def test_json_inside_a_prefix_is_json(tmp_path: Path) -> None:
    inner = '{"time":"2026-03-14T02:07:29.110Z","level":"warn","msg":"low disk","job_id":"8f2c"}'
    (event,) = read(f"[pod/web-1/app] {STAMP} {inner}")
    assert (event.body, event.severity_number, event.keys) == ("low disk", 13, ("job:8f2c",))


def test_containers_that_speak_in_turns_keep_their_own_lines() -> None:
    events = read(
        "web-1  | 2026-03-14 02:07:29 ERROR boom",
        "web-1  | Traceback (most recent call last):",
        "db-1   | 2026-03-14 02:07:29.110 UTC [812] LOG:  checkpoint starting: time",
        "web-1  | 2026-03-14 02:07:30 INFO after",
    )
    assert told(events) == [
        ("web-1", "boom␊Traceback (most recent call last):"),
        ("db-1", "[812] checkpoint starting: time"),
        ("web-1", "after"),
    ]


def test_a_line_torn_from_its_record_by_another_container_is_not_given_to_that_one() -> None:
    prefix = f"[pod/web-1/app] {STAMP}"
    events = read(
        f"{prefix} 2026-03-14 02:07:29 ERROR boom",
        f"[pod/db-1/pg] {STAMP} 2026-03-14 02:07:29.110 UTC [812] LOG:  up",
        f"{prefix} Traceback (most recent call last):",
    )
    assert told(events)[2] == ("web-1/app", "Traceback (most recent call last):")
    assert events[2].meaning is Meaning.INGESTED


def test_such_a_line_without_any_time_is_listed(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "up.log",
        *(f"web-1  | 2026-03-14 02:07:{n:02d} INFO n{n}" for n in range(20)),
        "db-1   | ready",
    )
    loaded = load(path)
    assert [row["body"] for row in loaded.undated] == ["ready"]
    assert "ready" not in loaded.events[-1].body


def test_the_parts_of_a_split_line_become_one(tmp_path: Path) -> None:
    inner = '{"time":"2026-03-14T02:07:29.110Z","level":"error","msg":"a long one","user_id":1}'
    lines = [
        f"{STAMP} stdout P {inner[:20]}",
        f"{STAMP} stdout P {inner[20:40]}",
        f"{STAMP} stdout F {inner[40:]}",
        f'{STAMP} stdout F {{"time":"2026-03-14T02:07:30Z","msg":"next"}}',
    ]
    events = read(*lines)
    assert [event.body for event in events] == ["a long one", "next"]
    assert events[0].keys == ("user:1",)
    path = write(tmp_path, "0.log", *lines)
    assert [event.body for event in load(path).events] == ["a long one", "next"]


def test_a_json_file_splits_lines_by_their_missing_line_break() -> None:
    def line(text: str, stream: str = "stdout") -> str:
        return json.dumps({"log": text, "stream": stream, "time": STAMP})

    events = read(line("first half, "), line("second half\n"), line("other\n", "stderr"))
    assert [event.body for event in events] == ["first half, second half", "other"]


def test_a_torn_json_file_line_costs_only_itself(tmp_path: Path) -> None:
    whole = json.dumps({"log": "ok\n", "stream": "stdout", "time": STAMP})
    lines = [whole] * 30
    lines[12] = '{"log":"torn'
    loaded = load(write(tmp_path, "x-json.log", *lines))
    assert len(loaded.events) == 29
    assert [row["body"] for row in loaded.undated] == ['{"log":"torn']


def test_nine_digits_alone_do_not_make_a_container(tmp_path: Path) -> None:
    (event,) = read(f"{STAMP} ERROR enqueue failed")
    assert (event.severity_number, event.meaning) == (17, Meaning.OCCURRED)


def test_a_level_before_a_bar_is_no_container() -> None:
    dialect = decide(["ERROR | 2026-03-14 disk full"], ZoneRule(), T0 // 10**9)
    assert dialect.envelope is None


@pytest.mark.parametrize(
    ("path", "actor"),
    [
        ("pods/shop_web-6f9c-x2_0f5c1a2b-1111-2222/app/0.log", "web-6f9c-x2/app"),
        (f"containers/web-6f9c-x2_shop_app-{'a' * 64}.log", "web-6f9c-x2/app"),
        (f"containers/{'a1' * 32}/{'a1' * 32}-json.log", "a1" * 6),
    ],
)
def test_a_nodes_files_name_the_pod_in_their_path(path: str, actor: str, tmp_path: Path) -> None:
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(f"{STAMP} stdout F up\n", encoding="utf-8")
    (event,) = load(file).events
    assert event.actor == actor


def test_a_window_of_a_long_wrapped_file_is_bisected(tmp_path: Path) -> None:
    second = T0 // 10**9
    lines = []
    for number in range(40_000):
        minute, rest = divmod(number, 60)
        hour, minute = divmod(minute, 60)
        stamp = f"2026-03-14T{hour:02d}:{minute:02d}:{rest:02d}.000000001Z"
        lines.append(f"{stamp} stdout F line {number} of user_id={number}")
    path = write(tmp_path, "0.log", *lines)
    from timeline.window import SECOND_NS, Window

    pin = second * SECOND_NS
    loaded = load(path, window=Window(pin, pin - 5 * SECOND_NS, pin + 5 * SECOND_NS))
    assert len(loaded.events) == 10
    assert loaded.tally.bytes_read < path.stat().st_size // 4
