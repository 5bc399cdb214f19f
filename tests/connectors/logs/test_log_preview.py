"""The preview shows what the full load shows around T, and loads nothing heavy to do so."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from connectors.logs.preview import SIDE_ROWS, preview_files
from tests.connectors.logs.reading import T0, load, write
from timeline.batch import PREVIEW_ROWS
from timeline.keys import KeyRules
from timeline.window import Budget, Window

WINDOW = Window(T0, T0 - 1_800 * 10**9, T0 + 300 * 10**9)


def stamp(second: float) -> str:
    millis = int(second * 1000)
    return (
        f"2026-03-14T{millis // 3_600_000:02d}:{millis // 60_000 % 60:02d}:"
        f"{millis // 1000 % 60:02d}.{millis % 1000:03d}Z"
    )


def json_line(second: float, n: int) -> str:
    error = ', "error": {"type": "E", "message": "no \\u0007"}' if n % 7 == 0 else ""
    return (
        f'{{"timestamp":"{stamp(second)}","level":"error","message":"line {n}","service":"web",'
        f'"host":"h{n % 3}","user_id":{n}{error}}}'
    )


def text_line(second: float, n: int) -> str:
    trace = "\nTraceback:\n  at job_id=j{n}\n" if n % 11 == 0 else ""
    return f"{stamp(second)} WARN line {n}\tuser_id={n} \x1b[0m{trace}"


def logfmt_line(second: float, n: int) -> str:
    return f'level=error ts={stamp(second)} msg="line {n} \\"quoted\\"" err="e{n % 5}" user_id={n}'


@pytest.mark.parametrize("make", [json_line, text_line, logfmt_line])
def test_the_preview_is_the_middle_of_the_full_load(make: object, tmp_path: Path) -> None:
    assert callable(make)
    rng = random.Random(7)
    seconds = sorted(rng.uniform(6_000, 8_000) for _ in range(6_000))
    path = write(tmp_path, "app.log", *(make(second, n) for n, second in enumerate(seconds)))
    preview = preview_files("logs", [str(path)], WINDOW, key_rules=KeyRules())
    full = load(path, window=WINDOW, budget=Budget(rows=10**6)).events
    before = [event for event in full if event.timestamp < T0][-SIDE_ROWS:]
    after = [event for event in full if event.timestamp >= T0][:SIDE_ROWS]
    expected = before + after
    assert len(expected) == 2 * SIDE_ROWS
    seen = list(preview.events)
    assert [(e.id, e.timestamp, e.body, e.seq) for e in seen] == [
        (e.id, e.timestamp, e.body, e.seq) for e in expected
    ]
    for one, other in zip(seen, expected, strict=True):
        assert set(one.keys) == set(other.keys)
        assert (one.severity_number, one.actor, one.clock) == (
            other.severity_number,
            other.actor,
            other.clock,
        )
        assert (one.precision, one.meaning, one.kind) == (
            other.precision,
            other.meaning,
            other.kind,
        )


def test_several_files_share_the_preview(tmp_path: Path) -> None:
    for name in ("a.log", "b.log", "c.log"):
        write(tmp_path, name, *(text_line(7_649 + n / 100, n) for n in range(-900, 900)))
    preview = preview_files("logs", [str(tmp_path)], WINDOW)
    assert len(preview.events) == PREVIEW_ROWS
    assert {event.actor for event in preview.events} == {"a", "b", "c"}
    stamps = [event.timestamp for event in preview.events]
    assert stamps == sorted(stamps)


def test_what_cannot_be_previewed_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path, "unknown.log", "no time here")
    write(tmp_path, "export.csv", "timestamp,message", "2026-03-14T02:07:29Z,hello")
    (tmp_path / "empty.log").touch()
    (tmp_path / "app.log.1.gz").write_bytes(b"not gzip at all")
    assert preview_files("logs", [str(tmp_path)], WINDOW).events == ()
    assert preview_files("logs", [str(tmp_path / "gone.log")], WINDOW).events == ()


def test_the_preview_loads_neither_polars_nor_pydantic(tmp_path: Path) -> None:
    path = write(tmp_path, "app.log", json_line(7_649, 1))
    script = (
        "import sys\n"
        "from connectors.logs.preview import preview_files\n"
        "from timeline.window import Window\n"
        f"window = Window({WINDOW.pin}, {WINDOW.start}, {WINDOW.end})\n"
        f"assert len(preview_files('logs', [{str(path)!r}], window).events) == 1\n"
        "heavy = {'polars', 'pydantic', 'numpy', 'asyncio', 'httpx', 'textual'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
