"""The sentence above the rows: whole at 80 columns, no taller from step to step, with its order."""

from __future__ import annotations

import dataclasses

import pytest

from halfawake.bundles import open_bundle
from halfawake.demo import STORIES, story_path
from halfawake.recorded import examine
from tests.tui import story
from tests.tui.conftest import Opening
from timeline.facts.words import abridged
from timeline.finding import Step
from timeline.order import Order, Verdict
from timeline.progress import IncidentGrew
from tui.glyphs import UNICODE
from tui.overview import overview_height, overview_lines
from tui.panel import STORY_LINES, story_lines
from tui.pieces import plain, width_of
from tui.state import ScreenState

WALKED = [told.name for told in STORIES if told.name != "quiet-hour"]


def state_of(steps: tuple[Step, ...]) -> ScreenState:
    state = ScreenState(story.WINDOW, environment="", title="", now=lambda: story.NOW)
    finding = dataclasses.replace(story.FINDINGS[0], steps=steps)
    analysis = dataclasses.replace(story.ANALYSIS, findings=(finding,))
    state.take(IncidentGrew(story.incident(), analysis))
    return state


def said(state: ScreenState, width: int = 80) -> str:
    lines = story_lines(state, width, UNICODE)
    assert {width_of(line) for line in lines} == {width}
    return " ".join(" ".join(plain(line) for line in lines).split())


@pytest.mark.parametrize("name", WALKED)
def test_no_step_of_a_recorded_night_is_cut_at_80_columns(name: str) -> None:
    incident, _ = open_bundle(story_path(name))
    state = ScreenState(incident.window, environment="", title="", now=lambda: 0)
    state.take(IncidentGrew(incident, examine(incident)))
    places = sum(len(finding.steps) for finding in state.findings)
    heights: dict[int, set[int]] = {}
    for _ in range(places):
        step = state.walk(1)
        assert step is not None
        lines = story_lines(state, 80, UNICODE)
        heights.setdefault(state.finding, set()).add(len(lines))
        assert f"{step.role}: {' '.join(abridged(step.why).split())}" in said(state)
    assert all(len(tall) == 1 for tall in heights.values())
    assert state.findings[state.finding].steps[-1] is state.current_step


def test_a_sentence_too_long_for_two_lines_ends_with_an_ellipsis() -> None:
    first = story.FINDINGS[0].steps[0]
    state = state_of((dataclasses.replace(first, why="why " * 100),))
    state.walk(1)
    assert len(story_lines(state, 80, UNICODE)) == STORY_LINES
    assert said(state).endswith("…")


def test_a_count_and_its_thousands_stay_on_one_line() -> None:
    first = story.FINDINGS[0].steps[0]
    for length in range(20, 47):
        why = f"{'x' * length} and left 1 629 of 2 400 undone"
        state = state_of((dataclasses.replace(first, why=why),))
        state.walk(1)
        lines = [plain(line).rstrip() for line in story_lines(state, 80, UNICODE)]
        assert not any(line.endswith((" 1", " 2")) for line in lines)
        assert "1 629 of 2 400" in said(state)


def test_the_order_is_told_once_and_as_a_word_where_its_reason_has_no_room() -> None:
    first, second = story.FINDINGS[0].steps[:2]
    reason = "the database answered not found, and holds the row now"
    order = Order(Verdict.CERTAIN, reason)
    for why, expected in (
        (f"visible: {reason}", "now certain"),
        ("short", f"short certain: {reason}"),
    ):
        state = state_of((first, dataclasses.replace(second, why=why, order=order)))
        state.walk(1), state.walk(1)
        assert expected in said(state, 160)
        assert said(state, 160).count(reason) == 1
    state = state_of((first, dataclasses.replace(second, why="short", order=order)))
    state.walk(1), state.walk(1)
    assert said(state, 60).endswith("short certain")


def test_the_block_is_as_tall_with_two_lines_as_with_one() -> None:
    first = story.FINDINGS[0].steps[0]
    for why in ("short", "why " * 100):
        state = state_of((dataclasses.replace(first, why=why),))
        for width, terminal in ((80, 24), (120, 40), (200, 60)):
            height = overview_height(state, width, terminal)
            state.step = 0
            lines = overview_lines(state, width, height, terminal, None, UNICODE)
            assert len(lines) == height


async def test_lanes_and_rows_go_with_the_walk_and_on_into_the_next_finding(
    open_night: Opening,
) -> None:
    async with open_night(size=(80, 24)) as night:
        await night.tell_all()
        seen = []
        for _ in range(9):
            await night.press("n")
            step = night.state.current_step
            assert step is not None and night.read_at == step.event.timestamp
            lines = night.screen_lines()
            axis = next(line for line in lines if "─T─" in line or "▴T" in line)
            assert "▴" in axis
            place = (night.state.finding + 1, night.state.step + 1)
            assert any(f" finding {place[0]} step {place[1]}/" in line for line in lines)
            seen.append(place)
        assert seen == [(1, 1), (1, 2), (1, 3), *((2, n) for n in range(1, 6)), (3, 1)]
