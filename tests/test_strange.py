"""Logs unlike our own are read as they were written, and nothing bold is said of good days."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from bench.strange.catalogue import BY_NAME, SHAPES
from bench.strange.measure import table
from bench.strange.reading import SECOND_NS, SURE, Reading, read
from bench.strange.shape import START, Shape, lines_of, write
from timeline.finding import NotEvaluated

LINES = 6_000
HEAVY = {"json-3kb": 1_000, "postgresql-csvlog": 2_000, "logfmt-40": 3_000, "many-keys": 3_000}
"""Lines of those of several kilobytes or many ids."""
PIECES = 20_000
"""Lines of which Polars makes several pieces, each filtered by a thread of its own."""
BROKE = "a repair"
"""What a detector needs that ended in an exception."""


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_strange_log_is_read_rightly_and_told_soberly(shape: Shape, tmp_path: Path) -> None:
    lines = HEAVY.get(shape.name, LINES)
    told = read(write(shape, tmp_path, lines))
    assert broken_in(told) == []
    assert [one for one in told.analysis.findings if one.verdict in SURE] == []
    if shape.healthy:
        assert told.analysis.onset is None
    assert_as_written(shape, told, lines)


def broken_in(told: Reading) -> list[NotEvaluated]:
    """Detectors that ended in an exception."""
    return [one for one in told.analysis.not_evaluated if one.needs.startswith(BROKE)]


def test_no_detector_breaks_where_the_rows_are_worked_on_in_pieces(tmp_path: Path) -> None:
    told = read(write(BY_NAME["crlf"], tmp_path, PIECES))
    assert len(told.incident.snapshot) == PIECES
    assert broken_in(told) == []


def assert_as_written(shape: Shape, told: Reading, lines: int) -> None:
    """Every record is held, with the levels, speakers and times that the shape gave it."""
    events, sample = told.incident.snapshot.events, shape.sample
    if not sample.dated:
        assert events.height == 0
        assert told.incident.snapshot.undated.height == lines
        return
    lost = lines // 5_000 if shape.name == "junk" else 0
    assert events.height == lines - lost
    assert set(events.get_column("severity_number").unique()) == set(sample.severities)
    if sample.services:
        assert set(events.get_column("actor").cast(pl.String).unique()) == set(sample.services)
    stamps = events.get_column("timestamp").sort()
    first = int(START.timestamp()) * SECOND_NS
    assert stamps[0] == first
    assert abs(int(stamps[lines // 2]) - first - 1_050 * SECOND_NS) <= 31 * SECOND_NS


def test_the_same_log_is_written_every_time_also_packed(tmp_path: Path) -> None:
    shape = BY_NAME["kubernetes"]
    assert list(lines_of(shape, 50)) == list(lines_of(shape, 50))
    plain = read(write(shape, tmp_path, 3_000)).incident.snapshot.events
    packed = read(write(shape, tmp_path, 3_000, packed=True)).incident.snapshot.events
    assert packed.get_column("body").to_list() == plain.get_column("body").to_list()


def test_three_zones_in_one_folder_make_one_order(tmp_path: Path) -> None:
    written = {"tokyo": 9, "lima": -5, "london": 0}
    for turn, (name, hours) in enumerate(written.items()):
        lines = []
        for number in range(1_000):
            at = START + timedelta(seconds=2 * number, milliseconds=100 * turn, hours=hours)
            lines.append(
                f"{at:%Y-%m-%dT%H:%M:%S}.{100 * turn:03d}{hours:+03d}:00 INFO tick {number}"
            )
        (tmp_path / f"{name}.log").write_text("\n".join([*lines, ""]))
    told = read(tmp_path).incident.snapshot
    assert len(told) == 3_000
    assert [event.actor for event in told.in_order(1_500, 3)] == list(written)
    assert len({event.body for event in told.in_order(1_500, 3)}) == 1


def test_every_shape_has_a_row_of_its_own_in_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = (BY_NAME["crlf"], BY_NAME["german"])
    monkeypatch.setattr("bench.strange.measure.SHAPES", few)
    table(tmp_path, 500)
    rows = capsys.readouterr().out.splitlines()[-2:]
    assert {row.split()[0] for row in rows} == {"crlf", "german"}


def test_a_log_of_before_its_shape_was_changed_is_not_taken(tmp_path: Path) -> None:
    before = Shape("gate", lambda at: f"{at.iso} a")
    after = Shape("gate", lambda at: f"{at.iso} b")
    first = write(before, tmp_path, 100)
    assert write(before, tmp_path, 100) == first
    assert write(after, tmp_path, 100).read_text().splitlines()[0].endswith(" b")


def test_the_peak_of_a_process_is_not_that_of_the_one_that_started_it() -> None:
    held = bytearray(400_000_000)
    held[::4096] = b"x" * len(held[::4096])
    asked = "from bench.strange.reading import peak_mb; print(peak_mb())"
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, check=True, text=True)
    assert 5 < float(told.stdout) < 200 < len(held) / 2**20
