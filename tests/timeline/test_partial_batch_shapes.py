"""partial-batch: the shape of what is missing, and that chance alone makes none."""

from __future__ import annotations

import random

from timeline.facts.shapes import aligned, likeness, stopped_after
from timeline.knowledge import ExpectedSet, Knowledge, Work

from .test_partial_batch import BEGUN, expecting, letters, only
from .worlds import World, healthy


def test_a_set_without_an_order_is_read_in_the_order_of_the_work() -> None:
    world = expecting(100, ordered=False)
    letters(world, range(40))
    finding = only(world)
    assert finding.shape is not None
    assert finding.shape.name == "prefix"


def test_a_round_number_looks_like_a_limit() -> None:
    world = expecting(180)
    letters(world, range(100))
    finding = only(world)
    assert finding.shape is not None
    assert (finding.shape.name, finding.shape.index) == ("cap", 100)
    assert "limit or a page size" in finding.sentence()


def test_what_is_missing_shares_a_region() -> None:
    keys = tuple(f"app:{'eu' if number % 2 else 'us'}-{number}" for number in range(40))
    expected = ExpectedSet("backups", Work(log="backup of"), keys)
    world = healthy(World(knowledge=Knowledge(expected=(expected,))), every=35)
    for place, key in enumerate(key for key in keys if "us" in key):
        name = key.removeprefix("app:")
        world.log(BEGUN + place, "vault", f"backup of app_id={name} written")
    finding = only(world)
    assert finding.shape is not None
    assert (finding.shape.name, finding.shape.value) == ("aligned", "eu")
    assert "eu" in finding.sentence()


def test_what_is_missing_shares_a_column_of_its_row() -> None:
    world = expecting(40, ordered=False)
    order = random.Random(7).sample(range(40), 40)
    for number in range(40):
        plan = "free" if number % 4 == 0 else "paid"
        world.row(1, "users", 5000 + number, columns={"plan": plan})
    letters(world, [number for number in order if number % 4])
    finding = only(world)
    assert finding.shape is not None
    assert (finding.shape.name, finding.shape.trait) == ("aligned", "plan")


def test_what_is_missing_here_and_there_is_scattered() -> None:
    world = expecting(60)
    letters(world, [number for number in range(60) if number not in (7, 23, 24, 51)])
    finding = only(world)
    assert finding.shape is not None
    assert finding.shape.name == "scattered"
    assert finding.resume == ("user:5007", "user:5023", "user:5024", "user:5051")


def test_a_shape_needs_more_than_chance() -> None:
    assert stopped_after(range(10), range(10, 20))
    assert not stopped_after(range(3), range(3, 5))
    assert not stopped_after(range(0, 20, 2), range(1, 20, 2))
    assert not stopped_after(range(10, 20), range(10))
    assert not stopped_after([], range(10))


def test_random_sets_are_no_prefix() -> None:
    draw = random.Random(1)
    hits = 0
    for _ in range(500):
        missing = draw.sample(range(30), 12)
        hits += stopped_after([n for n in range(30) if n not in missing], missing)
    assert hits <= 2


def test_an_alignment_must_be_rare_elsewhere() -> None:
    traits = {"host": {str(n): "a" if n < 10 else "b" for n in range(30)}}
    low = {str(n) for n in range(10)}
    assert aligned(low, {str(n) for n in range(10, 30)}, traits) == ("host", "a")
    assert aligned({str(n) for n in range(0, 30, 3)}, {"1", "2", "4"}, traits) is None
    assert aligned({"0", "1"}, {"10", "11"}, traits) is None


def test_likeness_is_shared_over_all() -> None:
    assert likeness(set("abc"), set("bcd")) == 0.5
    assert likeness(set(), set()) == 0
