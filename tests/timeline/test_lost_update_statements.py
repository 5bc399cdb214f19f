"""lost-update as a server's log of statements tells it."""

from __future__ import annotations

import pytest

from timeline.detectors.lost_update import LostUpdateDetector
from timeline.detectors.lost_update_statements import LostUpdateStatements
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World

FORMS = (
    (
        'execute <unnamed>: SELECT "sum" FROM "purses" WHERE "id" = $1'
        "␊DETAIL:  parameters: $1 = '{k}'",
        'execute <unnamed>: UPDATE "purses" SET "sum" = $1 WHERE "id" = $2'
        "␊DETAIL:  parameters: $1 = '{n}', $2 = '{k}'",
    ),
    (
        "LOG:  statement: select * from app.purses where id = {k} limit 1",
        "LOG:  statement: update app.purses set sum = {n} where id = {k};",
    ),
    (
        "duration: 0.3 ms  execute S_4: SELECT p.* FROM purses WHERE purse_id = '{k}'",
        "duration: 0.4 ms  execute S_5: UPDATE purses SET sum = {n}, at = now()"
        " WHERE purse_id = '{k}'",
    ),
)


def found(world: World) -> list[LostUpdateStatements]:
    result = LostUpdateDetector().detect(world.incident())
    told = [] if isinstance(result, NotEvaluated) else result
    return [finding for finding in told if isinstance(finding, LostUpdateStatements)]


def log(forms: tuple[str, str], order: str, *, more: str = "", keys: int = 3) -> World:
    """Sessions 1 and 2 read (`r`), write (`w`), commit (`c`) or roll back (`b`): `r1r2w1c1w2c2`."""
    world = World()
    for key in range(keys):
        for place in range(0, len(order), 2):
            act, session = order[place], order[place + 1]
            words = {
                "r": forms[0].format(k=70 + key) + more,
                "w": forms[1].format(k=70 + key, n=100 + 7 * int(session)),
                "c": "LOG:  statement: COMMIT",
                "b": "LOG:  statement: ROLLBACK",
            }[act]
            second = 1000 + 20 * key + place / 100
            world.log(second, "postgresql", f"[41{session}] app@shop {words}")
    return world


@pytest.mark.parametrize("forms", FORMS)
def test_read_read_write_write(forms: tuple[str, str]) -> None:
    (finding,) = found(log(forms, "r1r2w1c1w2c2"))
    assert (finding.verdict, len(finding.cases)) == (Verdict.LIKELY, 3)
    assert "row:purses/70" in finding.keys


@pytest.mark.parametrize("forms", FORMS)
@pytest.mark.parametrize(
    "order", ["r1w1c1r2w2c2", "r1r2w1c1r2w2c2", "r1r2w1b1w2c2", "r1r2w1c1w2b2"]
)
def test_orders_that_lose_nothing(forms: tuple[str, str], order: str) -> None:
    assert not found(log(forms, order))


def test_what_the_database_guards_is_silent() -> None:
    read, write = FORMS[1]
    assert not found(log((read + " FOR UPDATE", write), "r1r2w1c1w2c2"))
    guarded = "LOG:  statement: update purses set sum = 12 where id = {k} and version = 4"
    assert not found(log((read, guarded), "r1r2w1c1w2c2"))
    added = "LOG:  statement: update purses set sum = sum + 3 where id = {k}"
    assert not found(log((read, added), "r1r2w1c1w2c2"))


def test_what_is_set_and_not_added_to_is_silent() -> None:
    read = FORMS[1][0]
    for words in (
        "state = 'paid'",
        "seen_at = '2026-03-14 02:00:01'",
        "sum = 5",
        "visited_at = {n}",
    ):
        write = f"LOG:  statement: update purses set {words} where id = {{k}}"
        assert not found(log((read, write), "r1r2w1c1w2c2"))
