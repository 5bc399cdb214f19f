"""Notes while the screen is open: of its own, of other shells, shown once, kept for good."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from halfawake import note_taking
from halfawake.bundles import open_bundle, save_bundle
from halfawake.collector import LiveCollector
from halfawake.demo import story_path
from halfawake.note_taking import NoteTaker
from halfawake.notebook import Notebook
from halfawake.plugins import exporter
from halfawake.recorded import RecordedCollector, examine
from tests.halfawake.fakes import event, fake, setup_of
from timeline.batch import batch_of
from timeline.event import Event, Lane, Precision
from timeline.export.contract import ExportOptions
from timeline.incident import Incident
from timeline.progress import IncidentGrew, Update
from timeline.window import SECOND_NS, Window

T = 1_773_453_820 * SECOND_NS
"""2026-03-14 02:03:40 UTC."""
WINDOW = Window.around(T)
SOON_S = 20.0


@pytest.fixture(autouse=True)
def looking_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(note_taking, "LOOK_EVERY_S", 0.05)


def soon(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + SOON_S
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.01)


class Screen:
    """What a screen would show: the newest incident."""

    def __init__(self) -> None:
        self.incident: Incident | None = None

    def take(self, update: Update) -> None:
        if isinstance(update, IncidentGrew):
            self.incident = update.incident

    @property
    def notes(self) -> list[Event]:
        if self.incident is None:
            return []
        snapshot = self.incident.snapshot
        rows = snapshot.in_order(0, len(snapshot))
        return [row for row in rows if row.lane is Lane.NOTE]

    @property
    def told(self) -> list[str]:
        return [note.body for note in self.notes]


@contextmanager
def open_screen(
    tmp_path: Path, *, recorded: Path | None = None, only_new: bool = False
) -> Iterator[tuple[Screen, NoteTaker]]:
    screen = Screen()
    collector: LiveCollector | RecordedCollector
    window = WINDOW
    if recorded is not None:
        collector = RecordedCollector(recorded)
    else:
        web = fake("web")

        async def behaviour(_: Window) -> object:
            yield batch_of("web", [event("web", T, "fine")])

        web.behaviour = behaviour  # type: ignore[assignment]
        collector = LiveCollector(lambda: setup_of(web))
    taker = NoteTaker(
        lambda: [Notebook(tmp_path / "notes.md")],
        collector.add,
        lambda: window,
        only_new=only_new,
    )
    collector.start(window, screen.take)
    taker.begin()
    try:
        soon(lambda: screen.incident is not None)
        yield screen, taker
    finally:
        taker.end()
        collector.close()


def write(path: Path, *lines: str) -> None:
    with path.open("a", encoding="utf-8") as stream:
        stream.writelines(f"- {line}\n" for line in lines)


def test_a_note_of_the_screen_is_a_row_with_its_author(tmp_path: Path) -> None:
    with open_screen(tmp_path) as (screen, taker):
        where = taker.add(T + SECOND_NS, "paused mailers", to_the_second=True)
        assert str(tmp_path / "notes.md") in where
        soon(lambda: screen.told == ["paused mailers"])
        (note,) = screen.notes
        assert note.timestamp == T + SECOND_NS
        assert note.precision is Precision.SECOND
        assert note.actor != ""
        assert screen.incident is not None
        assert "notes" in [source.name for source in screen.incident.sources]


def test_a_note_from_another_shell_appears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "halfawake.toml").write_text(
        '[env.prod.sources.notes]\nconnector = "notes"\npaths = ["notes.md"]\n', encoding="utf-8"
    )
    with open_screen(tmp_path) as (screen, _):
        words = ["note", "from afar", "--at", "2026-03-14T02:03:41Z", "--by", "bob"]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        command = [sys.executable, "-m", "halfawake", *words]
        subprocess.run(command, check=True, env=environment, timeout=60)
        soon(lambda: screen.told == ["from afar"])
        assert screen.notes[0].actor == "bob"


def test_what_stood_there_is_told_if_it_is_of_the_window(tmp_path: Path) -> None:
    write(tmp_path / "notes.md", "2026-03-14T02:03Z [ann] of tonight", "2026-03-12T02:03Z old")
    with open_screen(tmp_path) as (screen, taker):
        soon(lambda: screen.told == ["of tonight"])
        taker.add(T + 3_600 * SECOND_NS, "an hour later", to_the_second=True)
        soon(lambda: screen.told == ["of tonight", "an hour later"])  # new, so it is told


def test_a_demo_tells_only_what_is_new(tmp_path: Path) -> None:
    write(tmp_path / "notes.md", "2026-03-14T02:03Z [ann] of the last demo")
    with open_screen(tmp_path, only_new=True) as (screen, taker):
        taker.add(T, "of this one", to_the_second=True)
        soon(lambda: screen.told == ["of this one"])


def test_a_file_that_is_edited_tells_nothing_twice(tmp_path: Path) -> None:
    file = tmp_path / "notes.md"
    write(file, "2026-03-14T02:03:01Z one", "2026-03-14T02:03:02Z two")
    with open_screen(tmp_path) as (screen, _):
        soon(lambda: screen.told == ["one", "two"])
        text = file.read_text(encoding="utf-8")
        file.write_text(f"# a heading\n\n{text}- 2026-03-14T02:03:03Z three\n", encoding="utf-8")
        soon(lambda: screen.told == ["one", "two", "three"])
        file.unlink()
        time.sleep(0.3)
        assert screen.told == ["one", "two", "three"]  # evidence that was seen stays


def test_hostile_text_is_cleaned(tmp_path: Path) -> None:
    with open_screen(tmp_path) as (screen, taker):
        taker.add(T, "red \x1b[31m alert\u202e", to_the_second=True)
        soon(lambda: len(screen.told) == 1)
        assert "\x1b" not in screen.told[0]
        assert "\u202e" not in screen.told[0]


def test_a_note_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "notes.md").mkdir()
    with open_screen(tmp_path) as (_, taker), pytest.raises(ValueError, match=r"was not written"):
        taker.add(T, "important", to_the_second=True)


def test_notes_of_both_writers_survive_the_bundle_and_reach_the_export(tmp_path: Path) -> None:
    with open_screen(tmp_path) as (screen, taker):
        taker.add(T + SECOND_NS, "paused mailers", to_the_second=True)
        write(tmp_path / "notes.md", "2026-03-14T02:03:45Z [bob] resumed them")
        soon(lambda: screen.told == ["paused mailers", "resumed them"])
        assert screen.incident is not None
        save_bundle(tmp_path / "night.halfawake", screen.incident, ())
    incident, _ = open_bundle(tmp_path / "night.halfawake")
    again = Screen()
    again.take(IncidentGrew(incident))
    assert again.told == ["paused mailers", "resumed them"]
    text = exporter("md").render(incident, examine(incident), ExportOptions())
    assert "paused mailers" in text
    assert "resumed them" in text


def test_a_recording_takes_notes_and_keeps_all_its_rows(tmp_path: Path) -> None:
    path = story_path("night-hiccup")
    incident, _ = open_bundle(path)
    at = incident.window.pin
    with open_screen(tmp_path, recorded=path, only_new=True) as (screen, taker):
        assert screen.incident is not None
        before = len(screen.incident.snapshot)
        counted = screen.incident.snapshot.coverage
        told = len(screen.notes)
        taker.add(at, "paused mailers", to_the_second=True)
        soon(lambda: "paused mailers" in screen.told)
        assert len(screen.incident.snapshot) == before + 1
        assert len(screen.notes) == told + 1
        assert set(counted.entries) <= set(screen.incident.snapshot.coverage.entries)
