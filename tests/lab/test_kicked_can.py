"""kicked-can: its truth's own arithmetic, and the recording."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab.kicked_can import Can, Message, Night, verify_kicked_can
from tests.lab.telling import ask
from tests.lab.truth import Unlucky

TRUTH = Path(__file__).parent / "truth" / "kicked-can.truth.json"
ONCE = (0, 4)
NIGHTS = tuple(
    Night(f"2027-01-0{number}", 50 * number, counts)
    for number, counts in enumerate([ONCE, ONCE, (0, 0, 4), (0, 0, 4), (2, 2), (4,)], 1)
)
MESSAGES = (
    Message("job:1", "2027-01-01", ("job:2",)),
    Message("job:2", "2027-01-03", ("job:3", "job:4")),
    Message("job:3", "2027-01-04", ("job:5",)),
    Message("job:4", "2027-01-04", ("job:6",)),
    Message("job:5", "2027-01-05", ()),
)
CAN = Can(
    story="kicked-can",
    pin_ns=900,
    began_ns=0,
    ended_ns=901,
    nights=NIGHTS,
    messages=MESSAGES,
    forked="job:2",
    forked_ns=152,
    dropped=("job:6",),
    lost="job:5",
    lost_ns=251,
    without=("app:303", "app:304"),
)


def test_the_truth_file_holds_the_whole_truth(tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    path.write_text(CAN.to_json())
    assert Can.read(path) == CAN


def test_the_story_as_it_is_told_passes() -> None:
    verify_kicked_can(CAN)


def with_night(place: int, counts: tuple[int, ...]) -> Can:
    nights = list(NIGHTS)
    nights[place] = replace(nights[place], apps_by_backups=counts)
    return replace(CAN, nights=tuple(nights))


@pytest.mark.parametrize(
    ("other", "complaint"),
    [
        (with_night(0, (1, 3)), "2027-01-01"),
        (with_night(2, ONCE), "2027-01-03"),
        (with_night(4, (1, 3)), "2027-01-05"),
        (with_night(5, ONCE), "2027-01-06"),
        (replace(CAN, messages=MESSAGES[2:]), "0 messages have two successors"),
        (replace(CAN, dropped=()), "0 messages were removed"),
        (replace(CAN, without=()), "0 of 4 apps were left out"),
    ],
)
def test_another_outcome_is_unlucky(other: Can, complaint: str) -> None:
    with pytest.raises(Unlucky, match=complaint):
        verify_kicked_can(other)


def test_the_recording_tells_who_died_with_the_message_and_that_no_night_followed() -> None:
    truth = Can.read(TRUTH)
    telling = ask(["demo:kicked-can"])
    lost = telling.finding("lost-worker").evidence("jobs")
    assert [one["job"] for one in lost] == [truth.lost]
    missed = [one for one in telling.findings() if one.term == "missed-run"]
    chains = [one for one in missed if one.has("hops")]
    assert [one.value("last") for one in chains] == [truth.lost]
    (schedule,) = (one for one in missed if one.has("schedule"))
    due = [one["due"] for one in schedule.evidence("missed")]
    assert due
    for instant in due:
        assert isinstance(instant, int)
        assert instant > truth.lost_ns


def test_the_recording_tells_where_the_chain_forked() -> None:
    truth = Can.read(TRUTH)
    telling = ask(["demo:kicked-can"])
    turns = [
        turn
        for one in telling.findings()
        if one.term == "extra-runs"
        for turn in one.evidence("turns")
    ]
    (forked,) = (one for one in truth.messages if one.job == truth.forked)
    assert sorted(forked.following) in [_sorted(turn["runs"]) for turn in turns]


def _sorted(runs: object) -> list[str]:
    assert isinstance(runs, list)
    return sorted(map(str, runs))
