"""Rotation sets, globs, folders and compressed members are one source, oldest first."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
import zstandard

from connectors.logs.load import WindowLoad
from connectors.logs.members import family_of, members_of, stem_of
from connectors.logs.preview import preview_files
from connectors.logs.sources import Settings, open_source
from connectors.logs.zones import ZoneRule
from tests.connectors.logs.reading import T0, load, write
from timeline.coverage import Sight
from timeline.keys import KeyRules
from timeline.problems import Misconfigured, Unreachable
from timeline.window import Budget, Window


@pytest.mark.parametrize(
    ("path", "family", "stem"),
    [
        ("/l/app.log", "/l/app.log", "app"),
        ("/l/app.log.1", "/l/app.log", "app"),
        ("/l/app.log.12.gz", "/l/app.log", "app"),
        ("/l/app.log-20260314.gz", "/l/app.log", "app"),
        ("/l/app-2026-03-14.log", "/l/app.log", "app"),
        ("/l/app.2026-03-14.log.zst", "/l/app.log", "app"),
        ("/l/web-1.log", "/l/web-1.log", "web-1"),
        ("/l/syslog.1", "/l/syslog", "syslog"),
        ("/l/export.jsonl", "/l/export.jsonl", "export"),
    ],
)
def test_a_rotation_set_shares_one_name(path: str, family: str, stem: str) -> None:
    assert (family_of(path), stem_of(path)) == (family, stem)


def minute(n: int) -> str:
    return f"2026-03-14T02:{n:02d}:00Z INFO minute {n}"


def rotation_set(folder: Path) -> None:
    write(folder, "app.log", *(minute(n) for n in range(8, 12)))
    write(folder, "app.log.1", *(minute(n) for n in range(5, 8)))
    two = "".join(minute(n) + "\n" for n in range(3, 5)).encode()
    (folder / "app.log.2.gz").write_bytes(gzip.compress(two))
    three = "".join(minute(n) + "\n" for n in range(1, 3)).encode()
    (folder / "app.log.3.zst").write_bytes(zstandard.compress(three))


def test_members_of_a_rotation_set_are_read_as_one(tmp_path: Path) -> None:
    rotation_set(tmp_path)
    loaded = load(tmp_path)
    assert [event.body for event in loaded.events] == [f"minute {n}" for n in range(1, 12)]
    assert {event.actor for event in loaded.events} == {"app"}
    seqs = [event.seq for event in loaded.events]
    assert seqs == sorted(seqs)
    assert len({event.id for event in loaded.events}) == 11
    names = {Path(entry.reason.split(" in ")[-1]).name for entry in loaded.coverage[:2]}
    assert any("app.log" in name for name in names)


def test_a_glob_names_the_same_files(tmp_path: Path) -> None:
    rotation_set(tmp_path)
    assert len(load(str(tmp_path / "app.log*")).events) == 11


def test_compressed_members_outside_the_window_are_not_inflated(tmp_path: Path) -> None:
    rotation_set(tmp_path)
    window = Window(T0, T0, T0 + 200 * 10**9)
    loaded = load(tmp_path, window=window)
    assert [event.body for event in loaded.events] == ["minute 8", "minute 9", "minute 10"]
    plain = sum((tmp_path / name).stat().st_size for name in ("app.log", "app.log.1"))
    assert loaded.tally.bytes_read <= plain


def test_coverage_is_that_of_the_shortest_set(tmp_path: Path) -> None:
    write(tmp_path, "web.log", minute(1), minute(20))
    write(tmp_path, "mailer.log", minute(1), minute(8))
    window = Window(T0, T0 - 300 * 10**9, T0 + 300 * 10**9)
    loaded = load(tmp_path, window=window)
    (full,) = [entry for entry in loaded.coverage if entry.sight is Sight.FULL]
    (partial,) = [entry for entry in loaded.coverage if entry.sight is Sight.PARTIAL]
    assert (full.start, full.end) == (window.start, partial.start)
    assert partial.end == window.end
    assert "02:08:00Z in mailer.log" in partial.reason


def test_a_missing_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Unreachable) as caught:
        load(tmp_path / "gone.log")
    assert "gone.log" in caught.value.sentence()
    with pytest.raises(Unreachable) as caught:
        load(tmp_path / "no" / "such" / "app.log")
    assert str(tmp_path) in caught.value.remedy
    with pytest.raises(Misconfigured, match="No file matches"):
        load(tmp_path / "*.log")
    with pytest.raises(Misconfigured, match="holds no log files"):
        load(tmp_path)


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Misconfigured, match="pipe or a device"):
        load(tmp_path / "pipe")


def test_one_missing_file_does_not_take_the_others_away(tmp_path: Path) -> None:
    path = write(tmp_path, "app.log", minute(7))
    loaded = load(path, tmp_path / "gone.log")
    assert [event.body for event in loaded.events] == ["minute 7"]
    assert Sight.FULL not in {entry.sight for entry in loaded.coverage}
    assert any("gone.log" in entry.reason for entry in loaded.coverage)


def test_the_preview_numbers_members_as_the_full_load_does(tmp_path: Path) -> None:
    rotation_set(tmp_path)
    window = Window(T0, T0 - 1_200 * 10**9, T0 + 1_200 * 10**9)
    full = {event.id: event.seq for event in load(tmp_path, window=window).events}
    preview = preview_files("logs", [str(tmp_path)], window)
    assert preview.events
    assert all(full[event.id] == event.seq for event in preview.events)


def test_a_file_rotated_while_it_is_read_is_read_to_its_end(tmp_path: Path) -> None:
    path = write(tmp_path, "app.log", *(minute(n) for n in range(5, 10)))
    window = Window(T0, T0 - 1_200 * 10**9, T0 + 1_200 * 10**9)
    opened = open_source("logs", Settings((str(path),), ZoneRule()))
    path.replace(tmp_path / "app.log.1")
    write(tmp_path, "app.log", minute(30))
    batches = list(WindowLoad("logs", opened, KeyRules(), window, Budget()).batches())
    opened.close()
    assert sum(batch.events.height for batch in batches) == 5
    assert "rotated" in {remark.topic for batch in batches for remark in batch.remarks}


def test_a_file_truncated_while_it_is_read_is_a_blind_spot(tmp_path: Path) -> None:
    path = write(tmp_path, "app.log", *(minute(n) for n in range(5, 10)))
    window = Window(T0, T0 - 1_200 * 10**9, T0 + 1_200 * 10**9)
    opened = open_source("logs", Settings((str(path),), ZoneRule()))
    os.truncate(path, 40)
    batches = list(WindowLoad("logs", opened, KeyRules(), window, Budget()).batches())
    opened.close()
    assert "truncated" in {remark.topic for batch in batches for remark in batch.remarks}
    assert Sight.FULL not in {entry.sight for batch in batches for entry in batch.coverage}


def test_a_year_is_guessed_from_the_time_of_the_last_change(tmp_path: Path) -> None:
    path = write(
        tmp_path, "syslog", "Dec 31 23:59:59 web-1 shop: old", "Jan  1 00:00:01 web-1 shop: new"
    )
    os.utime(path, (1_767_225_700, 1_767_225_700))  # 2026-01-01 00:01:40 UTC
    midnight = 1_767_225_600 * 10**9
    loaded = load(path, window=Window(midnight, midnight - 10**10, midnight + 10**10))
    assert [event.timestamp - midnight for event in loaded.events] == [-(10**9), 10**9]
    assert loaded.topics()["year-guessed"] == 2


def test_members_are_listed_oldest_first(tmp_path: Path) -> None:
    rotation_set(tmp_path)
    names = [Path(member.path).name for member in members_of([str(tmp_path)]).files]
    assert names == ["app.log.3.zst", "app.log.2.gz", "app.log.1", "app.log"]
