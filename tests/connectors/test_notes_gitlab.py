"""Timeline events of a GitLab incident: the API's answer, and quick actions of an issue."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.notes.recognised import Format, is_certain, recognised
from tests.connectors.test_notes import T, collected, notes, written
from timeline.event import Precision
from timeline.problems import Misconfigured
from timeline.window import MINUTE_NS

EVENTS: list[dict[str, object]] = [
    {
        "id": "gid://gitlab/IncidentManagement::TimelineEvent/7",
        "note": "rolled back web user_id=4711",
        "occurredAt": "2026-03-14T03:20:00Z",
        "author": {"username": "ann", "name": "Ann Other"},
        "timelineEventTags": {"nodes": [{"name": "Impact mitigated"}]},
    },
    {"note": "second line\nbelow", "occurredAt": "2026-03-14T04:21:30+01:00"},
    {"note": "no usable time", "occurredAt": "yesterday"},
]


def answer_of(folder: Path, value: object) -> Path:
    path = folder / "events.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "value",
    [
        {"data": {"project": {"incidentManagementTimelineEvents": {"nodes": EVENTS}}}},
        EVENTS,
        [{**one, "occurred_at": one["occurredAt"], "occurredAt": None} for one in EVENTS],
    ],
    ids=["graphql", "list", "snake"],
)
def test_events_of_the_api(tmp_path: Path, value: object) -> None:
    path = answer_of(tmp_path, value)
    assert recognised(path) is Format.GITLAB
    assert is_certain(path)
    answer = collected(path)
    first, second = sorted(answer.events, key=lambda event: event.timestamp)
    assert (first.timestamp, first.precision) == (T, Precision.MINUTE)
    assert (first.actor, first.keys) == ("Ann Other", ("user:4711",))
    assert json.loads(first.attributes or "")["tags"] == "Impact mitigated"
    assert (second.body, second.precision) == ("second line␊below", Precision.SECOND)
    assert [r.count for r in answer.remarks if r.topic == "undated"] == [1]


def test_a_broken_answer_is_a_sentence_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "events.json"
    path.write_text('[{"note": "x",\n "occurredAt": oops}]', encoding="utf-8")
    with pytest.raises(Misconfigured, match="line 2, column 16"):
        collected(path)


def test_quick_actions_are_utc_whatever_the_source_declares(tmp_path: Path) -> None:
    text = "/timeline DB load spiked | 2026-03-14 03:20\n/timeline rolled back | 2026-03-14 03:21\n"
    events = notes(tmp_path, text, "notes.md", zone="Europe/Berlin")
    assert [(event.timestamp, event.body) for event in events] == [
        (T, "DB load spiked"), (T + MINUTE_NS, "rolled back")
    ]  # fmt: skip


def test_what_is_no_notes_is_not_taken_for_them(tmp_path: Path) -> None:
    log = tmp_path / "app.json"
    log.write_text('[{"timestamp": "2026-03-14T03:20:00Z", "message": "x"}]', encoding="utf-8")
    prose = written(tmp_path, "A runbook. Restart at 3.\n", "README.md")
    assert not is_certain(log)
    assert not is_certain(prose)
    assert is_certain(written(tmp_path, "- 03:20 rolled back\n", "night.md"))
