"""Names of people become roles in every export, the same throughout, unless the team keeps them."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from halfawake.plugins import EXPORTERS, exporter, names
from tests.export.world import ANALYSIS, DEPLOY, EVENTS, NOTE, OPTIONS, RACE, at, incident
from timeline.event import Event
from timeline.export.findings import findings_json, findings_text
from timeline.export.people import ROLES
from timeline.export.status import status
from timeline.finding import Step


def note(clock: str, who: str, text: str, **told: str) -> Event:
    timestamp = at(clock)
    return replace(
        NOTE, timestamp=timestamp, actor=who, body=text, ref=f"notes.md@{timestamp}",
        seq=timestamp % 10**9, attributes=json.dumps({"who": who, **told}),
    )  # fmt: skip


ANN = note("02:14:00", "Ann", "ack, asking @Bo Jung")
BO = note("02:15:00", "Bo Jung", "Ann is right, annex rolled back user:4711")
AGAIN = note("02:16:00", "Ann", "thanks")
WORLD = incident((*EVENTS, ANN, BO, AGAIN))


@pytest.mark.parametrize("name", names(EXPORTERS))
def test_no_format_names_who_wrote_a_note(name: str) -> None:
    text = exporter(name).render(WORLD, ANALYSIS, OPTIONS)
    assert "Ann" not in text
    assert "Bo Jung" not in text


def test_one_person_is_one_role_and_other_words_stay() -> None:
    told = json.loads(exporter("json").render(WORLD, ANALYSIS, OPTIONS))
    shown = [(row["speaker"], row["text"]) for row in told["timeline"] if row["origin"] == "note"]
    assert shown == [
        ("responder 1 note", "ack, asking responder 2"),
        ("responder 2 note", "responder 1 is right, annex rolled back user:4711"),
        ("responder 1 note", "thanks"),
    ]
    noted = [one for one in told["evidence"] if one["lane"] == "note"]
    assert [one["attributes"]["who"] for one in noted] == [
        "responder 1", "responder 2", "responder 1",
    ]  # fmt: skip
    removed = {one["rule"]: one["count"] for one in told["redaction"]["removed"]}
    assert removed["name"] > 0


@pytest.mark.parametrize("who", sorted(ROLES))
def test_a_role_stays_a_role(who: str) -> None:
    world = incident((*EVENTS, note("02:14:00", who, "ack")))
    text = exporter("md").render(world, ANALYSIS, OPTIONS)
    assert f"| {who} note |" in text


def test_bots_and_kept_names_stay() -> None:
    bot = note("02:13:41", "Pager", "HighErrorRate", bot="yes")
    world = incident((*EVENTS, bot, ANN))
    text = exporter("md").render(world, ANALYSIS, replace(OPTIONS, keep=("ann",)))
    assert "| Pager note |" in text
    assert "| Ann note |" in text


def test_switched_off_with_a_reason_names_stand() -> None:
    text = exporter("md").render(WORLD, ANALYSIS, replace(OPTIONS, no_redact_reason="drill"))
    assert "| Ann note |" in text


def test_a_name_that_is_a_word_of_the_system_changes_no_record() -> None:
    world = incident((*EVENTS, note("02:14:00", "redis", "ack")))
    text = exporter("md").render(world, ANALYSIS, OPTIONS)
    assert "Timeout reading from redis:6379" in text


def change(clock: str, who: str, text: str, **told: str) -> Event:
    timestamp = at(clock)
    return replace(
        DEPLOY, timestamp=timestamp, actor="shop", body=text, ref=f"commit/{timestamp}",
        seq=timestamp % 10**9, clock=f"committer {who}",
        attributes=json.dumps({"who": who, **told}),
    )  # fmt: skip


COMMITS = (
    change("02:01:00", "Eve Miller", "commit 0a1b2c3d4e5f by Eve Miller, committed by Jo: fix",
           committer="Jo"),
    change("02:02:00", "dependabot[bot]", "commit 1a1b2c3d4e5f by dependabot[bot]: bump"),
    change("02:03:00", "web", "deploy of web v9"),
)  # fmt: skip
ASKED = replace(
    RACE,
    steps=(Step("change", COMMITS[0], "the commit"), *RACE.steps),
    next_action="Check whether the commit can be taken back. Ask Eve Miller.",
    text="there was a commit: commit 0a1b2c3d4e5f by Eve Miller",
)


@pytest.mark.parametrize("name", names(EXPORTERS))
def test_no_format_names_who_made_a_commit(name: str) -> None:
    world = incident((*EVENTS, *COMMITS))
    analysis = replace(ANALYSIS, findings=(ASKED,), next_action=ASKED.next_action)
    text = exporter(name).render(world, analysis, OPTIONS)
    assert "Miller" not in text
    assert not re.search(r"\bJo\b", text)


def test_authors_are_told_apart_from_writers_programs_and_services() -> None:
    world = incident((*EVENTS, *COMMITS, ANN, note("02:17:00", "Eve Miller", "my commit")))
    text = exporter("md").render(world, ANALYSIS, OPTIONS)
    assert "by responder 2, committed by author 1: fix" in text
    assert "by dependabot[bot]: bump" in text
    assert "deploy of web v9" in text


def test_authors_stay_where_the_team_keeps_them_or_nothing_is_redacted() -> None:
    world = incident((*EVENTS, *COMMITS))
    kept = exporter("md").render(world, ANALYSIS, replace(OPTIONS, keep=("eve *",)))
    assert "by Eve Miller, committed by author 1" in kept
    open_ = exporter("md").render(world, ANALYSIS, replace(OPTIONS, no_redact_reason="drill"))
    assert "by Eve Miller, committed by Jo" in open_


def test_neither_a_status_nor_the_findings_name_anybody() -> None:
    world = incident((*EVENTS, *COMMITS, ANN))
    analysis = replace(ANALYSIS, findings=(ASKED,), next_action=ASKED.next_action)
    for told in (
        status(world, analysis),
        findings_text(world, analysis),
        findings_json(world, analysis),
    ):
        assert "Miller" not in told
        assert "author 1" in told
    assert "Ask Eve Miller" in status(world, analysis, replace(OPTIONS, no_redact_reason="drill"))
