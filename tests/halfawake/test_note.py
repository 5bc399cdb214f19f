"""`halfawake note`: where a note goes, what is written, and that it reads back as it was meant."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from connectors.notes import NotesConnector, NotesOptions
from halfawake import cli
from halfawake.exit_codes import ExitCode
from halfawake.notebook import Line, NotebookProblem, append
from tests.conformance.collecting import fetched
from timeline.event import Event, Precision
from timeline.keys import KeyRules
from timeline.window import MINUTE_NS, SECOND_NS, Window

NOW = 1_773_458_411 * SECOND_NS
CONFIG = """[env.prod.sources.db]
connector = "postgresql"
dsn = "${NOT_SET}"

[env.prod.sources.notes]
connector = "notes"
paths = ["PATHS"]
"""


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("TZ", "UTC")
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


def configured(paths: str) -> None:
    Path("halfawake.toml").write_text(CONFIG.replace("PATHS", paths), encoding="utf-8")


def own(tmp_path: Path) -> Path:
    return tmp_path / "data" / "halfawake" / "notes.md"


def told(path: Path) -> list[Event]:
    options = NotesOptions.model_validate({"paths": [str(path)]})
    week = 7 * 24 * 60 * MINUTE_NS
    window = Window.around(time.time_ns(), 1000 * week, week)
    return fetched(NotesConnector("notes", options, KeyRules()), window).events


def test_a_note_goes_into_the_environment_s_file(capsys: pytest.CaptureFixture[str]) -> None:
    configured("notes.md")
    before = time.time_ns() // SECOND_NS * SECOND_NS
    assert cli.run(["note", "paused", "mailers", "--by", "ann"]) == ExitCode.DONE
    (event,) = told(Path("notes.md"))
    assert (event.body, event.actor, event.precision) == (
        "paused mailers", "ann", Precision.SECOND
    )  # fmt: skip
    assert before <= event.timestamp <= time.time_ns()
    out = capsys.readouterr().out
    assert "paused mailers" in out
    assert "notes.md" in out
    assert Path("notes.md").stat().st_mode & 0o777 == 0o600


def test_without_a_configuration_it_goes_into_the_data_folder(tmp_path: Path) -> None:
    assert cli.run(["note", "x"]) == ExitCode.DONE
    assert len(told(own(tmp_path))) == 1


def test_a_broken_configuration_loses_no_note(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("halfawake.toml").write_text("[env", encoding="utf-8")
    assert cli.run(["note", "x"]) == ExitCode.DONE
    assert len(told(own(tmp_path))) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_a_configuration_without_notes_says_how_to_show_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("halfawake.toml").write_text(
        '[env.prod.sources.web]\nconnector = "file"\npaths = ["x"]\n', encoding="utf-8"
    )
    assert cli.run(["note", "x"]) == ExitCode.DONE
    assert "[env.prod.sources.notes]" in capsys.readouterr().err
    assert len(told(own(tmp_path))) == 1


@pytest.mark.parametrize(
    ("given", "stamp", "precision"),
    [
        ("2026-03-14T03:20Z", "2026-03-14T03:20Z", Precision.MINUTE),
        ("2026-03-14T03:20:11Z", "2026-03-14T03:20:11Z", Precision.SECOND),
        ("2026-03-14 04:20 +01:00", "2026-03-14T03:20Z", Precision.MINUTE),
        ("1773458411", "2026-03-14T03:20:11Z", Precision.SECOND),
    ],
)
def test_a_time_is_kept_as_exact_as_it_was_given(
    given: str, stamp: str, precision: Precision
) -> None:
    configured("notes.md")
    assert cli.run(["note", "x", "--at", given]) == ExitCode.DONE
    assert f"- {stamp} " in Path("notes.md").read_text(encoding="utf-8")
    assert told(Path("notes.md"))[0].precision is precision


def test_an_ambiguous_time_is_refused_and_both_readings_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    configured("notes.md")
    monkeypatch.setenv("TZ", "America/New_York")
    words = ["note", "x", "--at", "2026-03-14 03:20"]
    assert cli.run(words) == ExitCode.USAGE
    assert len(re.findall(r"2026-03-14 0[37]:20:00Z", capsys.readouterr().err)) == 2
    assert not Path("notes.md").exists()
    assert cli.run([*words, "--zone", "America/New_York"]) == ExitCode.DONE
    assert "2026-03-14T07:20Z" in Path("notes.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("given", ["order:4711", "soon", "2199-01-01T00:00Z"])
def test_what_is_no_time_is_refused(given: str) -> None:
    assert cli.run(["note", "x", "--at", given]) == ExitCode.USAGE


def test_hostile_and_long_text_stays_one_note() -> None:
    text = "one \x1b[31mred\u202e\n\n# 2020-01-01\n03:20 no note of its own\n"
    append(Path("notes.md"), Line(NOW, text, "a]nn", to_the_second=True))
    append(Path("notes.md"), Line(NOW + SECOND_NS, "two", "", to_the_second=True))
    raw = Path("notes.md").read_text(encoding="utf-8")
    assert "\x1b" not in raw
    assert "\u202e" not in raw
    assert raw.count("\n- ") == 1
    assert sorted(event.body for event in told(Path("notes.md"))) == [
        "one ␛[31mred⟨202e⟩␊# 2020-01-01␊03:20 no note of its own",
        "two",
    ]


def test_a_file_without_a_last_line_break_gets_one() -> None:
    Path("notes.md").write_text("2026-03-14T03:20Z one", encoding="utf-8")
    append(Path("notes.md"), Line(NOW, "two", "", to_the_second=True))
    assert len(told(Path("notes.md"))) == 2


def test_json_lines_get_an_object() -> None:
    configured("notes.jsonl")
    assert cli.run(["note", "say", '"x"', "--by", "ann"]) == ExitCode.DONE
    (event,) = told(Path("notes.jsonl"))
    assert (event.body, event.actor) == ('say "x"', "ann")


def test_a_folder_gets_one_file_a_day() -> None:
    Path("notes").mkdir()
    configured("notes")
    assert cli.run(["note", "x"]) == ExitCode.DONE
    assert [event.body for event in told(Path("notes"))] == ["x"]


@pytest.mark.parametrize("link", [False, True])
def test_only_notes_are_appended_to(link: bool) -> None:
    victim = Path(".bashrc")
    victim.write_text("ls\n", encoding="utf-8")
    if link:
        Path("notes.md").symlink_to(victim)
    with pytest.raises(NotebookProblem, match="does not look like notes"):
        append(Path("notes.md") if link else victim, Line(NOW, "x", "", to_the_second=True))
    assert victim.read_text(encoding="utf-8") == "ls\n"


def test_a_file_that_cannot_be_written_is_a_sentence() -> None:
    Path("notes.md").mkdir()
    with pytest.raises(NotebookProblem, match=r"was not written.*It was: .*important"):
        append(Path("notes.md"), Line(NOW, "important", "", to_the_second=True))


def test_many_writers_mix_no_line() -> None:
    program = (
        "import sys; from pathlib import Path; from halfawake.notebook import Line, append\n"
        "for n in range(40):\n"
        "    append(Path('notes.md'), Line(0, sys.argv[1] * 300, '', True))\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", program, word]) for word in "ab"]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    lines = Path("notes.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 80
    assert all(re.fullmatch(r"- \S+ (a{300}|b{300})", line) for line in lines)


@pytest.mark.parametrize("words", [["-e", "staging"], ["--source", "nonesuch"]])
def test_a_wrong_name_is_a_sentence(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    configured("notes.md")
    assert cli.run(["note", "x", *words]) == ExitCode.USAGE
    assert words[-1] in capsys.readouterr().err
