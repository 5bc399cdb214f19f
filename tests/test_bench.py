"""The measuring programs still measure: every part at sizes that take seconds, no times asserted.

Marked `timing`, with generous margins: the first rows of a large file come as fast as those of a
small one, and all detectors explain a million lines in about two seconds.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import pytest

from bench import first_rows, keystrokes, screen
from bench.__main__ import compiled
from bench.bundle import written_and_read
from bench.detectors import EVENTS, SIZES, whole
from bench.exports import ROWS as EXPORTED_ROWS
from bench.exports import analysed, each_format, marked_of
from bench.generate import MARK, START, Log, log_of_lines, log_of_size
from bench.hello import HELLO
from bench.load import stages
from bench.night import night
from bench.search import FILTERS, KEYS, SEARCHES, filtering, frames_of, searching
from bench.shop import incident_of, raw_log
from bench.smoke import BATCH_ROWS, batches, figures
from bench.table import ratio, write_table
from bench.terminal import NotSeen, Terminal
from halfawake.bundles import open_bundle
from halfawake.plugins import EXPORTERS, detectors, names
from timeline.store import Store

FLAT = 1.5
"""Against the tenth that an idle machine shows: this one may be busy."""
SKELETON = 1.15
"""The skeleton against a bare Textual program, as wanted: it is written before Textual loads."""
ROWS = 2.0
"""Rows around T against the same; 1.3 is wanted of an idle machine, and this one may be busy."""
KEY_TO_FRAME = 2.0
"""Key to frame against a bare scroll view; likewise."""
LARGEST_FRAME = 25_000
"""Bytes of a scrolled page, as wanted for a terminal behind a slow line."""
IDLE_PERCENT = 5.0
"""Of one core while nothing happens: less than 1 is wanted of an idle machine."""
NOISE = 1.2
"""Between two runs of one thing on a machine that others share."""
ANALYSIS_S = 3.0
"""Half again the two seconds that are aimed at for a first analysis of a million lines."""
UNLIKE, UNLIKE_S = 320_000, 20.0
"""Lines that hardly repeat, and seconds for a first analysis of them: a search that goes wrong on
them takes minutes."""
EXPORT_S = 4.0
"""Of processor time: twice the two seconds that are aimed at for ten thousand rows."""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"), str(tmp_path))


def test_a_log_is_the_same_every_time_and_holds_its_mark_at_the_pin(tmp_path: Path) -> None:
    first = log_of_lines(tmp_path / "first.log", 1_000, "text")
    second = log_of_lines(tmp_path / "second.log", 1_000, "text")
    assert first.path.read_bytes() == second.path.read_bytes()
    marked = [line for line in first.path.read_text().splitlines() if MARK in line]
    assert [line.split()[0] for line in marked] == [first.pin_text]


def test_a_log_has_about_the_size_that_was_asked_for(tmp_path: Path) -> None:
    log = log_of_size(tmp_path / "sized.log", 300_000)
    assert 0.9 < log.size / 300_000 < 1.1
    assert log.pin - START < timedelta(hours=1)


def test_every_stage_of_a_load_is_timed(tmp_path: Path) -> None:
    measured = stages(log_of_lines(tmp_path / "dense.log", 5_000, "json", 2))
    assert list(measured) == [
        "import",
        "load and key",
        "snapshot and order",
        "errors",
        "analysis",
        "peak",
    ]
    assert min(measured.values()) > 0


def test_a_load_that_lost_lines_is_no_figure(tmp_path: Path) -> None:
    log = log_of_lines(tmp_path / "short.log", 1_000, "json", 2)
    with pytest.raises(RuntimeError, match="1,000 events were loaded from 2,000 lines"):
        stages(Log(log.path, 2_000, log.size, log.pin))


def test_the_store_is_measured_over_interleaved_sources() -> None:
    rows = 2 * BATCH_ROWS
    store = Store()
    for batch in batches(rows):
        store.add(batch)
    snapshot = store.snapshot()
    assert len(snapshot) == rows
    assert len({event.source for event in snapshot.in_order(0, 50)}) == 2
    assert all(seconds > 0 for seconds in figures(BATCH_ROWS).values())


async def test_searches_filters_and_their_frames_are_timed() -> None:
    incident = night(30_000, 300, 300)
    assert list(searching(incident)) == list(SEARCHES)
    assert list(filtering(incident)) == list(FILTERS)
    frames = await frames_of(incident)
    assert all(seconds > 0 for seconds in frames.values())
    assert {name.rpartition(", ")[0] for name in frames} >= set(KEYS)


def test_a_shop_is_the_same_every_time_and_half_a_kilobyte_a_line(tmp_path: Path) -> None:
    first = raw_log(tmp_path / "first.log", 2_000)
    assert first.read_bytes() == raw_log(tmp_path / "second.log", 2_000).read_bytes()
    assert 450 < first.stat().st_size / 2_000 < 600
    incident = incident_of(first, 30, 30)
    assert len(incident.snapshot) == 2_060
    pinned = incident.snapshot.in_order(incident.snapshot.position_at(incident.window.pin), 3)
    assert MARK in [event.body for event in pinned]


def test_a_bundle_is_written_and_read_in_every_run(tmp_path: Path) -> None:
    log, bundle = raw_log(tmp_path / "shop.log", 2_000), tmp_path / "shop.halfawake"
    measured = written_and_read(log, bundle, 2_000, 2)
    assert {name: len(seconds) for name, seconds in measured.items()} == dict.fromkeys(
        ("write", "read", "write, processor", "read, processor"), 2
    )
    assert len(open_bundle(bundle)[0].snapshot) == 2_200


def test_every_format_is_measured_over_all_marked_rows(tmp_path: Path) -> None:
    incident, analysis = analysed(tmp_path, 1_000)
    options = marked_of(incident, 200)
    measured = each_format(incident, analysis, options, 1)
    assert set(measured) == set(names(EXPORTERS))
    assert measured["csv"][2] > 200 * 60


def test_a_program_is_watched_until_its_text_and_ended(environment: dict[str, str]) -> None:
    with Terminal([sys.executable, "-m", "bench.hello"], environment) as terminal:
        assert terminal.seconds_until(HELLO) > 0
        process = terminal.process
    assert process.returncode is not None


def test_a_program_that_says_something_else_is_no_figure(environment: dict[str, str]) -> None:
    argv = [sys.executable, "-c", "print('something else')"]
    with Terminal(argv, environment) as terminal, pytest.raises(NotSeen, match="something else"):
        terminal.seconds_until(HELLO, limit=20)


def test_a_text_drawn_in_pieces_is_seen_on_the_screen(environment: dict[str, str]) -> None:
    drawn = "import time; print('pinx\\x1b[1Dned', flush=True); time.sleep(60)"
    with Terminal([sys.executable, "-c", drawn], environment) as terminal:
        assert terminal.seconds_until("pinned", limit=20, cells=True) > 0


def test_keys_are_pressed_and_their_frames_seen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keystrokes.run(tmp_path, lines=5_000, loading=0.5, pause=0.5)
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[4:]] == [
        "while",
        "loaded",
    ]


def test_a_table_lines_its_columns_up(capsys: pytest.CaptureFixture[str]) -> None:
    write_table("title", ("what", "ratio"), [["short", ratio(3, 2)], ["much longer", "10.00"]])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:] == [
        "title",
        "what         ratio",
        "-----------  -----",
        "short         1.50",
        "much longer  10.00",
    ]


@pytest.mark.timing
def test_the_first_rows_do_not_wait_for_the_size_of_a_file(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    logs = [log_of_size(tmp_path / f"{size}.log", size * 1_000_000, "text") for size in (1, 60)]
    seconds: dict[int, list[float]] = {0: [], 1: []}
    for _ in range(5):
        for number, log in enumerate(logs):
            seconds[number].append(first_rows.once(first_rows.halfawake_at(log), environment))
    assert min(seconds[1]) < FLAT * min(seconds[0])


@pytest.mark.timing
def test_t_is_told_at_once_and_the_rows_soon(tmp_path: Path, environment: dict[str, str]) -> None:
    compiled()
    log = log_of_size(tmp_path / "start.log", 2_000_000, "text")
    least = screen.started(log, environment, 7)
    assert least[screen.SKELETON] < SKELETON * least[screen.HELLO_NAME]
    assert least[screen.ROWS] < ROWS * least[screen.HELLO_NAME]


@pytest.mark.timing
def test_a_key_waits_about_as_long_as_in_a_bare_view(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    log = log_of_lines(tmp_path / "keys.log", 20_000, "json", 2)
    waited, sizes, idle = screen.pressed(log, 20_000, environment, settle=3, keys=60)
    p90 = screen.ninetieth(waited)
    assert p90["halfawake"] < KEY_TO_FRAME * p90["bare"]
    assert max(sizes["halfawake"]) < LARGEST_FRAME
    assert idle < IDLE_PERCENT


@pytest.mark.timing
def test_all_detectors_explain_a_million_lines_in_about_two_seconds() -> None:
    assert whole(night(max(SIZES), EVENTS, EVENTS), detectors()) < ANALYSIS_S


@pytest.mark.timing
def test_fewer_lines_take_no_longer_than_the_most() -> None:
    """A step for each cluster or key shows where the clusters are many, not where the lines are."""
    spent = [whole(night(lines, EVENTS, EVENTS), detectors()) for lines in sorted(SIZES)]
    assert max(spent) <= NOISE * spent[-1], spent


@pytest.mark.timing
def test_ten_thousand_rows_leave_in_about_two_seconds(tmp_path: Path) -> None:
    incident, analysis = analysed(tmp_path, 20_000)
    measured = each_format(incident, analysis, marked_of(incident, EXPORTED_ROWS), 1)
    spent = {name: processor[0] for name, (_, processor, _) in measured.items()}
    assert max(spent.values()) < EXPORT_S, spent


@pytest.mark.timing
def test_lines_with_ids_of_their_own_do_not_stop_an_analysis(tmp_path: Path) -> None:
    incident = incident_of(raw_log(tmp_path / "shop.log", UNLIKE), UNLIKE // 20, UNLIKE // 20)
    assert whole(incident, detectors(), runs=1) < UNLIKE_S
