"""Names of people become roles in every export, the same throughout, unless the team keeps them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from halfawake.plugins import EXPORTERS, exporter, names
from tests.export.world import ANALYSIS, EVENTS, NOTE, OPTIONS, at, incident
from timeline.event import Event
from timeline.export.people import ROLES


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
