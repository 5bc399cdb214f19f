"""Templates: what is kept, what becomes a hole, and that the counts add up."""

from __future__ import annotations

import polars as pl
import pytest

from timeline import templates
from timeline.templates import OTHER, template_of, templates_in

from .worlds import World, at, healthy


def signed(*texts: str) -> list[str]:
    return pl.DataFrame({"text": texts}).select(template_of(pl.col("text"))).to_series().to_list()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("order 4711 not found", "order 12 not found"),
        ("user=ann state=active", "user=bob state=gone"),
        ("cannot read '/tmp/a b'", "cannot read '/var/x'"),
        ('rejected "one thing" twice', 'rejected "another" twice'),
        ("GET /cart/1 took 12ms", "GET /users took 9ms"),
        ("peer 10.0.0.1:6379 closed", "peer redis-7 closed"),
        ("failed: boom\u240a  at line 3", "failed: boom\u240a  at line 9\u240a  at line 4"),
        (
            "Traceback (most recent call last):\u240a  File x\u240aLookupError: Order 1 gone",
            "Traceback (most recent call last):\u240a  File y\u240aLookupError: Order 2 gone",
        ),
    ],
)
def test_what_differs_each_time_is_no_part_of_a_template(one: str, other: str) -> None:
    first, second = signed(one, other)
    assert first == second
    assert first not in (one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("order 4711 not found", "order 4711 not paid"),
        ("can't reach user 'bob'", "can't find user 'bob'"),
        ("user=ann", "account=ann"),
        ("", "0"),
    ],
)
def test_what_it_says_is(one: str, other: str) -> None:
    first, second = signed(one, other)
    assert first != second


def test_an_apostrophe_opens_no_quotation() -> None:
    assert signed("it can't and it won't") == ["it can't and it won't"]


def test_a_template_does_not_depend_on_the_lines_around_it() -> None:
    texts = [f"step {n} of job_id=j{n} by 'worker {n % 3}' failed" for n in range(50)]
    assert signed(*texts) == signed(*texts[::-1])[::-1]
    assert signed(texts[7])[0] == signed(*texts)[7]


def noisy(count: int, distinct: int) -> World:
    world = healthy(World(), until=300.0)
    for number in range(count):
        word = "abcdefghij"[number % 10] * (1 + number % distinct // 10)
        world.log(number * 0.5, "search", f"odd word {word} seen", severity=13)
    return world


def test_every_grave_line_is_in_one_template() -> None:
    grouped = templates_in(noisy(400, 30).incident())
    assert grouped.total == 400
    assert (grouped.lines.height, grouped.left_out) == (400, 0)
    assert grouped.lines.get_column("template").n_unique() == 30


def test_free_text_is_folded_and_still_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "MOST_TEMPLATES", 12)
    grouped = templates_in(noisy(400, 30).incident())
    assert grouped.lines.height == grouped.total == 400
    assert grouped.lines.get_column("template").n_unique() == 13
    assert OTHER in grouped.lines.get_column("template")


def test_of_too_many_lines_the_loudest_minutes_lose_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "MOST_LINES", 150)
    world = noisy(60, 30)
    world.error(200, "checkout", "no route to the bank")
    for number in range(400):
        world.log(1200 + number * 0.1, "search", f"odd word flood {number} seen", severity=13)
    grouped = templates_in(world.incident())
    assert grouped.total == 461
    assert grouped.left_out + grouped.lines.height == 461
    assert 100 <= grouped.lines.height <= 150
    quiet = grouped.lines.filter(pl.col("timestamp") < at(1200))
    assert quiet.height == 61
    ((source, service, actor, level, since),) = grouped.cut.rows()
    assert (source, service, actor, level) == ("search.log", "search", "search", "warning")
    assert at(1200) < since < at(1220)


def test_instances_of_a_service_share_its_name() -> None:
    world = World()
    for actor in ("web-1", "web-12", "web-7d9f8c6b5d-x2x4z", "web"):
        world.error(10, actor, "boom")
    lines = templates_in(world.incident()).lines
    assert set(lines.get_column("service")) == {"web"}
