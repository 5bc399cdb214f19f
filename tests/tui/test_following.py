"""Following: any key can be typed, its story is summed up, a database row tells its versions."""

from __future__ import annotations

import dataclasses
import json

from tests.tui import story
from tests.tui.conftest import Opening
from tests.tui.test_comparing import line_with, shown
from timeline.event import Kind
from timeline.progress import IncidentGrew
from tui.picker import KeyPicker


async def test_the_picker_groups_keys_and_tells_their_time(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        night.timeline.go_to_event(story.NOT_FOUND)
        text = await shown(night, "f")
        rows = [line for line in text.splitlines() if "│" in line]
        groups = [n for word in ("│ jobs", "│ things") for n, r in enumerate(rows) if word in r]
        assert groups == sorted(groups) and len(groups) == 2
        line = line_with(text, "user:4711")
        assert "5 rows  02:07:29.110, 190 ms long" in line or "02:07:29.110, 191 ms long" in line


async def test_a_row_without_keys_asks_for_one_and_offers_the_victims(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        night.timeline.go_to_event(story.PAGED)
        text = await shown(night, "f")
        assert isinstance(night.app.screen, KeyPicker)
        assert "user:4715" in text and "victims" in text
        await shown(night, *"job:8f2c", "enter")
        assert night.collector.looked_up == ["job:8f2c"]
        assert night.state.sieve.follow == "job:8f2c"


async def test_typing_completes_from_the_keys_that_are_known(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await shown(night, "f", "slash")
        text = await shown(night, *"8f2")
        assert "job:8f2c" in text and "1 known key" in text
        await shown(night, "enter")
        assert night.collector.looked_up == ["job:8f2c"]


async def test_a_key_nobody_knows_is_looked_up_and_said(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await shown(night, "f", "slash", *"order:9", "enter")
        assert night.collector.looked_up == ["order:9"]
        assert "No row carries order:9 yet" in night.screen_text()


async def test_a_value_without_a_type_is_not_guessed(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await shown(night, "f", "slash", *"zzz")
        assert "a key has a type and a value" in await shown(night, "enter")
        assert night.collector.looked_up == []
        await night.press("escape")
        assert not isinstance(night.app.screen, KeyPicker)


async def test_the_picker_offers_the_comparison(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        night.timeline.go_to_event(story.STARTED)
        await shown(night, "f")
        assert "No other welcome_mail" in await shown(night, "c")


async def test_a_followed_key_is_summed_up_and_its_story_told(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        night.timeline.go_to_event(story.STARTED)
        text = await shown(night, "f", "enter")
        assert "job:8f2c: " in text and "F tells it" in text
        text = await shown(night, "F")
        assert "what cannot be known" in text
        assert "job:8f2c" in line_with(text, " story ")
        assert "keeps no successes after 500 s" in text
        assert "User 4711 not found" in text


async def test_the_story_needs_no_following(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        night.timeline.go_to_event(story.INSERTED)
        text = await shown(night, "F")
        assert "user:4711: 1 database row, 1 job (1 went wrong)" in text
        assert night.collector.looked_up == ["user:4711"]
        assert night.state.sieve.follow == ""


async def test_the_record_of_a_row_tells_that_no_version_is_kept(open_night: Opening) -> None:
    async with open_night((120, 60)) as night:
        await night.tell_all()
        crowd = next(e for e in story.crowd() if e.kind is Kind.ROW_INSERTED)
        night.timeline.go_to_event(crowd)
        text = await shown(night, "enter")
        assert "what is known of users/4600" in text
        assert "No version is kept by this source (shop)" in text


async def test_the_record_of_a_row_tells_its_versions(open_night: Opening) -> None:
    told = {"tool": "paper_trail", "table": "users", "pk": 4711, "action": "updated",
            "actor": "ann", "txn": "812", "changed": {"state": ["new", "paid"]}}  # fmt: skip
    version = dataclasses.replace(
        story.INSERTED, kind=Kind.ROW_VERSION, ref="versions/1", seq=1,
        timestamp=story.at("02:09:00"), attributes=json.dumps(told), body="users/4711 updated",
    )  # fmt: skip
    async with open_night((120, 60)) as night:
        await night.tell_all()
        grown = story.incident([*story.CAST, *story.crowd(), version])
        await night.tell(IncidentGrew(grown, story.ANALYSIS))
        night.timeline.go_to_event(version)
        text = await shown(night, "enter")
        assert "updated  by ann, transaction 812  (this record)" in text
        assert "state  new → paid" in text
        assert "Versions are kept by paper_trail" in text
