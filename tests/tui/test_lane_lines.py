"""What stands in and below a lane: running jobs, what comes due, changes, rates, and blindness."""

from __future__ import annotations

import dataclasses
import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.tui import story
from timeline.batch import BatchExtras, batch_of
from timeline.coverage import Coverage, CoverageMap, Sight
from timeline.event import Event, Kind, Lane
from timeline.facts.job_spans import SPAN_SCHEMA, job_spans, most_at_once
from timeline.incident import Incident, SourceInfo
from timeline.progress import IncidentGrew
from timeline.store import Store
from timeline.window import MINUTE_NS, SECOND_NS, Window
from tui.canvas import Brush
from tui.density import Change, Columns, density_of
from tui.depth import Due, due_words, dues_of
from tui.glyphs import ASCII, UNICODE
from tui.lane_marks import change_names
from tui.lanes import lane_lines, rate_words
from tui.pieces import plain, width_of
from tui.running import Running, running_cells, running_of
from tui.state import ScreenState

T = 1_790_000_000 * SECOND_NS
WINDOW = Window(T, T - 60 * SECOND_NS, T + 20 * SECOND_NS)
COLUMNS = Columns(T, 6, 2, 10 * SECOND_NS)
KINDS = {
    "e": Kind.JOB_ENQUEUED,
    "s": Kind.JOB_STARTED,
    "f": Kind.JOB_FINISHED,
    "x": Kind.JOB_FAILED,
}


def job(second: float, kind: str, name: str, source: str = "jobs") -> Event:
    at = T + int(second * SECOND_NS)
    told = json.dumps({"job_id": name, "queue": "mail"})
    return Event(at, source, Lane.QUEUE, KINDS[kind], f"job {name}", f"{name}:{kind}@{at}",
                 keys=(f"job:{name}",), attributes=told)  # fmt: skip


def look(second: float, due: dict[str, int], queue: str = "mail", depth: int = 3) -> Event:
    at = T + int(second * SECOND_NS)
    told = json.dumps({"queue": queue, "depth": depth, "now": True, "due_by_minute": due})
    return Event(at, "jobs", Lane.QUEUE, Kind.METRIC, "look", f"{queue}@{at}", actor=queue,
                 attributes=told)  # fmt: skip


def state_of(
    events: list[Event], window: Window = WINDOW, coverage: tuple[Coverage, ...] | None = None
) -> ScreenState:
    store, sources = Store(), []
    for name in dict.fromkeys(event.source for event in events):
        own = [event for event in events if event.source == name]
        full = (Coverage(name, window.start, window.end, Sight.FULL),)
        claims = full if coverage is None else tuple(c for c in coverage if c.source == name)
        store.add(batch_of(name, own, BatchExtras(claims)))
        sources.append(SourceInfo(name, own[0].lane, "test"))
    incident = Incident(window, store.snapshot(), sources=tuple(sources))
    state = ScreenState(window, environment="", title="", now=lambda: T)
    density = density_of(incident.snapshot, window)
    assert incident.jobs.runs.height >= 0  # as detectors do
    density.running = running_of(incident)
    state.take(IncidentGrew(incident, dataclasses.replace(story.ANALYSIS, onset=None)), density)
    return state


def lines_of(state: ScreenState, height: int = 8, width: int = 80) -> list[str]:
    return [plain(line) for line in lane_lines(state, width, height, UNICODE)]


# -- running jobs ----------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(st.integers(-30, 120), st.one_of(st.none(), st.integers(0, 60))), max_size=12
    ),
    st.integers(1, 17),
)
def test_the_most_at_once_is_what_counting_every_instant_finds(
    told: list[tuple[int, int | None]], width: int
) -> None:
    spans = [(start, None if length is None else start + length) for start, length in told]
    frame = pl.DataFrame(
        [("q", start, end) for start, end in spans], schema=SPAN_SCHEMA, orient="row"
    )
    buckets = 90 // width
    plainly = []
    for bucket in range(buckets):
        instants = range(bucket * width, (bucket + 1) * width)
        plainly.append(
            max(
                sum(start <= at and (end is None or at < end) for start, end in spans)
                for at in instants
            )
        )
    assert most_at_once(frame, 0, width, buckets) == plainly


def test_a_run_without_an_end_is_drawn_as_a_stroke_and_counted() -> None:
    events = [job(-49, "s", "a"), job(-31, "f", "a"), job(-25, "s", "b")]
    state = state_of(events)
    assert state.density is not None and state.density.running is not None
    cells, (words, _) = running_cells(state.density.running["jobs"], COLUMNS, 16, UNICODE)
    signs = "".join(sign for sign, _ in cells)
    assert signs == " ██╌╌╌╌╌"
    assert words.strip() == "max 1, 1 no end"


def test_running_is_scaled_by_its_most_and_ends_are_exclusive() -> None:
    running = Running(WINDOW.start, 10 * SECOND_NS, [0, 4, 4, 2, 1, 0, 0, 0], [0] * 8, 0)
    cells, (words, _) = running_cells(running, COLUMNS, 16, UNICODE)
    assert "".join(sign for sign, _ in cells) == " ██▄▂   "
    assert words.strip() == "max 4"


def test_every_run_of_a_queue_is_a_span_of_its_source() -> None:
    events = [job(-50, "s", "a"), job(-30, "x", "a"), job(-9, "s", "c", "other")]
    incident = state_of(events).incident
    assert incident is not None
    told = job_spans(incident).sort("start").rows()
    assert told == [
        ("jobs", T - 50 * SECOND_NS, T - 30 * SECOND_NS),
        ("other", T - 9 * SECOND_NS, None),
    ]


def test_the_running_line_stands_below_its_queue_and_only_where_there_is_room() -> None:
    state = state_of([job(-50, "s", "a"), job(-30, "f", "a"), look(15, {})])
    lines = lines_of(state, 5)
    assert lines[0].split()[:2] == ["queue", "jobs"]
    assert [line.split()[0] for line in lines[1:3]] == ["depth", "running"]
    assert not any("running" in line for line in lines_of(state, 2))


def test_nobody_running_is_not_claimed_where_nobody_was_looking() -> None:
    blind = (Coverage("jobs", WINDOW.start, WINDOW.end, Sight.NOW_ONLY, "keeps no successes"),)
    state = state_of([job(-50, "s", "a"), job(-30, "f", "a")], coverage=blind)
    (line,) = [line for line in lines_of(state) if "running" in line]
    assert "░" in line and "█" in line


# -- what comes due --------------------------------------------------------------------------


def test_the_newest_look_at_every_queue_tells_what_comes_due() -> None:
    events = [
        look(10, {"0": 90}),
        look(15, {"0": 4, "3": 12, "9": 1}),
        look(15, {"3": 5}, "bills"),
        look(16, {}, "empty"),
    ]
    incident = state_of(events).incident
    assert incident is not None
    assert dues_of(incident.snapshot) == {"jobs": Due(22, 10, 17)}


def test_what_comes_due_is_told_left_of_t_where_one_look_knows_nothing_else() -> None:
    line = next(x for x in lines_of(state_of([look(15, {"0": 4, "3": 12})])) if "depth" in x)
    assert " 16 due in 4 min, 12 in one ┃" in line
    assert line.rstrip().endswith("3 now, not then")
    curve = [look(-30, {}), look(-10, {"1": 7})]
    line = next(x for x in lines_of(state_of(curve)) if "depth" in x)
    assert line.rstrip().endswith("max 3, 7 due")


@pytest.mark.parametrize(
    ("room", "words"),
    [(40, "16 due in 4 min, 12 in one"), (20, "16 due in 4 min"), (5, "")],
)
def test_due_words_are_never_cut(room: int, words: str) -> None:
    assert due_words(Due(16, 4, 12), room) == words


def test_nothing_due_says_nothing() -> None:
    line = next(x for x in lines_of(state_of([look(15, {})])) if "depth" in x)
    assert "due" not in line


# -- changes ---------------------------------------------------------------------------------


def change(second: int, name: str) -> Event:
    at = T + second * SECOND_NS
    return Event(at, "deploys", Lane.CHANGE, Kind.CHANGE, name, f"{name}@{at}")


def quiet(second: int) -> Event:
    at = T + second * SECOND_NS
    return Event(at, "web", Lane.LOG, Kind.LOG, "fine", f"web@{at}")


def test_a_change_is_named_in_its_lane_and_marked_through_the_others() -> None:
    lines = lines_of(state_of([quiet(-50), change(-30, "web v412")]), 3)
    (deploys,) = [line for line in lines if "deploys" in line]
    place = deploys.index("◆")
    assert deploys[place : place + 10] == "◆ web v412"
    assert [line[place] for line in lines if "deploys" not in line] == ["╎", "╎"]


def test_names_of_changes_stop_at_the_next_mark_and_at_t() -> None:
    state = state_of([change(-50, "first release"), change(-40, "second release of the day")])
    columns = Columns.over(WINDOW, 60)
    marked: list[tuple[str, str]] = [(" ", "text")] * (columns.cells - 1)
    for at in (-50, -40):
        marked[columns.column(T + at * SECOND_NS)] = ("◆", "info")
    text = "".join(sign for sign, _ in change_names(state, marked, columns))  # type: ignore[arg-type]
    first, second = text.split("◆")[1:]
    assert first.strip().startswith("fi") and first.rstrip().endswith("…") and first.endswith(" ")
    assert second.strip() == "second release of the day"
    assert len(text) == columns.cells - 1
    assert text[: columns.before].rstrip() == text.rstrip()


@pytest.mark.parametrize(
    "name",
    [
        "データベース v2",
        "\x1b[2Jgone",
        "\u202eevil",
        "e\u0301\u0301te",
        "\u2764\ufe0f up",
        "\U0001f469\u200d\U0001f4bb",
    ],
)
def test_a_hostile_or_wide_name_of_a_change_shifts_nothing(name: str) -> None:
    state = state_of([change(-30, "x")])
    assert state.density is not None
    state.density.changes = (Change(T - 30 * SECOND_NS, name),)
    for glyphs in (UNICODE, ASCII):
        for line in lane_lines(state, 80, 4, glyphs):
            assert width_of(line) == 80
            drawn = Brush(glyphs).strip(line, 80).text
            assert cell_len(drawn) == 80 and "\x1b" not in drawn
    lines = [line for line in lane_lines(state, 80, 4, UNICODE) if "┃" in plain(line)]
    assert len({cell_len(plain(line).partition("┃")[0]) for line in lines}) == 1


# -- figures beside the lanes ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "width", "words"),
    [
        (100, 10 * SECOND_NS, "10/s"),
        (5, 10 * SECOND_NS, "30/min"),
        (48_211, SECOND_NS, "48 211/s"),
        (3, 30 * MINUTE_NS, "6/h"),
    ],
)
def test_a_rate_is_told_in_the_unit_that_has_a_whole_part(
    count: int, width: int, words: str
) -> None:
    assert rate_words(count, width) == words


def test_the_highest_bar_is_told_as_a_rate_and_no_rate_is_made_of_two_rows() -> None:
    busy = [dataclasses.replace(quiet(-50), ref=f"web@{n}", seq=n) for n in range(80)]
    (line,) = lines_of(state_of(busy), 1)
    assert line.rstrip().endswith("/s") and " 80 " in line and "max" in line
    (line,) = lines_of(state_of([quiet(-50), quiet(-20)]), 1)
    assert line.rstrip().endswith("2     rows")


# -- where nobody was looking ----------------------------------------------------------------


def test_a_gap_between_two_claims_of_coverage_is_hatched() -> None:
    seen = (
        Coverage("web", WINDOW.start, T - 40 * SECOND_NS, Sight.FULL),
        Coverage("web", T - 20 * SECOND_NS, WINDOW.end, Sight.FULL),
    )
    state = state_of([quiet(-55), quiet(-5)], coverage=seen)
    (line,) = lines_of(state, 1)
    columns = Columns.over(WINDOW, 80 - 19 - 17)
    cells = line[19 : 19 + columns.cells]
    first, last = columns.column(T - 40 * SECOND_NS), columns.column(T - 20 * SECOND_NS - 1)
    assert {n for n, sign in enumerate(cells) if sign == "░"} == set(range(first, last + 1))
    assert state.incident is not None
    whole = CoverageMap((Coverage("web", WINDOW.start, WINDOW.end, Sight.FULL),))
    snapshot = dataclasses.replace(state.incident.snapshot, coverage=whole)
    state.take(IncidentGrew(dataclasses.replace(state.incident, snapshot=snapshot)))
    assert "░" not in lines_of(state, 1)[0]
