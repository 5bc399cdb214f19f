"""The depth line: a curve from samples, one look told as such, and nothing where none tells."""

from __future__ import annotations

import json

from timeline.batch import batch_of
from timeline.event import Event, Kind, Lane
from timeline.store import Store
from timeline.window import SECOND_NS, Window
from tui.density import Columns, density_of
from tui.depth import Sample, curve_of, depth_cells, depths_of
from tui.glyphs import glyphs_for

T = 1_790_000_000 * SECOND_NS
WINDOW = Window(T, T - 60 * SECOND_NS, T + 20 * SECOND_NS)
COLUMNS = Columns(T, 6, 2, 10 * SECOND_NS)
GLYPHS = glyphs_for("utf-8")


def sample(second: int, depth: int, queue: str = "mail") -> Sample:
    return Sample(T + second * SECOND_NS, queue, depth)


def test_a_curve_stands_between_its_samples_and_nowhere_else() -> None:
    curve = curve_of([sample(-45, 3), sample(-15, 7)], COLUMNS)
    assert curve == [None, 3, 3, 3, 7, None, None, None]


def test_queues_are_added_up() -> None:
    told = [sample(-45, 3), sample(-42, 5, "bills"), sample(-15, 7), sample(-12, 5, "bills")]
    assert curve_of(told, COLUMNS) == [None, 8, 8, 8, 12, None, None, None]


def test_the_largest_sample_of_a_column_counts() -> None:
    assert curve_of([sample(-45, 3), sample(-44, 90), sample(-43, 1)], COLUMNS)[1] == 90


def test_an_empty_queue_is_drawn_empty_not_unknown() -> None:
    cells, (words, _) = depth_cells([sample(-45, 0), sample(-25, 0)], COLUMNS, 16, GLYPHS)
    assert [cell for cell, _ in cells][1:4] == [GLYPHS.empty] * 3
    assert cells[0][0] == GLYPHS.unseen
    assert words.strip() == "max 0"


def test_one_look_is_now_not_then() -> None:
    looks = [sample(300, 12), sample(300, 30, "bills")]
    cells, (words, _) = depth_cells(looks, COLUMNS, 16, GLYPHS)
    assert {cell for cell, _ in cells} == {GLYPHS.unseen}
    assert words == "42 now, not then"
    _, (short, _) = depth_cells([sample(300, 1_234_567)], COLUMNS, 16, GLYPHS)
    assert short.strip() == "1 234 567 now"


def test_samples_are_read_from_the_queue_lane_alone() -> None:
    store = Store()
    store.add(batch_of("rabbit", [_told("rabbit", 5, Lane.QUEUE), _told("rabbit", None)]))
    store.add(batch_of("prom", [_told("prom", 9, Lane.METRIC)]))
    snapshot = store.snapshot()
    assert depths_of(snapshot) == {"rabbit": [Sample(T - SECOND_NS, "mail", 5)]}
    assert density_of(snapshot, WINDOW).depths == depths_of(snapshot)


def _told(source: str, depth: int | None, lane: Lane = Lane.QUEUE) -> Event:
    attributes = {"queue": "mail"} if depth is None else {"queue": "mail", "depth": depth}
    at = T - SECOND_NS if depth is not None else T
    ref, told = f"{source}@{at}", json.dumps(attributes)
    return Event(at, source, lane, Kind.METRIC, "sample", ref, attributes=told)
