"""A service is spoken of by its name, not by a path that is spelt alike."""

from __future__ import annotations

import pytest

from timeline.facts.at_work import named_as_before, named_by_others

from .worlds import World, at

FROM, TO = 600.0, 900.0
NAMES = (
    "GET http://search/api 200",
    "upstream search:8080 answered in 3 ms",
    "backend pod/search-7d9f8b6c4-x2k9p 200",
    "balanced to lb-1/search 0/0/1/3",
    "answered by search",
    "[search] 200",
)
PATHS = (
    'GET "/search" -> 200',
    "GET /search 200 in 4 ms",
    "request completed {url: '/search', status: 200}",
    "GET /v1/search/recent 200",
    "path=/search status=200",
)


def night(line: str) -> World:
    """`search` falls silent; `edge` writes `line` every six seconds before and meanwhile."""
    world = World()
    for number in range(100):
        world.log(number * 6 + 1.0, "search", f"query {number} ranked")
    for number in range(200):
        world.log(number * 6 + 2.0, "edge", f"{line} n{number}")
    return world


@pytest.mark.parametrize("line", NAMES)
def test_whoever_is_called_is_at_work(line: str) -> None:
    incident = night(line).incident()
    assert named_by_others(incident, "search", at(FROM), at(TO)) is not None
    assert named_as_before(incident, "search", at(FROM), at(TO)) is not None


@pytest.mark.parametrize("line", PATHS)
def test_a_path_names_no_service(line: str) -> None:
    incident = night(line).incident()
    assert named_by_others(incident, "search", at(FROM), at(TO)) is None
    assert named_as_before(incident, "search", at(FROM), at(TO)) is None
