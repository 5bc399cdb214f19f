"""swallowed-error of an insert: what a database refused as there already, and who says created."""

from __future__ import annotations

import pytest

from timeline.coverage import Sight
from timeline.detectors.refused_as_created import RefusedAsCreated
from timeline.detectors.swallowed_error import SwallowedErrorDetector
from timeline.event import Kind
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World

TAKEN = (9, 17, 31)
BEGAN = 1200.0
SERVER = {
    "postgresql": (
        'duplicate key value violates unique constraint "members_name"\n'
        "DETAIL:  Key (name)=(m{n}) already exists.\n"
        "STATEMENT:  INSERT INTO members (name, points) VALUES ($1, 100)"
    ),
    "postgresql, in German": (
        "doppelter Schlüsselwert verletzt Unique-Constraint »members_name«\n"
        "DETAIL:  Schlüssel »(name)=(m{n})« existiert bereits.\n"
        'ANWEISUNG:  INSERT INTO public."members" (name, points) VALUES ($1, 100)'
    ),
    "mysql": "ERROR 1062 (23000): Duplicate entry 'm{n}' for key 'members.name'",
}
SAYS = {
    "a status": "POST /import 201 request_id={request} name=m{n}",
    "a word": 'member imported name="m{n}" request_id={request}',
}


def found(world: World) -> list[RefusedAsCreated]:
    result = SwallowedErrorDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated)
    return [one for one in result if isinstance(one, RefusedAsCreated)]


def at(number: int) -> float:
    return BEGAN + 0.5 * number


def says(world: World, number: int, words: str = SAYS["a status"], later: float = 0.006) -> None:
    request = f"{number:04}9b1d0db865dd"
    world.log(at(number) + later, "import", words.format(n=number, request=request))


def refuses(world: World, number: int, words: str = SERVER["postgresql"]) -> None:
    world.error(at(number) + 0.003, "db", words.format(n=number))


def imported(
    *, server: str = SERVER["postgresql"], line: str = SAYS["a status"], rows: bool = True
) -> World:
    """An import of forty members; the taken names are refused, and reported like all others."""
    world = World()
    for number in TAKEN:
        world.row(60.0 + number, "members", number)
    for number in range(1, 41):
        if number in TAKEN:
            refuses(world, number, server)
        elif rows:
            world.row(at(number), "members", 100 + number)
        says(world, number, line)
    return world


@pytest.mark.parametrize("server", SERVER.values(), ids=SERVER.keys())
@pytest.mark.parametrize("line", SAYS.values(), ids=SAYS.keys())
def test_what_was_refused_and_is_reported_as_created(server: str, line: str) -> None:
    (finding,) = found(imported(server=server, line=line))
    assert finding.verdict is Verdict.POSSIBLE
    assert (finding.caller, finding.server) == ("import", "db")
    assert len(finding.cases) == len(TAKEN)
    assert (finding.balance.said, finding.balance.rows) == (40, 37)
    assert f"request:{TAKEN[0]:04}9b1d0db865dd" in finding.keys
    assert "m17" not in finding.sentence()


def test_a_line_of_the_same_instant_as_the_refusal() -> None:
    world = World()
    for number in range(1, 41):
        if number in TAKEN:
            refuses(world, number)
        else:
            world.row(at(number), "members", 100 + number)
        says(world, number, later=0.003)
    assert len(found(world)) == 1


def test_a_refusal_that_is_passed_on() -> None:
    world = World()
    for number in range(1, 41):
        if number in TAKEN:
            refuses(world, number)
            says(world, number, "POST /members 409 request_id={request} name=m{n}")
        else:
            world.row(at(number), "members", 100 + number)
            says(world, number)
    assert not found(world)


def test_two_wanted_it_at_once_and_one_has_it() -> None:
    world = World()
    for number in range(1, 41):
        world.row(at(number), "members", 100 + number)
        if number in TAKEN:
            refuses(world, number)
        says(world, number)
    assert not found(world)


def test_both_who_wanted_it_say_so() -> None:
    world = imported()
    for number in TAKEN:
        says(world, number, later=0.012)
    assert not found(world)


def test_a_service_that_warns_of_it_has_not_hidden_it() -> None:
    world = imported()
    for number in TAKEN:
        world.log(at(number) + 0.005, "import", f"name m{number} is taken", severity=13)
    assert not found(world)


def test_a_single_one_is_not_told() -> None:
    world = World()
    for number in range(1, 41):
        if number == TAKEN[0]:
            refuses(world, number)
        else:
            world.row(at(number), "members", 100 + number)
        says(world, number)
    assert not found(world)


def test_successes_of_which_no_row_is_known() -> None:
    assert not found(imported(rows=False))


def test_a_table_that_was_not_read_in_full() -> None:
    world = imported()
    world.blind("postgres", BEGAN, BEGAN + 10, Sight.PARTIAL)
    assert not found(world)


def ends_early(world: World) -> World:
    """It is asked a moment after the last line, as of a fault that goes on."""
    world.end = at(40) + 0.3
    world.blind("postgres", world.end, world.end + 5, Sight.PARTIAL)
    return world


def test_a_window_that_ends_a_moment_after_the_last_line() -> None:
    (finding,) = found(ends_early(imported()))
    assert (finding.balance.said, finding.balance.rows) == (40, 37)


def test_the_last_rows_may_be_stamped_after_what_was_read() -> None:
    """Each refused name has its row all the same; only the last two are not read yet."""
    world = World()
    for number in range(1, 41):
        if number in TAKEN[:2]:
            refuses(world, number)
        if number <= 38:
            world.row(at(number), "members", 100 + number)
        says(world, number)
    assert not found(ends_early(world))


def test_a_success_that_creates_nothing() -> None:
    assert not found(imported(line="GET /members 200 request_id={request} name=m{n}"))


def test_a_name_that_was_free_again() -> None:
    """Refused, removed by somebody, and created by the next try: its row is there."""
    world = imported()
    for number in TAKEN:
        world.row(at(number) + 0.005, "members", 300 + number, kind=Kind.ROW_INSERTED)
    assert not found(world)
