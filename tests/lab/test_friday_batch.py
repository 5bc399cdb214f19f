"""friday-batch: its truth's own arithmetic, and the recording."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab.friday_batch import Friday, Press, verify_friday_batch
from tests.lab.telling import ask
from tests.lab.truth import Unlucky

TRUTH = Path(__file__).parent / "truth" / "friday-batch.truth.json"
STARTED_WITHIN_NS = 10_000_000_000
"""Python and its libraries take a moment until the process itself says when it began."""
ANSWERS = [414, 403, 202, 202, 202, 202]
STOPPED = Press("batch:a", 40, 2_400, 700, "user:10701")
ENDED = Press("batch:d", 90, 100, 100, "")
FRIDAY = Friday(
    story="friday-batch",
    pin_ns=400,
    began_ns=0,
    ended_ns=401,
    too_long_ns=10,
    refused_ns=20,
    presses=(STOPPED, replace(STOPPED, batch="batch:b"), ENDED),
    users=2_400,
    handed=2_000,
    mailed=1_800,
    not_mailed_memory=150,
    not_mailed_address=50,
    twice=("user:10800",),
    never_tried=399,
    mailer_started_ns=(1, 60),
    mailer_ended_ns=(50, 80),
    far_lines=2_000,
)


def test_the_truth_file_holds_the_whole_truth(tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    path.write_text(FRIDAY.to_json())
    assert Friday.read(path) == FRIDAY


def test_the_story_as_it_is_told_passes() -> None:
    verify_friday_batch(FRIDAY, ANSWERS)


@pytest.mark.parametrize(
    ("other", "answers", "complaint"),
    [
        (FRIDAY, [404, *ANSWERS[1:]], "answered .404"),
        (replace(FRIDAY, presses=(STOPPED, ENDED)), ANSWERS, "fewer than two presses stopped"),
        (replace(FRIDAY, twice=()), ANSWERS, "no users handed over twice"),
        (replace(FRIDAY, never_tried=0), ANSWERS, "no users never tried"),
        (replace(FRIDAY, not_mailed_memory=0), ANSWERS, "want of memory"),
        (replace(FRIDAY, not_mailed_address=0), ANSWERS, "without an address"),
    ],
)
def test_another_outcome_is_unlucky(other: Friday, answers: list[int], complaint: str) -> None:
    with pytest.raises(Unlucky, match=complaint):
        verify_friday_batch(other, answers)


def test_the_recording_tells_what_happened() -> None:
    truth = Friday.read(TRUTH)
    telling = ask(["demo:friday-batch"])
    batch = telling.finding("partial-batch")
    assert batch.value("total") == truth.users
    assert batch.value("done") == truth.handed
    assert len(batch.names("resume")) == truth.never_tried
    assert batch.names("doubled") == sorted(truth.twice)
    pressed = telling.finding("re-press").evidence("presses")
    assert len(pressed) == len(truth.presses)


def test_the_recording_tells_of_memory_and_of_the_log_that_is_not_there() -> None:
    truth = Friday.read(TRUTH)
    telling = ask(["demo:friday-batch"])
    leak = telling.finding("memory-leak")
    restarts = leak.value("restarts")
    assert isinstance(restarts, list)
    assert len(restarts) >= 2
    for told in restarts:
        assert isinstance(told, int)
        late = min(abs(told - started) for started in truth.mailer_started_ns)
        assert late <= STARTED_WITHIN_NS, "nothing began then"
    silent = telling.finding("blind-spot")
    assert (silent.value("actor"), silent.value("variant")) == ("statement-mailer", "never-present")
    assert truth.far_lines > 0
    late_s = (truth.pin_ns - truth.presses[0].began_ns) / 1e9
    assert 300 <= late_s <= 900, "T is as late as a pager"
