"""signup-race: its truth's own arithmetic, the recording, and the story live."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.lab.scene import Scene
from tests.lab.signup_race import Receipt, Rush, signup_race, verify_signup_race
from tests.lab.stories import SHORT, instant
from tests.lab.telling import Finding, Telling, ask, assert_race
from tests.lab.truth import SignUp, Unlucky

TRUTH = Path(__file__).parent / "truth" / "signup-race.truth.json"
ATTEMPTS = 3
RACED = SignUp("user:2", "request:b", "job:2", True, "clean", 0, 60, 40, False)
AGAIN = Receipt("job:8", "order:8", 3, 3, 3, 1, False)
LEFT = Receipt("job:9", "order:9", 1, 1, 1, 0, True)
RUSH = Rush(
    story="signup-race",
    pin_ns=400,
    began_ns=0,
    ended_ns=401,
    rushed_ns=30,
    refused_from_ns=100,
    refused_until_ns=200,
    replayed_ns=(150, 210),
    sign_ups=(RACED, replace(RACED, user="user:3", job="job:3")),
    clean_sign_ups=20,
    receipts=(AGAIN, replace(AGAIN, job="job:7", order="order:7"), LEFT),
    clean_receipts=4,
    orders_of_one=("order:5", "order:6"),
    jobs_run=30,
)


def test_the_truth_file_holds_the_whole_truth(tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    path.write_text(RUSH.to_json())
    assert Rush.read(path) == RUSH


def test_the_story_as_it_is_told_passes() -> None:
    verify_signup_race(RUSH)
    assert RUSH.ran_before_visible == ["job:2", "job:3"]
    assert RUSH.unsafe_receipts == ["job:7", "job:8", "job:9"]


@pytest.mark.parametrize(
    ("other", "complaint"),
    [
        (replace(RUSH, sign_ups=(RACED,)), "rows were visible: 1"),
        (replace(RUSH, receipts=(AGAIN, LEFT)), "sale again: 1"),
        (replace(RUSH, receipts=RUSH.receipts[:2]), "left half done: 0"),
        (replace(RUSH, orders_of_one=("order:5",)), "double click: 1"),
        (
            replace(RUSH, sign_ups=(*RUSH.sign_ups, replace(RACED, looked_up_ns=90))),
            "looked after the commit",
        ),
        (replace(RUSH, sign_ups=(*RUSH.sign_ups, replace(RACED, enqueue="lost"))), "user:2: lost"),
    ],
)
def test_another_outcome_is_unlucky(other: Rush, complaint: str) -> None:
    with pytest.raises(Unlucky, match=complaint):
        verify_signup_race(other)


def test_a_receipt_that_did_nothing_or_all_once_is_safe() -> None:
    assert not replace(LEFT, sales=0).unsafe
    assert not replace(LEFT, failed=False, mails=1).unsafe


def test_the_recording_tells_what_happened() -> None:
    truth = Rush.read(TRUTH)
    telling = ask(["demo:signup-race"])
    assert_told(telling, truth)
    late = (truth.pin_ns - truth.rushed_ns) / 1e9
    assert 300 <= late <= 900, "T is as late as a pager"


@dataclass(frozen=True)
class Evening:
    """A story that has happened, with its servers still up."""

    scene: Scene
    truth: Rush


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evening]:
    """The story live, at the third attempt at the latest."""
    misses: list[str] = []
    for _ in range(ATTEMPTS):
        with Scene(tmp_path_factory.mktemp("lab")) as scene:
            try:
                truth = signup_race(scene, SHORT)
            except Unlucky as unlucky:
                misses.append(str(unlucky))
                continue
            yield Evening(scene, truth)
            return
    pytest.fail(f"the load never had its effect: {misses}")


@pytest.mark.servers
@pytest.mark.timing
def test_live_the_findings_are_the_truth(evening: Evening) -> None:
    truth = evening.truth
    configuration = evening.scene.write_configuration()
    telling = ask([instant(truth.pin_ns), "--config", configuration])
    assert telling.exit_code == 0, telling.narration
    assert_told(telling, truth)


def assert_told(telling: Telling, truth: Rush) -> None:
    """The race, the receipts that are not safe to replay, and the double click; no other network
    or enqueue trouble."""
    assert_race(telling, truth)
    assert _unsafe(telling) == truth.unsafe_receipts
    assert truth.orders_of_one[0] in _created_twice(telling, "orders")
    loud = {one.term for one in telling.findings() if not one.qualifier}
    assert not loud & {"network-hiccup", "ambiguous-enqueue", "delivered-again", "lost-worker"}


def _unsafe(telling: Telling) -> list[str]:
    """Keys of the receipts' jobs that a replay would make repeat something."""
    found = [one for one in _of(telling, "unsafe-replay") if one.value("job_class") == RECEIPT]
    replays = [replay for one in found for replay in one.evidence("replays")]
    return sorted(str(replay["job"]) for replay in replays if replay["safe"] == "no")


RECEIPT = "shop.jobs.order_receipt"


def _created_twice(telling: Telling, table: str) -> list[str]:
    found = [one for one in _of(telling, "duplicate-create") if one.value("table") == table]
    return [str(case["key"]) for one in found for case in one.evidence("cases")]


def _of(telling: Telling, term: str) -> list[Finding]:
    return [one for one in telling.findings() if one.term == term]
