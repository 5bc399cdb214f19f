"""What opens over the rows and leads back: proof, record, look-ups, export, sources, help."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tests.tui import story
from tests.tui.conftest import Opening
from timeline.event import Lane
from timeline.progress import (
    CollectionEnded,
    IncidentGrew,
    Phase,
    SourceStatus,
    StatusChanged,
)
from tui import actions
from tui.proof import ProofScreen
from tui.reader import Reader
from tui.rows import identity

if TYPE_CHECKING:
    import pytest


async def test_enter_shows_the_proof_and_escape_comes_back_to_the_same_row(
    open_night: Opening,
) -> None:
    async with open_night() as night:
        await night.tell_all()
        await night.press("2", "n", "n", "n")
        read = night.read
        await night.press("enter")
        assert isinstance(night.app.screen, ProofScreen)
        text = night.screen_text()
        assert "certain" in text and "job-before-commit" in text
        unwrapped = " ".join(text.replace("\u2502", " ").split())
        assert "undecided: gap 3 ms is inside the clock bounds" in unwrapped
        await night.press("escape")
        assert not isinstance(night.app.screen, Reader)
        assert night.read == read


async def test_proof_walks_steps_with_their_records(open_night: Opening) -> None:
    async with open_night(size=(120, 60)) as night:
        await night.tell_all()
        await night.press("2", "enter", "n", "n", "n")
        text = night.screen_text()
        assert "record of step 4" in text
        assert "line 42, in welcome_mail" in text
        assert "mailer.log@900001" in text
        await night.press("enter")
        assert night.read == identity(story.NOT_FOUND)


async def test_enter_on_a_row_without_a_finding_shows_its_record(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await night.press("enter")
        text = night.screen_text()
        assert "no finding cites this row" in text
        assert "web.log@900005" in text
        assert "2026-03-14 02:13:40 UTC" in text


async def test_follow_lists_keys_with_counts_and_looks_the_key_up(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await night.press("2", "f")
        text = night.screen_text()
        assert "user:4711" in text and "5 rows" in text
        await night.press("enter")  # the thing stands above its database row
        assert night.collector.looked_up == ["user:4711"]
        assert len(night.state.rows) == 5
        assert "following user:4711" in night.screen_text()
        await night.press("escape")
        assert len(night.state.rows) == len(story.CAST) + len(story.crowd())
        assert night.read == identity(story.INSERTED)


async def test_rows_looked_up_outside_the_window_appear_while_following(
    open_night: Opening,
) -> None:
    async with open_night() as night:
        await night.tell_all()
        night.state.follow_key("user:4711")
        old = dataclasses.replace(
            story.row("02:07:29.110402", 4711), ref="mails/1", timestamp=story.at("00:00:01")
        )
        await night.tell(IncidentGrew(story.incident([*story.CAST, *story.crowd(), old])))
        assert len(night.state.rows) == 6


async def test_marked_rows_reach_the_export(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await night.press("2", "space", "e")
        await night.app.workers.wait_for_complete()
        assert night.handover.exported == [(story.INSERTED.id,)]
        await night.press("enter")
        assert "Wrote postmortem.md" in night.screen_text()


async def test_export_that_cannot_be_written_says_why(
    open_night: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_night() as night:
        await night.tell_all()

        def refuse(*_: object) -> str:
            raise PermissionError(13, "Permission denied", "postmortem.md")

        monkeypatch.setattr(night.handover, "write", refuse)
        await night.press("e")
        await night.app.workers.wait_for_complete()
        await night.press("enter")
        assert "could not be written" in night.screen_text()
        assert "Permission denied" in night.screen_text()


async def test_status_goes_to_the_clipboard(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await night.press("y")
        assert night.app.clipboard == "recovered\nlook up 4711\nblind: mailer"


async def test_sources_page_names_problem_and_remedy(open_night: Opening) -> None:
    async with open_night() as night:
        broken = SourceStatus(
            "shop", Lane.DATABASE, "postgresql", Phase.FAILED,
            problem="db1:5432 refused the password", remedy="Set SHOP_PASSWORD.",
        )  # fmt: skip
        await night.tell(StatusChanged((broken,)))
        await night.press("s")
        text = night.screen_text()
        assert "db1:5432 refused the password" in text
        assert "do: Set SHOP_PASSWORD." in text


async def test_an_open_page_follows_what_arrives(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell(StatusChanged(story.statuses(answered=0)))
        await night.press("s")
        assert "0 of 5 answered" in night.screen_text()
        await night.tell(CollectionEnded(story.statuses()))
        assert "5 of 5 answered" in night.screen_text()


async def test_help_lists_every_key_of_the_registry(open_night: Opening) -> None:
    async with open_night(size=(120, 100)) as night:
        await night.press("question_mark")
        text = night.screen_text()
        assert isinstance(night.app.screen, Reader)
        for action in actions.of("incident"):
            assert f"   {action.key_text} " in text
            assert action.help.partition(",")[0][:40] in text
        for words in ("not evaluated", "Undecided", "░"):
            assert words in text
