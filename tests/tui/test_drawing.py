"""Pure drawing: widths are cells, words stand before colours, nothing is said beyond its sight."""

from __future__ import annotations

import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.tui import story
from timeline.analysis import Condition
from timeline.clean import UNSAFE_PATTERN, clean
from timeline.event import Precision
from timeline.finding import NotEvaluated
from timeline.order import Verdict
from timeline.progress import CollectionEnded, IncidentGrew, StatusChanged
from tui.canvas import Brush
from tui.density import density_of
from tui.glyphs import ASCII, UNICODE, Glyphs, glyphs_for
from tui.header import header_height, header_lines
from tui.overview import overview_height, overview_lines
from tui.panel import panel_lines, what_n_does
from tui.pieces import Line, fit, plain, width_of, wrap
from tui.record import record_lines
from tui.row import RowLayout, RowState, row_line, set_off
from tui.state import ScreenState

UNSAFE = re.compile(UNSAFE_PATTERN)
WIDE_ROW = RowLayout.for_width(120)
NARROW_ROW = RowLayout.for_width(80)


def told(*, analysed: bool = True) -> ScreenState:
    state = ScreenState(story.WINDOW, environment="prod eu-1", title="shop", now=lambda: story.NOW)
    state.take(StatusChanged(story.statuses()))
    incident = story.incident()
    density = density_of(incident.snapshot, incident.window)
    state.take(IncidentGrew(incident, story.ANALYSIS if analysed else None), density)
    state.take(CollectionEnded(story.statuses()))
    return state


@given(st.text(max_size=60), st.integers(1, 50))
def test_a_fitted_line_has_exactly_its_width(text: str, width: int) -> None:
    assert width_of(fit([(clean(text), "text"), ("tail", "dim")], width)) == width


@given(st.text(alphabet="ab 漢é", max_size=80), st.integers(2, 30))
def test_wrapping_loses_nothing_but_spaces(text: str, width: int) -> None:
    pieces = wrap(text, width)
    assert all(cell_len(piece) <= width for piece in pieces)
    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")


@given(st.text(max_size=200))
def test_any_cleaned_body_makes_a_row_of_the_right_width(body: str) -> None:
    event = dataclasses.replace(story.PAGED, body=clean(body))
    for layout in (WIDE_ROW, NARROW_ROW, RowLayout.for_width(50)):
        line = row_line(event, story.T, layout, RowState(), UNICODE)
        assert width_of(line) == layout.width


@pytest.mark.parametrize(
    ("precision", "shown"),
    [
        (Precision.MINUTE, "02:07"),
        (Precision.SECOND, "02:07:29"),
        (Precision.MILLISECOND, "02:07:29.120"),
        (Precision.MICROSECOND, "02:07:29.120345"),
        (Precision.NANOSECOND, "02:07:29.120345"),
    ],
)
def test_a_stamp_has_the_digits_its_source_wrote(precision: Precision, shown: str) -> None:
    event = dataclasses.replace(
        story.PAGED, timestamp=story.at("02:07:29.120345678"), precision=precision
    )
    words = plain(row_line(event, story.T, WIDE_ROW, RowState(), UNICODE)).split()
    assert words[0] == shown


def test_severity_and_failure_are_words() -> None:
    for event, word in (
        (story.NOT_FOUND, "ERROR"),
        (story.PAGED, "WARN"),
        (story.RECOVERED, "INFO"),
        (story.FAILED, "FAILED"),
    ):
        for layout in (WIDE_ROW, NARROW_ROW):
            assert word in plain(row_line(event, story.T, layout, RowState(), UNICODE)).split()


def test_gutter_tells_cursor_mark_and_step_apart() -> None:
    state = RowState(cursor=True, marked=True, step=2)
    text = plain(row_line(story.ENQUEUED, story.T, WIDE_ROW, state, UNICODE))
    assert text.startswith("▸●2 ")


def test_markup_in_a_body_stays_text() -> None:
    event = dataclasses.replace(story.PAGED, body="[ERROR] [/b] [red]boom[/red]")
    text = plain(row_line(event, story.T, WIDE_ROW, RowState(), UNICODE))
    assert "[ERROR] [/b] [red]boom[/red]" in text


def test_search_words_are_set_off_without_touching_the_text() -> None:
    pieces = set_off("User 4711 not found, user 4712", ("user 47",))
    assert [text for text, role in pieces if role == "match"] == ["User 47", "user 47"]
    assert plain(pieces) == "User 4711 not found, user 4712"


# -- header ----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(50, 12), (80, 24), (99, 30), (100, 30), (120, 40), (200, 60)])
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_blocks_fill_their_lines_exactly(size: tuple[int, int], glyphs: Glyphs) -> None:
    width, height = size
    for state in (told(), told(analysed=False)):
        state.go_to_finding(2)
        header = header_lines(state, width, height, glyphs)
        block = overview_height(state, width, height)
        overview = overview_lines(state, width, block, height, story.ONSET, glyphs)
        assert len(header) == header_height(width, height)
        assert len(overview) == block
        assert {width_of(line) for line in [*header, *overview]} == {width}


def test_rows_keep_room_on_a_small_terminal() -> None:
    for width, height in ((80, 24), (100, 24), (120, 24), (60, 16), (40, 10)):
        above = header_height(width, height) + overview_height(told(), width, height)
        assert height - above - 1 >= 5


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (Condition.FAILING, "still failing since 02:08:00"),
        (Condition.RECOVERED, "recovered 02:08:00"),
        (Condition.QUIET, "no error seen up to 02:18:40"),
        (Condition.UNKNOWN, "state unknown, seen up to 02:18:40"),
    ],
)
def test_the_state_is_a_word(condition: Condition, words: str) -> None:
    state = told()
    changed = dataclasses.replace(story.ANALYSIS.state, condition=condition)
    analysis = dataclasses.replace(story.ANALYSIS, state=changed)
    state.take(IncidentGrew(story.incident(), analysis))
    assert words in plain(header_lines(state, 140, 40, UNICODE)[0])


def test_an_unknown_onset_is_said() -> None:
    state = told()
    state.take(IncidentGrew(story.incident(), dataclasses.replace(story.ANALYSIS, onset=None)))
    assert "no onset found" in plain(header_lines(state, 120, 40, UNICODE)[0])


# -- findings --------------------------------------------------------------------------------


def text_of(lines: list[Line]) -> str:
    return "\n".join(plain(line) for line in lines)


def test_findings_begin_with_verdict_words() -> None:
    lines = [plain(line).split() for line in panel_lines(told(), 70, 12, UNICODE)]
    heads = [words[:2] for words in lines if words and words[0].lstrip("▸") in ("1", "2", "3")]
    verdicts = [words[1] for words in heads if words[1] in ("certain", "likely", "possible")]
    assert verdicts == ["likely", "certain", "possible"]


def test_a_finding_that_goes_on_with_a_story_hangs_below_it() -> None:
    for glyphs, sign in ((UNICODE, "└"), (ASCII, "`")):
        lines = [plain(line) for line in panel_lines(told(), 90, 12, glyphs)]
        going_on = [line for line in lines if f" {sign} " in line]
        chains = told().analysis.chains  # type: ignore[union-attr]
        assert len(going_on) == sum(len(chain.findings) - 1 for chain in chains) > 0


def test_what_was_not_evaluated_is_never_dropped() -> None:
    for height in range(2, 12):
        text = text_of(panel_lines(told(), 70, height, UNICODE))
        assert "not evaluated: lost-update" in text


def test_many_that_could_not_look_take_one_line_and_say_where_to_read_why() -> None:
    skipped = tuple(NotEvaluated(f"term-{n}", f"thing {n}") for n in range(14))
    state = told()
    analysis = dataclasses.replace(story.ANALYSIS, not_evaluated=skipped)
    state.take(IncidentGrew(story.incident(), analysis))
    text = text_of(panel_lines(state, 90, 30, UNICODE))
    assert "not evaluated 14 (s says why): term-0, term-1" in text
    assert text.count("term-") >= 3
    assert sum("term-" in line for line in text.splitlines()) == 1


def test_seven_findings_in_few_lines_keep_the_current_one_and_count_the_rest() -> None:
    state = told()
    seven = tuple(
        story.Hiccup(
            verdict=Verdict.LIKELY, weakest_link="", began=0, ended=0, story=f"hiccup number {n}"
        )
        for n in range(7)
    )
    state.take(IncidentGrew(story.incident(), dataclasses.replace(story.ANALYSIS, findings=seven)))
    for current in range(1, 8):
        state.go_to_finding(current)
        text = text_of(panel_lines(state, 90, 4, UNICODE))
        assert f"hiccup number {current - 1}" in text
        assert "and 5 more" in text


def test_no_finding_is_not_a_clean_bill() -> None:
    state = told()
    state.take(IncidentGrew(story.incident(), dataclasses.replace(story.ANALYSIS, findings=())))
    text = text_of(panel_lines(state, 70, 6, UNICODE))
    assert "No finding." in text
    assert "not evaluated: lost-update (needs row versions)" in text


def test_the_current_step_stays_in_a_short_panel() -> None:
    state = told()
    state.go_to_finding(2)
    for step in range(5):
        state.step = step
        text = text_of(panel_lines(state, 90, 6, UNICODE))
        assert story.FINDINGS[1].steps[step].why in text


# -- record ----------------------------------------------------------------------------------


def test_a_record_shows_body_lines_attributes_and_where_it_is_kept() -> None:
    clocks = story.incident().clocks
    text = text_of(record_lines(story.NOT_FOUND, story.T, clocks, 100))
    assert "line 42, in welcome_mail" in text
    assert "mailer.log@900001" in text
    assert "␊" not in text
    text = text_of(record_lines(story.INSERTED, story.T, clocks, 100))
    assert "columns.state  new" in text
    assert "any time after" in text
    assert "±4 ms measured" in text


def test_attributes_that_are_not_json_are_shown_as_they_are() -> None:
    event = dataclasses.replace(story.PAGED, attributes="{half a rec")
    assert "{half a rec" in text_of(record_lines(event, story.T, story.incident().clocks, 80))


# -- signs -----------------------------------------------------------------------------------


def test_every_sign_is_one_cell() -> None:
    for glyphs in (UNICODE, ASCII):
        for value in glyphs:
            if isinstance(value, str):
                assert all(cell_len(sign) == 1 for sign in value)
    assert all(value.isascii() for value in ASCII if isinstance(value, str))


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("utf-8", UNICODE), ("UTF8", UNICODE), ("latin-1", ASCII), ("cp1252", ASCII), (None, ASCII),
     ("no-such", ASCII)],
)  # fmt: skip
def test_signs_follow_the_encoding(encoding: str | None, expected: Glyphs) -> None:
    assert glyphs_for(encoding) is expected


@given(st.text(max_size=80))
def test_ascii_keeps_every_cell(text: str) -> None:
    text = clean(text)
    shown = ASCII.shown(text)
    assert shown.isascii()
    assert cell_len(shown) == cell_len(text)


@given(st.text(max_size=60))
def test_no_control_character_reaches_the_terminal(text: str) -> None:
    for glyphs in (UNICODE, ASCII):
        strip = Brush(glyphs).strip([(text, "text")], 60)
        assert not UNSAFE.search(strip.text)


def test_every_condition_has_its_role() -> None:
    state = told()
    for condition in Condition:
        changed = dataclasses.replace(story.ANALYSIS.state, condition=condition)
        state.take(
            IncidentGrew(story.incident(), dataclasses.replace(story.ANALYSIS, state=changed))
        )
        assert header_lines(state, 120, 40, UNICODE)


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (0, "Finding 2 rests on no single record; enter shows why it stands here."),
        (1, "n goes to the one record of finding 2."),
        (3, "n walks the 3 steps of finding 2."),
    ],
)
def test_the_hint_counts_the_steps_of_a_finding(steps: int, words: str) -> None:
    assert what_n_does(steps, 2) == words
