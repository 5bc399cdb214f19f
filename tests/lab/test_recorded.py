"""The recorded stories that come with the package still tell what really happened."""

from __future__ import annotations

from pathlib import Path

import pytest

from halfawake.demo import FOLDER, STORIES, story_path
from tests.lab.recording import HOSTS, LARGEST_BYTES, hosts_in, private_places, texts_in
from tests.lab.telling import (
    ask,
    assert_in_flight,
    assert_onset,
    assert_pushes,
    assert_quiet,
    assert_race,
    assert_without_mail,
)
from tests.lab.truth import Truth

TRUTHS = Path(__file__).parent / "truth"


def truth_of(story: str) -> Truth:
    return Truth.read(TRUTHS / f"{story}.truth.json")


def test_every_story_has_its_recording_and_its_truth() -> None:
    names = sorted(story.name for story in STORIES)
    assert sorted(path.stem for path in FOLDER.glob("*.halfawake")) == names
    assert sorted(path.name for path in TRUTHS.iterdir()) == [f"{n}.truth.json" for n in names]


@pytest.mark.parametrize("story", [story.name for story in STORIES])
def test_a_recording_is_small_and_names_no_machine(story: str) -> None:
    path = story_path(story)
    assert path.stat().st_size <= LARGEST_BYTES
    assert hosts_in(path) <= HOSTS
    for text in texts_in(path):
        assert not any(place in text for place in private_places()), text


def test_the_night_is_told_as_it_was() -> None:
    telling, truth = ask(["demo:night-hiccup"]), truth_of("night-hiccup")
    assert_race(telling, truth)
    assert_in_flight(telling, truth)
    assert_pushes(telling, truth)
    assert_without_mail(telling, truth)
    assert_onset(telling, truth)
    late = (truth.pin_ns - telling.onset_ns) / 1e9
    assert 300 <= late <= 900, "T is as late as a pager"


def test_the_quiet_hour_has_nothing_to_tell() -> None:
    telling = ask(["demo:quiet-hour"])
    assert_quiet(telling)
    assert telling.told["onset"] is None
