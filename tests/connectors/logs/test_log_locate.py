"""Bisection finds what a linear scan finds, on logs that are only nearly in order."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest  # noqa: TC002  hypothesis resolves annotations when the test runs
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.logs.dialect import Dialect
from connectors.logs.locate import (
    RESORT_MARGIN_NS,
    OpenLog,
    dialect_of,
    last_dated,
    looks_sorted,
    lower_bound,
)
from connectors.logs.plan import plan_window
from connectors.logs.preview import open_log
from connectors.logs.stamps import SECOND_NS
from connectors.logs.zones import ZoneRule
from tests.connectors.logs.reading import T0, load
from timeline.window import Window


@contextmanager
def opened(path: Path) -> Iterator[tuple[OpenLog, Dialect]]:
    log, mtime = open_log(str(path))
    try:
        yield log, dialect_of(log, ZoneRule(), mtime, None)
    finally:
        os.close(log.fd)


def line_at(second: float, number: int, trace: int = 0) -> str:
    millis = int(second * 1000)
    clock = f"{millis // 3_600_000:02d}:{millis // 60_000 % 60:02d}:{millis // 1000 % 60:02d}"
    head = f"2026-03-14T{clock}.{millis % 1000:03d}Z ERROR line {number} {'x' * (number % 90)}\n"
    return head + "".join(f"    at frame {n}\n" for n in range(trace))


def nearly_sorted(seed: int, count: int, jitter_s: float) -> str:
    rng = random.Random(seed)
    times = sorted(rng.uniform(0, 7_200) for _ in range(count))
    late = [max(0.0, second - rng.uniform(0, jitter_s)) for second in times]
    return "".join(
        line_at(second, number, rng.choice((0, 0, 0, 3))) for number, second in enumerate(late)
    )


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(1, 3_000),
    jitter_s=st.floats(0, 14),
    pin_s=st.integers(60, 7_000),
    arm_s=st.integers(1, 600),
)
def test_the_window_loads_what_a_scan_of_every_line_finds(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    count: int,
    jitter_s: float,
    pin_s: int,
    arm_s: int,
) -> None:
    path = tmp_path_factory.mktemp("bisect") / "app.log"
    path.write_text(nearly_sorted(seed, count, jitter_s), encoding="utf-8")
    midnight = T0 - (T0 % (86_400 * SECOND_NS))
    pin = midnight + pin_s * SECOND_NS
    window = Window(pin, pin - arm_s * SECOND_NS, pin + arm_s * SECOND_NS)
    with opened(path) as (log, dialect):
        every = [(at, dialect.stamp(line)) for at, line in log.lines(0, log.size)]
    expected = sorted((ns, at) for at, ns in every if ns is not None and window.contains(ns))
    loaded = load(path, window=window)
    path.unlink()
    assert [(event.timestamp, event.seq) for event in loaded.events] == expected


def test_lower_bound_is_the_first_line_not_before_the_target(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_text("".join(line_at(n / 10, n) for n in range(20_000)), encoding="utf-8")
    midnight = T0 - (T0 % (86_400 * SECOND_NS))
    with opened(path) as (log, dialect):
        for tenth in (0, 1, 7_777, 19_999):
            at = lower_bound(log, dialect, midnight + tenth * SECOND_NS // 10)
            assert log.read(at, 60).decode().split(" ")[3] == str(tenth)
        assert lower_bound(log, dialect, midnight + 10**6 * SECOND_NS) == log.size
        assert lower_bound(log, dialect, 0) == 0
        found = last_dated(log, dialect)
        assert found is not None
        assert found[1] == midnight + 19_999 * SECOND_NS // 10


def test_a_few_blocks_are_read_however_large_the_file(tmp_path: Path) -> None:
    reads: list[int] = []

    class Counting(OpenLog):
        def read(self, offset: int, count: int) -> bytes:
            reads.append(count)
            return OpenLog.read(self, offset, count)

    def cost(lines: int) -> int:
        path = tmp_path / f"{lines}.log"
        path.write_text("".join(line_at(n / 100, n) for n in range(lines)), encoding="utf-8")
        with opened(path) as (log, dialect):
            reads.clear()
            lower_bound(
                Counting(log.fd, log.size), dialect, T0 - T0 % (86_400 * SECOND_NS) + 10**10
            )
        return sum(reads)

    small, large = cost(20_000), cost(320_000)
    assert large < small + 8 * 64 * 1024  # sixteen times the size: four more probes


def test_an_unsorted_file_is_read_whole_and_said_to_be(tmp_path: Path) -> None:
    first = "".join(line_at(n, n) for n in range(0, 7_200, 2))
    second = "".join(line_at(n, n) for n in range(1, 7_200, 2))
    path = tmp_path / "app.log"
    path.write_text(first + second, encoding="utf-8")
    midnight = T0 - (T0 % (86_400 * SECOND_NS))
    window = Window(midnight + 3_600 * SECOND_NS, midnight, midnight + 4_000 * SECOND_NS)
    with opened(path) as (log, dialect):
        assert not looks_sorted(log, dialect)
        assert not plan_window(log, dialect, window).in_order
    loaded = load(path, window=window)
    assert len(loaded.events) == 4_000
    assert [e.timestamp for e in loaded.events] == sorted(e.timestamp for e in loaded.events)
    assert loaded.topics()["out-of-order"] == 1


def test_lines_late_beyond_the_margin_are_found_by_reading_the_rest(tmp_path: Path) -> None:
    """The probes see order; the window's own lines do not, so the rest of the file is read too."""
    late = RESORT_MARGIN_NS // SECOND_NS + 15
    lines = [line_at(n / 10, n) for n in range(70_000)]
    lines[40_000] = line_at(4_000 - late, 40_000)  # stands in the window's bytes, dated before it
    path = tmp_path / "app.log"
    stray = 60_000  # dated inside the window, stands far behind it
    lines[stray] = line_at(3_999.5, stray)
    path.write_text("".join(lines), encoding="utf-8")
    midnight = T0 - (T0 % (86_400 * SECOND_NS))
    pin = midnight + 4_000 * SECOND_NS
    loaded = load(path, window=Window(pin, pin - 5 * SECOND_NS, pin + 5 * SECOND_NS))
    assert f"line {stray} " in " ".join(event.body + " " for event in loaded.events)
    assert loaded.topics()["out-of-order"] == 2
