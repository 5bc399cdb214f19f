"""Files that belong together are one source."""

from __future__ import annotations

from pathlib import Path

from halfawake.file_groups import grouped


def test_a_rotation_set_is_one_source() -> None:
    paths = [Path("app.log"), Path("app.log.1"), Path("app.log.2.gz"), Path("app.2026-03-14.log")]
    assert list(grouped(paths)) == ["app"]


def test_different_files_are_different_sources() -> None:
    assert list(grouped([Path("a.log"), Path("b.jsonl")])) == ["a", "b"]


def test_the_same_name_in_two_folders_stays_apart() -> None:
    paths = [Path("web/app.log"), Path("worker/app.log"), Path("worker/app.log.1")]
    assert {name: len(found) for name, found in grouped(paths).items()} == {
        "web/app": 1,
        "worker/app": 2,
    }
