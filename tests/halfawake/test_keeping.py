"""What is kept beside an incident: private, bound to expire, and never in the way of opening it."""

from __future__ import annotations

import json
import os
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from halfawake import bundles, cli, keeping
from halfawake.bundles import About, open_about, open_bundle, save_bundle
from halfawake.exit_codes import ExitCode
from halfawake.keeping import Keeper, read_view, write_view
from tests.tui import story
from timeline.bundle_archive import MANIFEST
from timeline.progress import Phase
from tui.restore import View

NAME = "20260314T021340Z-prod eu-1"
VIEW = View(story.WINDOW, cursor=story.NOT_FOUND, line=7, marks=(story.PAGED, story.INSERTED))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = tmp_path / "state" / "incidents"
    monkeypatch.setattr(bundles, "autosave_folder", lambda: found)
    return found


def kept_live(view: View = VIEW) -> Keeper:
    keeper = Keeper()
    keeper.keep(view, story.incident(), (), whole=True)
    return keeper


def reopened(path: Path) -> Keeper:
    keeper = Keeper(path, open_about(path))
    keeper.find()
    return keeper


def test_the_incident_and_its_view_stand_beside_each_other(folder: Path) -> None:
    kept_live()
    files = sorted(folder.iterdir())
    assert [file.name for file in files] == [f"{NAME}.halfawake", f"{NAME}.view.json"]
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in files)
    keeper = reopened(files[0])
    assert keeper.left == VIEW
    assert keeper.sentence.startswith("Restored as you left it at ")
    assert keeper.sentence.endswith(" UTC; u starts afresh at T.")


def test_what_is_there_is_kept_although_a_source_still_answers(folder: Path) -> None:
    keeper = Keeper()
    slow = story.statuses(answered=4)
    keeper.keep(VIEW, story.incident([story.PAGED]), slow, whole=False)
    path = folder / f"{NAME}.halfawake"
    incident, statuses = open_bundle(path)
    assert len(incident.snapshot) == 1
    assert [status.phase for status in statuses][-1] is Phase.CUT  # nobody reads it any more
    assert statuses[-1].problem == keeping.STILL_READING
    keeper.keep(VIEW, story.incident([story.PAGED, story.INSERTED]), slow, whole=False)
    assert len(open_bundle(path)[0].snapshot) == 1  # not over and over while it grows
    keeper.keep(VIEW, story.incident(), story.statuses(), whole=True)
    assert len(open_bundle(path)[0].snapshot) == len(story.incident().snapshot)


def test_a_copy_elsewhere_of_the_same_incident_finds_the_view(tmp_path: Path) -> None:
    kept_live()
    copy = tmp_path / "attached-to-ticket.halfawake"
    save_bundle(copy, story.incident(), ())
    assert reopened(copy).left == VIEW
    other = tmp_path / "other.halfawake"
    window = story.WINDOW.repinned(story.ONSET)
    save_bundle(other, replace(story.incident(), window=window), ())
    assert reopened(other).left is None


def test_an_opened_file_is_never_written_to(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "night.halfawake"
    save_bundle(path, story.incident(), ())
    before = path.read_bytes(), path.stat().st_mtime_ns
    note = replace(story.PAGED, body="paused")
    keeper = Keeper(path, open_about(path), notes=lambda: [note])
    keeper.keep(VIEW, story.incident(), (), whole=True)
    assert keeper.close(VIEW, story.incident(), ()) is None
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    again = reopened(path)
    assert again.left == VIEW
    assert again.kept_notes == (note,)
    assert [file.name for file in folder.iterdir()] == [f"{NAME}.view.json"]


def test_marks_made_on_an_autosaved_incident_are_in_its_bundle(folder: Path) -> None:
    kept_live(replace(VIEW, marks=()))
    path = folder / f"{NAME}.halfawake"
    keeper = reopened(path)
    incident, statuses = open_bundle(path)
    keeper.close(VIEW, incident, statuses)
    assert open_about(path).marks == VIEW.marks
    assert len(open_bundle(path)[0].snapshot) == len(incident.snapshot)


def test_a_mark_that_was_taken_away_stays_away_and_a_newer_file_adds_its_own(
    folder: Path, tmp_path: Path
) -> None:
    kept_live()
    path = folder / f"{NAME}.halfawake"
    reopened(path).keep(replace(VIEW, marks=()), story.incident(), (), whole=True)
    left = reopened(path).left
    assert left is not None
    assert left.marks == ()
    sent = tmp_path / "from-a-colleague.halfawake"
    save_bundle(sent, story.incident(), (), [story.ENQUEUED])
    left = reopened(sent).left
    assert left is not None
    assert left.marks == (story.ENQUEUED,)


@pytest.mark.parametrize(
    ("content", "because"),
    [
        (b"{", "damaged"),
        (b"\xff\xfe\x00", "damaged"),
        (b"[" * 100_000, "damaged"),
        (b"[]", "another's"),
        (b'{"format": "halfawake view", "version": 99}', "another version"),
        (b'{"format": "halfawake view", "version": 1, "saved_at": "x"}', "saved_at"),
        (b'{"format": "halfawake view", "version": 1, "saved_at": 1, "view": 3}', "view"),
        (
            b'{"format": "halfawake view", "version": 1, "saved_at": 1,'
            b' "view": {"window": {"pin": 1, "start": 5, "end": 2}}}',
            "window ends",
        ),
    ],
    ids=["half", "no text", "deep", "list", "newer", "saved_at", "view", "window"],
)
def test_a_file_that_cannot_be_read_costs_only_the_view(
    folder: Path, content: bytes, because: str
) -> None:
    kept_live()
    (folder / f"{NAME}.view.json").write_bytes(content)
    keeper = reopened(folder / f"{NAME}.halfawake")
    assert keeper.sentence.startswith("What was on the screen cannot be restored (")
    assert because in keeper.sentence
    assert keeper.left is not None
    assert keeper.left.cursor is None
    assert keeper.left.marks == VIEW.marks  # those of the bundle


def test_a_file_that_is_too_large_is_not_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept_live()
    monkeypatch.setattr(keeping, "MOST_BYTES", 100)
    assert "too large" in reopened(folder / f"{NAME}.halfawake").sentence


def test_the_most_marks_stay_within_what_is_read_again(tmp_path: Path) -> None:
    long = replace(story.PAGED, body="x" * 1_000)
    marks = tuple(replace(long, seq=n) for n in range(keeping.MOST_MARKS + 10))
    file = tmp_path / "a.view.json"
    write_view(file, replace(VIEW, marks=marks), ())
    _, view, _ = read_view(file)
    assert view.marks == marks[10:]


def test_a_full_disk_does_not_interrupt_the_night(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    monkeypatch.setattr(bundles, "autosave_folder", lambda: blocked)
    keeper = kept_live()
    with pytest.raises(OSError):
        keeper.close(VIEW, story.incident(), ())


def test_an_incident_that_grows_is_not_saved_over_and_over(folder: Path) -> None:
    keeper = kept_live()
    path = folder / f"{NAME}.halfawake"
    saved = path.stat().st_ino
    for _ in range(3):
        keeper.keep(replace(VIEW, line=9), story.incident([story.PAGED]), (), whole=True)
    assert path.stat().st_ino == saved
    assert reopened(path).left == replace(VIEW, line=9)
    keeper.close(VIEW, story.incident([story.PAGED]), ())
    assert len(open_bundle(path)[0].snapshot) == 1


def test_a_view_expires_like_its_incident(folder: Path) -> None:
    kept_live()
    for name in (f".{NAME}.halfawake.4711", f".{NAME}.view.json.4711"):
        (folder / name).write_text("", encoding="utf-8")  # a process was killed while it wrote
    long_ago = time.time() - (bundles.KEEP_DAYS + 1) * 86_400
    for file in folder.iterdir():
        os.utime(file, (long_ago, long_ago))
    bundles.expire(folder)
    assert list(folder.iterdir()) == []


def test_a_bundle_of_before_marks_still_opens(tmp_path: Path) -> None:
    path = tmp_path / "old.halfawake"
    save_bundle(path, story.incident(), (), VIEW.marks)
    assert open_about(path).marks == VIEW.marks
    old = tmp_path / "older.halfawake"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(old, "w") as target:
        for member in source.infolist():
            content = source.read(member)
            if member.filename == MANIFEST:
                manifest = json.loads(content)
                del manifest["marks"]
                content = json.dumps(manifest).encode()
            target.writestr(member, content)
    about = open_about(old)
    assert about == About(story.WINDOW, NAME, ())
    assert len(open_bundle(old)[0].snapshot) == len(story.incident().snapshot)


def test_marks_of_a_bundle_reach_the_export(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ordinary = next(row for row in story.crowd() if "/orders/4333 " in row.body)
    path = tmp_path / "night.halfawake"
    save_bundle(path, story.incident(), ())
    assert cli.run(["export", str(path)]) == ExitCode.DONE
    assert "/orders/4333 " not in capsys.readouterr().out
    save_bundle(path, story.incident(), (), [ordinary])
    assert cli.run(["export", str(path)]) == ExitCode.DONE
    assert "/orders/4333 " in capsys.readouterr().out
