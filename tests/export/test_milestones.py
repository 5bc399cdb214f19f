"""Acknowledged, mitigated, resolved: only by a note whose words leave no doubt, and cited."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest

from tests.export.world import ANALYSIS, EVENTS, NOTE, OPTIONS, at, incident
from timeline.event import Event, Precision
from timeline.export.json_ import JsonExporter, schema
from timeline.export.list_ import ListExporter
from timeline.export.markdown import MarkdownExporter
from timeline.export.milestones import Deed, claimed, milestones_in


def note(clock: str, text: str, *, bot: bool = False, who: str = "on-call") -> Event:
    timestamp = at(clock)
    told = json.dumps({"bot": "yes"}) if bot else None
    return replace(
        NOTE, timestamp=timestamp, body=text, ref=f"notes.md@{timestamp}", seq=timestamp % 10**9,
        attributes=told, actor=who,
    )  # fmt: skip


ACK = note("02:14:00", "ack, looking at user_id=4711")
ROLLED_BACK = note("02:20:00", "rolled back web to v411")


@pytest.mark.parametrize(
    ("text", "deed"),
    [
        ("ack", Deed.ACKNOWLEDGED),
        ("ACK, looking", Deed.ACKNOWLEDGED),
        ("acknowledged the page", Deed.ACKNOWLEDGED),
        ("I'm on it", Deed.ACKNOWLEDGED),
        ("rolled back web to v411", Deed.MITIGATED),
        ("reverted the flag", Deed.MITIGATED),
        ("mitigation in place", Deed.MITIGATED),
        ("resolved", Deed.RESOLVED),
        ("all clear, mails go out again", Deed.RESOLVED),
    ],
)
def test_words_that_say_so(text: str, deed: Deed) -> None:
    assert claimed(text) is deed


@pytest.mark.parametrize(
    "text",
    [
        "not acked yet", "who acked?", "acknowledgement is late", "we should roll it back",
        "should I say rolled back?", "transaction rolled back", "hostname could not be resolved",
        "unresolved", "will be resolved soon", "not resolved", "resolved? no", "partly mitigated",
        "hope this is resolved", "rolled back and resolved", "paused mailers", "",
        "if it is not back to normal until 4 we fail over", "waiting until resolved",
        "I think it is resolved", "looks resolved", "backlog", "attack", "rollback is ready",
    ],
)  # fmt: skip
def test_words_that_leave_a_doubt(text: str) -> None:
    assert claimed(text) is None


def test_every_format_tells_it_with_its_note_and_the_length() -> None:
    world = incident((*EVENTS, ACK, ROLLED_BACK))
    text = MarkdownExporter().render(world, ANALYSIS, OPTIONS)
    line = next(line for line in text.splitlines() if line.startswith("- **Mitigated:**"))
    assert "2026-03-14T02:20:00Z" in line
    assert "12 min 30 s after it began" in line
    assert "`rolled back web to v411` [E" in line
    plain = ListExporter().render(world, ANALYSIS, OPTIONS)
    assert "- Acknowledged: 2026-03-14T02:14:00Z" in plain
    told = json.loads(JsonExporter().render(world, ANALYSIS, OPTIONS))
    jsonschema.validate(told, json.loads(schema()))
    deeds = {one["what"]: one for one in told["impact"]["milestones"]}
    cited = {record["label"]: record["body"] for record in told["evidence"]}
    assert cited[deeds["mitigated"]["cites"][0]] == "rolled back web to v411"
    assert int(deeds["mitigated"]["since_began_ns"]) == ROLLED_BACK.timestamp - EVENTS[0].timestamp


def test_a_length_needs_a_beginning() -> None:
    world = incident((*EVENTS, ROLLED_BACK))
    text = MarkdownExporter().render(world, replace(ANALYSIS, onset=None), OPTIONS)
    assert "after it began" not in text


def test_two_claims_are_not_decided() -> None:
    other = note("02:25:00", "reverted the flag")
    text = MarkdownExporter().render(incident((*EVENTS, ROLLED_BACK, other)), ANALYSIS, OPTIONS)
    line = next(line for line in text.splitlines() if line.startswith("- **Mitigated:**"))
    assert "not decided; 2 notes say so" in line


def test_the_first_acknowledgement_is_the_one() -> None:
    later = note("02:15:00", "ack")
    found = milestones_in(incident((*EVENTS, ACK, later)), None)
    assert found[Deed.ACKNOWLEDGED][0] == ACK
    text = MarkdownExporter().render(incident((*EVENTS, ACK, later)), ANALYSIS, OPTIONS)
    assert "**Acknowledged:** 2026-03-14T02:14:00Z" in text


def test_a_bot_and_a_note_from_before_claim_nothing() -> None:
    bot = note("02:30:00", "resolved", bot=True)
    before = note("02:01:00", "rolled back web to v411")
    assert milestones_in(incident((*EVENTS, bot, before)), ANALYSIS.onset) == {}


def test_a_note_to_the_minute_of_the_onset_counts() -> None:
    onset = EVENTS[0].timestamp
    same = note("02:07:00", "ack")
    assert same.precision is Precision.MINUTE
    assert same.timestamp < onset
    assert milestones_in(incident((*EVENTS, same)), onset)[Deed.ACKNOWLEDGED] == (same,)


def test_without_notes_nothing_is_said() -> None:
    text = MarkdownExporter().render(incident(), ANALYSIS, OPTIONS)
    assert "Acknowledged" not in text
    assert "Mitigated" not in text
