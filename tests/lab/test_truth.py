"""The truth's own arithmetic: outcomes, overlaps, and that a failed story is never passed off."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab.truth import (
    Notes,
    Operation,
    SignUp,
    Truth,
    Unlucky,
    overlapping,
    verify_night_hiccup,
    verify_quiet_hour,
)

LOST = SignUp("user:1", "request:a", "job:1", True, "lost", 0, 50, None, None)
RACED = SignUp("user:2", "request:b", "job:2", True, "executed", 0, 60, 40, False)
UNSENT = SignUp("user:3", "request:c", "job:3", True, "not_sent", 0, 61, None, None)
ALSO_UNSENT = replace(UNSENT, user="user:4", request="request:d", job="job:4")
NIGHT = Truth(
    story="night-hiccup",
    pin_ns=400,
    began_ns=0,
    ended_ns=401,
    fault_from_ns=10,
    fault_until_ns=30,
    recovered_ns=35,
    operations=(Operation("request:a", "request", 11, 50),),
    sign_ups=(LOST, RACED, UNSENT, ALSO_UNSENT),
    clean_sign_ups=20,
)


def test_the_truth_file_holds_the_whole_truth(tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    path.write_text(NIGHT.to_json())
    assert Truth.read(path) == NIGHT


def test_the_story_as_it_is_told_passes() -> None:
    verify_night_hiccup(NIGHT, as_told=True)
    assert NIGHT.without_mail == ["user:1", "user:2", "user:3", "user:4"]
    assert NIGHT.ran_before_visible == ["job:2"]


@pytest.mark.parametrize(
    ("sign_ups", "complaint"),
    [
        ((RACED, UNSENT, ALSO_UNSENT), "enqueue lost: 0"),
        ((LOST, replace(RACED, found=True, mails=1), UNSENT, ALSO_UNSENT), "row was visible: 0"),
        ((LOST, RACED, UNSENT), "without a connection: 1"),
        ((LOST, replace(RACED, looked_up_ns=99), UNSENT, ALSO_UNSENT), "looked after the commit"),
        ((LOST, replace(RACED, row=False), UNSENT, ALSO_UNSENT), "accounts without a mail: 3"),
    ],
)
def test_another_outcome_is_unlucky(sign_ups: tuple[SignUp, ...], complaint: str) -> None:
    with pytest.raises(Unlucky, match=complaint):
        verify_night_hiccup(replace(NIGHT, sign_ups=sign_ups), as_told=False)


def test_one_victim_more_is_true_but_not_the_story() -> None:
    another = replace(RACED, user="user:5", job="job:5", enqueue="clean")
    busy = replace(NIGHT, sign_ups=(*NIGHT.sign_ups, another))
    verify_night_hiccup(busy, as_told=False)
    with pytest.raises(Unlucky, match="row was visible: 2, the story has 1"):
        verify_night_hiccup(busy, as_told=True)


def test_a_quiet_hour_with_a_missing_mail_or_no_work_is_unlucky() -> None:
    quiet = replace(NIGHT, sign_ups=(), fault_from_ns=None)
    verify_quiet_hour(quiet, digests=20)
    with pytest.raises(Unlucky, match="no digest"):
        verify_quiet_hour(quiet, digests=0)
    with pytest.raises(Unlucky, match="user:1: lost"):
        verify_quiet_hour(replace(quiet, sign_ups=(LOST,)), digests=20)


def test_an_operation_overlaps_when_it_shares_an_instant() -> None:
    before, into, within, out_of, after = (
        Operation(f"request:{n}", "request", start, end)
        for n, (start, end) in enumerate([(0, 9), (0, 10), (15, 16), (30, 99), (31, 99)])
    )
    found = overlapping([before, into, within, out_of, after], 10, 30)
    assert found == (into, within, out_of)


def test_the_side_channel_is_read_as_the_processes_wrote_it(tmp_path: Path) -> None:
    path = tmp_path / "measured.jsonl"
    path.write_text(
        '{"what": "run", "job": "8f", "worker": "worker-1", "start": 30, "end": 40}\n'
        '{"what": "request", "id": "1a", "path": "/signups", "start": 10, "end": 20}\n'
        '{"what": "cache", "began": 12, "ended": 15, "error": "Timeout reading from socket"}\n'
        '{"what": "enqueued", "job": "9c", "began": 16, "ended": 17, "error": null}\n'
    )
    notes = Notes.read(path)
    assert notes.operations() == [
        Operation("request:1a", "request", 10, 20),
        Operation("job:8f", "job", 30, 40),
    ]
    assert notes.failed_calls() == [(12, 15)]
