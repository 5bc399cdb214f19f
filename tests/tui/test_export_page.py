"""The export is read before it leaves: in every format, written or copied only when asked."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from halfawake.handover import FileHandover
from tests.tui import story
from tests.tui.conftest import Night, Opening
from tui.drafts import Draft
from tui.export_page import COPY_BYTES, LINES_SHOWN, ExportScreen, draft_lines, figures
from tui.pieces import plain, width_of

if TYPE_CHECKING:
    import pytest

DRAFT = Draft(story.FORMATS[0], "one\ntwo\n", "postmortem.md", rows=15, redactions=1)


def test_the_figures_are_rows_redactions_lines_and_size() -> None:
    assert figures(DRAFT) == "15 rows, 1 redaction, 2 lines, 8 bytes"


def test_a_long_text_is_shown_in_part_and_says_how_much_follows() -> None:
    text = "".join(f"line {n}\n" for n in range(LINES_SHOWN + 500))
    shown = [plain(line) for line in draft_lines(replace(DRAFT, text=text), 80)]
    assert shown[0] == " line 0"
    assert shown[-1] == " (500 more lines; the file holds all)"
    assert len(shown) == LINES_SHOWN + 1


def test_long_lines_are_wrapped_and_endless_ones_cut_with_a_word() -> None:
    draft = replace(DRAFT, text="word " * 2_000 + "\n")
    lines = draft_lines(draft, 80)
    assert all(width_of(line) <= 80 for line in lines)
    assert plain(lines[-2]).endswith("more characters of this line)")


def test_indented_text_stays_indented() -> None:
    draft = replace(DRAFT, text='{\n    "key": "' + "word " * 30 + '"\n}\n')
    shown = [plain(line) for line in draft_lines(draft, 60)]
    assert shown[1].startswith('     "key"')
    assert all(line.startswith("     ") for line in shown[1:-2])
    assert shown[-2:] == [" }", " "]


async def opened(night: Night) -> None:
    await night.tell_all()
    await night.press("e")
    await night.app.workers.wait_for_complete()
    await night.pilot.pause()


async def test_e_shows_what_would_be_written_and_writes_nothing(open_night: Opening) -> None:
    async with open_night() as night:
        await opened(night)
        text = night.screen_text()
        assert "nothing is written yet" in text
        assert "▸ md" in text
        assert "for the postmortem, an issue or a merge request" in text
        assert "15 rows, 7 redactions" in text
        assert "Web lost Redis for 2.1 s" in text
        assert night.handover.written == []
        await night.press("escape")
        assert night.app.screen is night.app.incident_screen
        assert night.handover.written == []


async def test_tab_shows_the_next_format_and_comes_round(open_night: Opening) -> None:
    async with open_night() as night:
        await opened(night)
        await night.press("tab")
        await night.app.workers.wait_for_complete()
        await night.pilot.pause()
        assert "▸ json" in night.screen_text()
        assert "# json of" in night.screen_text()
        await night.press("tab")
        assert "# md of" in night.screen_text()
        await night.press("shift+tab", "enter")
        assert [draft.format.name for draft in night.handover.written] == ["json"]
        assert "Wrote postmortem.json" in night.screen_text()


async def test_y_copies_what_is_shown_unless_the_terminal_cannot(
    open_night: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_night() as night:
        long = replace(DRAFT, format=story.FORMATS[1], text="x" * (COPY_BYTES + 1))
        monkeypatch.setattr(
            night.handover, "draft", lambda *about: DRAFT if about[-1] == "md" else long
        )
        await opened(night)
        await night.press("y")
        assert night.app.clipboard == DRAFT.text
        await night.press("tab")
        await night.app.workers.wait_for_complete()
        await night.press("y")
        assert night.app.clipboard == DRAFT.text
        assert "more than a terminal's clipboard takes" in night.screen_text()


async def test_a_format_that_takes_long_or_breaks_does_not_hold_the_screen(
    open_night: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_night() as night:
        release = threading.Event()

        def slow(*about: object) -> Draft:
            if about[-1] == "md":
                release.wait(20)
                return DRAFT
            raise KeyError("surprise")

        monkeypatch.setattr(night.handover, "draft", slow)
        await night.tell_all()
        await night.press("e")
        assert "Building md ..." in night.screen_text()
        await night.press("enter")
        assert "not there yet" in night.screen_text()
        await night.press("tab")
        await night.pilot.pause(0.2)
        assert "The format json broke: KeyError" in night.screen_text()
        release.set()
        await night.app.workers.wait_for_complete()
        await night.pilot.pause()
        assert "The format json broke" in night.screen_text()  # the format left does not come back
        await night.press("tab")
        assert "15 rows, 1 redaction" in night.screen_text()


async def test_before_there_is_an_analysis_there_is_nothing_to_export(open_night: Opening) -> None:
    async with open_night() as night:
        await night.press("e")
        assert "Nothing has been read yet" in night.screen_text()
        assert not isinstance(night.app.screen, ExportScreen)


def test_the_real_formats_are_listed_rendered_and_never_written_over_a_file(tmp_path: Path) -> None:
    handover = FileHandover(tmp_path)
    formats = handover.formats()
    assert [one.name for one in formats][:1] == ["md"]
    assert {"md", "json", "keys"} <= {one.name for one in formats}
    assert all(one.purpose for one in formats if one.name in ("md", "json", "keys"))
    secret = replace(story.PAGED, body="mail to ann@example.com failed, password=hunter22")
    incident = story.incident([secret, story.NOT_FOUND])
    for one in formats:
        draft = handover.draft(incident, story.ANALYSIS, [secret], one.name)
        assert "ann@example.com" not in draft.text
        assert "hunter22" not in draft.text
        if one.name == "md":
            assert draft.redactions >= 2
            assert draft.rows > 0
    first = handover.write(draft)
    second = handover.write(draft)
    assert first != second
    assert sorted(path.read_text(encoding="utf-8") for path in tmp_path.iterdir()) == [
        draft.text,
        draft.text,
    ]
