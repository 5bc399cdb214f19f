"""The sequence diagram: columns hold still, arrows claim what the order claims, names are named."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.tui import story
from tests.tui.conftest import Opening
from timeline.clean import clean
from timeline.event import Event, Kind, Lane
from timeline.finding import Step
from timeline.order import Order, Verdict
from tui.canvas import Brush
from tui.glyphs import ASCII, UNICODE, Glyphs
from tui.pieces import Line, plain, width_of
from tui.proof import ProofScreen
from tui.sequence import Diagram, diagram_of, legend
from tui.sequence_layout import NARROWEST, actor_of, layout_of, shortened

SECOND = 1_000_000_000
CERTAIN = Order(Verdict.CERTAIN, "the ids say so")
LIKELY = Order(Verdict.LIKELY, "a wide gap")
UNDECIDED = Order(Verdict.POSSIBLE, "inside the bounds")
CONTRADICTED = Order(None, "one clock says the opposite")


def step(
    actor: str,
    second: float = 0,
    order: Order | None = CERTAIN,
    *,
    lane: Lane = Lane.LOG,
    role: str = "role",
    why: str = "it matters",
) -> Step:
    at = story.T + int(second * SECOND)
    event = Event(at, "source", lane, Kind.LOG, "body", f"{actor}@{at}", actor=actor)
    return Step(role, event, why, order)


def drawn(
    steps: Sequence[Step],
    width: int = 100,
    here: int = -1,
    glyphs: Glyphs = UNICODE,
    own: Sequence[str] = (),
) -> list[str]:
    diagram = diagram_of(steps, here, story.T, own, width, glyphs)
    assert diagram is not None
    return [plain(line) for line in diagram.lines]


def row_of(lines: Sequence[str], number: int) -> str:
    return next(line for line in lines if line.lstrip(" ▸>").startswith(f"{number} "))


# -- arrows ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "right", "left"),
    [
        (CERTAIN, "├───", "───┤"),
        (LIKELY, "│╌╌╌", "╌╌╌│"),
        (UNDECIDED, "│~~~", "~~~│"),
        (CONTRADICTED, "├───", "───┤"),
    ],
)
def test_an_arrow_goes_from_the_step_before_to_its_own_column(
    order: Order, right: str, left: str
) -> None:
    heads = {CERTAIN: "→←", LIKELY: "⇢⇠", UNDECIDED: "~~", CONTRADICTED: "xx"}[order]
    steps = [step("web", 0, None), step("queue", 0.1, order), step("web", 0.2, order)]
    layout = layout_of(steps, 100, UNICODE)
    assert layout is not None
    web, queue = (layout.lead + column.middle for column in layout.columns)
    lines = drawn(steps)
    there, back = row_of(lines, 2), row_of(lines, 3)
    assert there[web : web + 4] == right and there[queue - 1 : queue + 1] == f"{heads[0]}●"
    assert back[queue - 3 : queue + 1] == left and back[web : web + 2] == f"●{heads[1]}"


def test_no_arrow_where_no_order_is_claimed_or_nobody_else_acted() -> None:
    lines = drawn([step("web", 0, None), step("queue", 0.1, None), step("queue", 0.2)])
    for number in (2, 3):
        assert not set(row_of(lines, number)[30:]) & set("─╌~x←")
    assert "→" in row_of(lines, 3)[:12]


def test_arrows_of_plain_ascii_tell_certain_from_likely_and_undecided() -> None:
    orders = (CERTAIN, LIKELY, UNDECIDED, CONTRADICTED)
    steps = [step("a", 0, None)]
    steps += [step("ba"[n % 2], n / 10 + 0.1, order) for n, order in enumerate(orders)]
    lines = drawn(steps, glyphs=ASCII)
    assert all(line.isascii() for line in lines)
    assert "--->*" in row_of(lines, 2)
    assert "*<===" in row_of(lines, 3)
    assert "~~~*" in row_of(lines, 4)
    assert "*x---" in row_of(lines, 5)


def test_the_legend_explains_every_sign_within_eighty_cells() -> None:
    for glyphs in (UNICODE, ASCII):
        words = plain(legend(glyphs))
        assert cell_len(words) <= 80
        for verdict in Verdict:
            assert f"{glyphs.order_sign(verdict)} " in words
        for word in ("certain", "likely", "undecided", "contradicted", "time between"):
            assert word in words


# -- time ------------------------------------------------------------------------------------


def test_a_gap_one_can_feel_has_a_line_and_a_step_back_in_time_says_so() -> None:
    lines = drawn([step("a", 0, None), step("b", 2.1), step("a", 2.2), step("b", -20)])
    assert any("┊ 2.1 s" in line and line.count("┊") == 3 for line in lines)
    assert any("┊ 22 s back" in line for line in lines)
    assert sum("┊" in line for line in lines) == 2


def test_every_step_shows_wall_time_and_distance_from_t() -> None:
    lines = drawn([step("a", -61.5, None), step("b", 0.25)])
    assert "02:12:38.500" in row_of(lines, 1) and "-1m01.5s" in row_of(lines, 1)
    assert "02:13:40.250" in row_of(lines, 2) and "+0.250s" in row_of(lines, 2)


# -- who has a column ------------------------------------------------------------------------


def test_a_queue_and_a_service_of_one_name_are_two() -> None:
    steps = [step("mail", 0, None, lane=Lane.QUEUE), step("mail", 0.1)]
    assert actor_of(steps[0].event) != actor_of(steps[1].event)
    layout = layout_of(steps, 100, UNICODE)
    assert layout is not None and layout.places == (0, 1)


def test_forty_actors_leave_the_busiest_their_columns_and_name_the_others() -> None:
    steps = [step("web", 0, None)]
    for n in range(39):
        steps += [step(f"worker-{n:02}", n + 0.1), step("web", n + 0.2)]
    for width in (115, 120, 140, 200):
        layout = layout_of(steps, width, UNICODE)
        assert layout is not None
        assert layout.columns[0].name == "web"
        assert layout.columns[-1].name == f"{len(layout.folded)} others"
        assert len(layout.folded) + len(layout.columns) - 1 == 40
        lines = drawn(steps, width)
        assert any(line.startswith(f" {len(layout.folded)} others: ") for line in lines)
        assert f"{layout.folded[-1]}, role:" in row_of(lines, len(steps) - 1)


def test_a_narrow_terminal_lists_more_than_three_actors_that_do_not_fit() -> None:
    def of(count: int) -> list[Step]:
        return [step(f"actor-{n}", n / 10) for n in range(count)]

    assert diagram_of(of(3), 0, story.T, (), 79, UNICODE) is not None
    assert diagram_of(of(9), 0, story.T, (), 79, UNICODE) is None
    assert diagram_of(of(3), 0, story.T, (), 50, UNICODE) is None
    assert diagram_of(of(1), 0, story.T, (), 140, UNICODE) is None


def test_numbered_workers_stay_apart_in_a_short_column() -> None:
    names = {shortened(f"backup-scheduler-{n}", NARROWEST - 1) for n in range(20)}
    assert len(names) == 20
    assert shortened("web", 8) == "web"


@given(st.text(max_size=40), st.integers(1, 20))
def test_a_short_name_never_takes_more_cells_than_it_may(name: str, width: int) -> None:
    assert cell_len(shortened(clean(name), width)) <= width


# -- columns hold still ----------------------------------------------------------------------

HOSTILE = (
    "\x1b]52;c;ZXZpbA==\x07",
    "\u202eevil\u202c",
    "データベース",
    "\U0001f469\u200d\U0001f4bb",
    "[red]x[/]",
    "a\nb",
    "",
)


@given(
    st.lists(
        st.tuples(
            st.one_of(st.sampled_from(HOSTILE), st.text(max_size=12)),
            st.sampled_from([None, CERTAIN, LIKELY, UNDECIDED, CONTRADICTED]),
            st.floats(-5, 5),
        ),
        min_size=2,
        max_size=8,
    ),
    st.integers(60, 160),
    st.sampled_from([UNICODE, ASCII]),
)
def test_no_name_shifts_a_column_or_overflows_the_page(
    told: list[tuple[str, Order | None, float]], width: int, glyphs: Glyphs
) -> None:
    steps = [step(name, at, order, role=name, why=name) for name, order, at in told]
    layout = layout_of(steps, width, glyphs)
    diagram = diagram_of(steps, 1, story.T, ("its own words",), width, glyphs)
    assert (layout is None) == (diagram is None)
    if layout is None or diagram is None:
        return
    life = {"│", "┊", "├", "┤", "●", "|", ":", "+", "*"}
    for line in diagram.lines:
        assert width_of(line) <= width
        assert "\x1b" not in Brush(glyphs).strip(line, width_of(line)).text
    for number, line in enumerate(diagram.lines[3 if layout.folded else 2 :]):
        if is_step(line, layout.gutter):
            first = next(n for n in range(len(line)) if width_of(line[:n]) == layout.lead)
            cells = [sign for sign, _ in line[first : first + layout.drawn]]
            assert {cell_len(sign) for sign in cells} == {1}
            assert {cells[column.middle] for column in layout.columns} & life, number


def is_step(line: Line, gutter: int) -> bool:
    """Whether it begins with the number of a step."""
    return plain(line)[:gutter].strip(" ▸>").split(" ")[0].isdigit()


def test_every_lifeline_stands_in_one_cell_from_top_to_bottom() -> None:
    steps = [step(name, n * 1.5) for n, name in enumerate("abcab")]
    layout = layout_of(steps, 120, UNICODE)
    assert layout is not None
    for line in drawn(steps, 120, here=2, own=("words " * 30,))[2:]:
        cells = line[layout.lead :]
        for column in layout.columns:
            assert cells[column.middle] in "│┊├┤●─"


# -- on the screen ---------------------------------------------------------------------------


def told_with(diagram: Diagram | None) -> str:
    assert diagram is not None
    return "\n".join(plain(line) for line in diagram.lines)


def test_only_the_step_being_read_tells_its_clock_bounds() -> None:
    steps = story.FINDINGS[1].steps
    own = ("stamped 2 ms after", "lies in 1 to 2 (clock web)")
    for width in (79, 139):
        for here in range(len(steps)):
            diagram = diagram_of(steps, here, story.T, own, width, UNICODE)
            text = told_with(diagram)
            assert text.count("lies in 1 to 2") == 1
            assert diagram is not None
            assert "(clock web)" in plain(diagram.lines[diagram.focus])
            assert f"▸ {here + 1} " in text


async def test_enter_draws_the_proof_and_n_walks_it(open_night: Opening) -> None:
    async with open_night(size=(120, 40)) as night:
        await night.tell_all()
        await night.press("2", "enter")
        assert isinstance(night.app.screen, ProofScreen)
        text = night.screen_text()
        assert "├────────→●" in text
        for name in ("users", "mailers", "worker-3", "mailer-1"):
            assert name in text
        assert "▸ 1 " in text and "lies in 02:07:29.106" in text
        await night.press("n", "n", "n")
        text = night.screen_text()
        assert "▸ 4 ~" in text and "~~~~~~~~~●" in text
        assert (
            "lies in 02:07:29.037" in text and "lies in 02:07:29.106" not in text.split("record")[0]
        )


async def test_walking_keeps_the_step_and_its_bounds_in_sight(open_night: Opening) -> None:
    async with open_night(size=(80, 24)) as night:
        await night.tell_all()
        await night.press("2", "enter")
        for keys in (("n",) * 4, ("p",) * 4):
            for key in keys:
                await night.press(key)
                lines = night.screen_lines()
                place = next(n for n, line in enumerate(lines) if line.startswith(" ▸ "))
                assert any("lies in" in line for line in lines[place:])


async def test_a_proof_of_too_many_actors_is_listed_on_a_small_terminal(
    open_night: Opening,
) -> None:
    many = tuple(step(f"somebody-{n}", n / 10) for n in range(8))
    finding = dataclasses.replace(story.FINDINGS[1], steps=many)
    analysis = dataclasses.replace(story.ANALYSIS, findings=(finding,))
    async with open_night(size=(80, 40)) as night:
        await night.tell_all()
        night.state.analysis = analysis
        night.state.go_to_finding(1)
        night.app.push_screen(
            ProofScreen(night.app.brush, night.state, night.app.incident_screen._show_step)
        )
        await night.pilot.pause()
        text = night.screen_text()
        assert "somebody-7" in text and "├" not in text
        await night.pilot.resize_terminal(160, 40)
        await night.pilot.pause()
        assert "├" in night.screen_text()
