"""Before you resume, before you replay: the figures, what they assume, and the exact keys.

What a person acts on must stand on the screen and in every export, not in the evidence alone.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable
from functools import cache

import pytest

from halfawake.bundles import open_bundle
from halfawake.demo import story_path
from tests.lab.friday_batch import Friday
from tests.lab.recording import REPOSITORY
from tests.lab.signup_race import Rush
from tests.timeline.test_backlog import depth_now, paused
from tests.timeline.worlds import World
from tests.tui import story
from timeline.analysis import Analysis, analyse
from timeline.detectors.backlog import BacklogDetector
from timeline.detectors.extra_runs import ExtraRunsDetector
from timeline.detectors.partial_batch import PartialBatchDetector
from timeline.detectors.unsafe_replay import UnsafeReplayDetector
from timeline.export.contract import ExportOptions
from timeline.export.findings import findings_text
from timeline.export.json_ import JsonExporter
from timeline.export.keys import KeysExporter
from timeline.export.markdown import MarkdownExporter
from timeline.facts.resume_plan import ASSUMPTIONS
from timeline.finding import Detector
from timeline.incident import Incident
from timeline.progress import IncidentGrew
from tui.density import density_of
from tui.glyphs import UNICODE
from tui.pieces import plain
from tui.proof import proof_page
from tui.state import ScreenState

FIGURES = (
    "300 jobs wait at 02:35:04.000",
    "20 (16 to 24) per minute come in, 0 (0 to 0.6) per minute are done",
    "It does not drain at this pace",
    "17 retries fall due within half an hour, up to 12 in one minute",
    "2 workers reach the 20 starts a minute that were the most before",
)

TRUTHS = REPOSITORY / "tests" / "lab" / "truth"


@cache
def held_back() -> tuple[Incident, Analysis]:
    """A paused queue with 300 jobs, of which the connector also read what falls due."""
    world = paused(World())
    depth_now(world, 300, due={"0": 4, "3": 12, "9": 1})
    incident = world.incident()
    return incident, analyse(incident, [BacklogDetector()])


def proof() -> str:
    incident, analysis = held_back()
    state = ScreenState(incident.window, environment="", title="shop", now=lambda: story.NOW)
    state.take(IncidentGrew(incident, analysis), density_of(incident.snapshot, incident.window))
    state.go_to_finding(0)
    return " ".join(plain(line).strip() for line in proof_page(state, 100, UNICODE).lines)


def markdown() -> str:
    return MarkdownExporter().render(*held_back(), ExportOptions()).replace("\\", "")


def exported() -> str:
    told = json.loads(JsonExporter().render(*held_back(), ExportOptions()))
    (finding,) = told["findings"]
    return " ".join([*finding["figures"], *finding["assumes"]])


def printed() -> str:
    return " ".join(findings_text(*held_back()).split())


@pytest.mark.parametrize("way", [proof, markdown, exported, printed])
def test_figures_and_what_they_assume_stand_side_by_side(way: Callable[[], str]) -> None:
    text = way()
    for words in (*FIGURES, *ASSUMPTIONS, "jobs come and end as they did in the last 5 min"):
        assert words in text


def listed(story_name: str, detector: Detector) -> list[dict[str, str]]:
    """The list of keys of one recording, as one detector tells it."""
    incident, _ = open_bundle(story_path(story_name))
    text = KeysExporter().render(incident, analyse(incident, [detector]), ExportOptions())
    return [*csv.DictReader(io.StringIO(text))]


def test_every_failed_job_of_the_sign_up_is_listed_with_what_it_did() -> None:
    told = listed("signup-race", UnsafeReplayDetector())
    truth = Rush.read(TRUTHS / "signup-race.truth.json")
    states = [line["state"] for line in told]
    assert states.count("not safe to replay") == len(truth.receipts) > 1
    assert states.count("safe to replay") == len(truth.sign_ups) > 1
    for line in told:
        assert line["key"].startswith("job:")
        if line["state"] == "not safe to replay":
            assert "it has booked" in line["note"], line
        else:
            assert "before it did anything" in line["note"], line


def test_who_got_what_of_the_batch_is_listed_in_the_order_of_work() -> None:
    told = listed("friday-batch", PartialBatchDetector())
    truth = Friday.read(TRUTHS / "friday-batch.truth.json")
    states = Counter(line["state"] for line in told)
    again = len(truth.twice)
    assert again > 1
    assert states == {"never tried": truth.never_tried, "failed": 1, "done more than once": again}
    last = int(truth.presses[-1].stopped_at.removeprefix("user:"))
    assert [line["key"] for line in told[:2]] == [f"user:{last + 1}", f"user:{last + 2}"]


def test_of_a_night_that_ran_twice_the_extra_run_is_named() -> None:
    told = listed("kicked-can", ExtraRunsDetector())
    assert {line["state"] for line in told} == {"first run", "extra run"}
    first, extra = told[:2]
    assert first["note"] == extra["note"]
    assert first["key"] != extra["key"]
