"""An invitation is opened by two tabs at once; "get or create" finds nobody in both of them.

No unique index holds the second insert back. Nothing fails then. Whoever signs in later is looked
up by address, and a lookup that must find one finds two: that member can no longer sign in.

A person sees it by: two rows of `members` with the same address and tenant, written within some
milliseconds by two requests; where somebody came back, errors about more than one result since.
"""

from __future__ import annotations

from tests.score.families.acts import fault, lines
from tests.score.families.watched import row_names
from tests.score.truth import Entity, Truth
from tests.score.world import PIN_S, World
from timeline.event import SEVERITY_ERROR

MORE_THAN_ONE = {
    "spring": "org.springframework.dao.IncorrectResultSizeDataAccessException: query did not"
    " return a unique result: 2",
    "clojure": "clojure.lang.ExceptionInfo: expected exactly one row {{:table members :rows 2}}",
    "django": "members.models.Member.MultipleObjectsReturned: get() returned more than one Member"
    " -- it returned 2!",
    "rails": "ActiveRecord::SoleRecordExceeded: Wanted only one Member",
    "node": "AssertionError [ERR_ASSERTION]: members: expected 1 record, got 2",
    "go": "members: scan one: more than one row in result set",
    "elixir": "** (Ecto.MultipleResultsError) expected at most one result but got 2 in query:"
    " from m0 in Shop.Member, where: m0.address == ^...",
    "dotnet": "System.InvalidOperationException: Sequence contains more than one element",
}
TABLE = "members"


def inject(world: World) -> Truth:
    rng = world.rng
    for _ in range(rng.randint(8, 25)):
        _joined(world, rng.uniform(20, world.end_s - 20), _somebody(world))
    hit: list[Entity] = []
    comes_back, pairs = rng.random() < 0.7, rng.randint(1, 4)
    at, ended = world.onset_s, world.onset_s
    for _ in range(pairs):
        who = _somebody(world)
        gap = rng.uniform(0.002, 0.03)
        keys = _joined(world, at, who) | _joined(world, at + gap, who)
        if comes_back:
            for _ in range(rng.randint(2, 5)):
                back = at + rng.uniform(20, 260)
                if back < world.end_s - 5:
                    keys |= _refused(world, back)
                    ended = max(ended, back)
        hit.append(keys)
        ended = max(ended, at)
        at = min(at + rng.uniform(5, 60), PIN_S)
    twice = sum(f"address={who}" in e.body for e, _ in world.told) == 2
    failed = lines(world, f"/{TABLE}/sign-in", since=world.onset_s) > 0
    return fault(
        world,
        "duplicate-create",
        ended + 5,
        hit,
        also=("bad-data",),
        effect=twice and failed is comes_back,
    )


def _somebody(world: World) -> str:
    return f"m{world.rng.randint(10_000, 999_999)}@mail.example"


def _joined(world: World, at: float, who: str) -> Entity:
    """One acceptance of an invitation: looked up, not found, written."""
    firm, rng = world.company, world.rng
    rid, pk = world.request_id(), world.new_id()
    told = {"method": "POST", "path": f"/{TABLE}/accept", "rid": rid}
    host = world.say(at, firm.front, "begin", told)
    written = at + rng.uniform(0.035, 0.05)
    columns = {"address": who, "tenant_id": 7 + len(who) % 3, "role": "viewer"}
    world.row(written, TABLE, pk, columns=columns, commit=written + 0.004)
    world.say(written + 0.01, firm.front, "end", {**told, "status": 302, "ms": 60}, host=host)
    return row_names(TABLE, pk) | {f"request:{rid}"}


def _refused(world: World, at: float) -> Entity:
    """A sign-in of somebody who is there twice."""
    front = world.company.front
    told = {"method": "POST", "path": f"/{TABLE}/sign-in", "rid": world.request_id()}
    host = world.say(at, front, "begin", told)
    values = {**told, "error": MORE_THAN_ONE[front.style_name].format()}
    world.say(at + 0.02, front, "request_failed", values, host=host, severity=SEVERITY_ERROR)
    world.say(at + 0.021, front, "end", {**told, "status": 500, "ms": 21}, host=host)
    return frozenset((f"request:{told['rid']}",))
