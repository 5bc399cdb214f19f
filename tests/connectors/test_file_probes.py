"""Five small traps that log viewers fall into, asked in both of two time zones.

The same files must give the same events in the same order whatever the zone of this machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.connectors.logs.reading import write

ZONES = ("UTC", "America/New_York")
SCRIPT = """
import json, sys
from tests.connectors.logs.reading import load
loaded = load(*sys.argv[1:])
json.dump({
    "events": [[e.timestamp, e.body, e.ref.rpartition("/")[2]] for e in loaded.events],
    "topics": loaded.topics(),
}, sys.stdout)
"""


def ask(zone: str, *paths: Path) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *map(str, paths)],
        env={**os.environ, "TZ": zone, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    answer = json.loads(done.stdout)
    assert isinstance(answer, dict)
    return answer


def bodies(answer: dict[str, object]) -> list[str]:
    events = answer["events"]
    assert isinstance(events, list)
    return [event[1] for event in events]


@pytest.mark.parametrize("zone", ZONES)
def test_notations_of_the_zone_are_one_order(zone: str, tmp_path: Path) -> None:
    paths = [
        write(tmp_path, "naive.log", "2026-03-14 02:07:21 one", "2026-03-14 02:07:26 six"),
        write(tmp_path, "z.log", "2026-03-14T02:07:22Z two"),
        write(tmp_path, "utc.log", "2026-03-14 02:07:23 UTC three"),
        write(tmp_path, "offset.log", "2026-03-13T21:07:24-05:00 four"),
        write(tmp_path, "syslog", "Mar 14 02:07:25 web-1 shop[812]: five"),
    ]
    os.utime(paths[-1], (1_773_454_100, 1_773_454_100))
    answer = ask(zone, *paths)
    assert bodies(answer) == ["one", "two", "three", "four", "five", "six"]
    assert answer["topics"] == {"zone-assumed": 3, "year-guessed": 1}


@pytest.mark.parametrize("zone", ZONES)
def test_notations_mixed_in_one_file_are_one_order(zone: str, tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "app.log",
        "2026-03-14 02:07:21 one",
        "2026-03-14T02:07:22Z two",
        "2026-03-14 02:07:23 UTC three",
        "2026-03-13T21:07:24-05:00 four",
        "Mar 14 02:07:25 web-1 shop[812]: five",
    )
    os.utime(path, (1_773_454_100, 1_773_454_100))
    answer = ask(zone, path)
    assert bodies(answer) == ["one", "two", "three", "four", "five"]


@pytest.mark.parametrize("zone", ZONES)
def test_a_traceback_stays_under_its_error(zone: str, tmp_path: Path) -> None:
    web = write(
        tmp_path,
        "web.log",
        "2026-03-14 02:00:03 ERROR boom",
        "Traceback (most recent call last):",
        '  File "x.py", line 1',
        "ValueError: no",
        "2026-03-14 02:00:05 INFO after",
    )
    worker = write(tmp_path, "worker.log", "2026-03-14 02:00:04 INFO between")
    answer = ask(zone, web, worker)
    trace = 'boom␊Traceback (most recent call last):␊  File "x.py", line 1␊ValueError: no'
    assert bodies(answer) == [trace, "between", "after"]


@pytest.mark.parametrize("zone", ZONES)
def test_a_line_written_late_stands_at_its_time_and_is_flagged(zone: str, tmp_path: Path) -> None:
    one = write(
        tmp_path, "one.log", "2026-03-14T02:00:05Z INFO five", "2026-03-14T02:00:03Z INFO three"
    )
    two = write(tmp_path, "two.log", "2026-03-14T02:00:04Z INFO four")
    answer = ask(zone, one, two)
    assert bodies(answer) == ["three", "four", "five"]
    assert answer["topics"] == {"out-of-order": 1}


@pytest.mark.parametrize("zone", ZONES)
def test_json_lines_are_merged_with_text(zone: str, tmp_path: Path) -> None:
    text = write(tmp_path, "a.log", "2026-03-14T02:00:03Z INFO a", "2026-03-14T02:00:05Z INFO c")
    lines = write(
        tmp_path, "b.jsonl", '{"timestamp":"2026-03-14T02:00:04Z","level":"info","msg":"b"}'
    )
    assert bodies(ask(zone, text, lines)) == ["a", "b", "c"]


def test_both_zones_of_this_machine_give_the_same_bytes(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "app.log",
        "2026-03-08 02:30:00 in New York's missing hour",
        "2026-11-01 01:30:00 in its double hour",
        "2026-03-14 02:07:29 on an ordinary day",
    )
    assert ask(ZONES[0], path) == ask(ZONES[1], path)
