"""A market partner sends the same meter in two bundles at once, and both are entered.

Each of two front hosts looks for the meter, finds none, and inserts; no constraint stands in the
way. Minutes later whoever looks one of them up by its number finds two.
"""

from __future__ import annotations

from tests.score.company import Service
from tests.score.families.acts import fault
from tests.score.healthy import starts, work
from tests.score.seventh_company.acts import counted, in_tongue, opened, spread, with_columns
from tests.score.seventh_company.utility import Shift, move_in, request_names
from tests.score.truth import Truth
from tests.score.world import Thing, World

TWO = {
    "nest": "Error: expected one row for {number}, got 2",
    "slog": "lookup {number}: more than one row in result set",
    "loguru": "sqlalchemy.exc.MultipleResultsFound: Multiple rows were found when exactly one was"
    " required ({number})",
    "quarkus": "org.hibernate.NonUniqueResultException: Query did not return a unique result:"
    " 2 results were returned ({number})",
}


def prepare(world: World) -> None:
    move_in(world, fronts=(2, 4))


def inject(world: World) -> Truth:
    here = opened(world)
    with_columns(here, here.utility.table, lambda: {"meter_no": _number(here)})
    begin, count = here.onset_s, here.rng.randint(3, 7)
    end = min(begin + here.rng.uniform(60, 260), here.end_s - 60)
    hit: list[Thing] = []
    numbers = []
    for at in (begin, *spread(here, begin + 5, end, count - 1)):
        number = _number(here)
        one, other = here.rng.sample(here.utility.front.hosts, 2)
        hit.append(_entered(here, at, number, one))
        hit.append(_entered(here, at + here.rng.uniform(0.001, 0.018), number, other))
        numbers.append(number)
    for number in here.rng.sample(numbers, len(numbers) // 2 + 1):
        at = here.rng.uniform(end + 5, here.end_s - 5)
        _looked_up(here, at, here.rng.choice(here.utility.backs), number)
    doubled = all(counted(here, f"meter_no={number})") >= 2 for number in numbers)
    return fault(here, "duplicate-create", here.end_s, hit, also=("bad-data",), effect=doubled)


def _number(here: Shift) -> str:
    """Maker, year, serial number: as it is stamped on the meter."""
    return f"1ESY{here.rng.randint(11, 25)}{here.rng.randint(10_000_000, 99_999_999)}"


def _entered(here: Shift, seconds: float, number: str, host: str) -> Thing:
    """One bundle's part: looked for, not found, inserted, followed up."""
    firm, rng = here.utility, here.rng
    thing, rid = here.new_id(), here.request_id()
    told: dict[str, object] = {"method": "POST", "path": "/market/bundles", "rid": rid}
    here.say(seconds, firm.front, "begin", told, host=host)
    commit = seconds + rng.uniform(0.03, 0.05)
    columns = {"state": "pending", "meter_no": number}
    here.row(seconds + 0.02, firm.table, thing, columns=columns, commit=commit)
    here.say(seconds + 0.028, firm.front, "wrote", {"id": thing, "rid": rid, "ms": 8}, host=host)
    job = here.push(commit + 0.004, thing, host)
    values = {"job": firm.job_class, "jid": job.id, "id": thing, "rid": rid}
    here.say(commit + 0.007, firm.front, "pushed", values, host=host)
    work(here, job, thing, starts(here, commit + 0.004))
    here.say(commit + 0.03, firm.front, "end", {**told, "status": 202, "ms": 80}, host=host)
    found = here.entity(thing, rid, job)
    found.keys |= request_names(rid)
    return found


def _looked_up(here: Shift, seconds: float, by: Service, number: str) -> None:
    words = in_tongue(by, TWO, number=number)
    here.served(seconds, by, f"/by-number/{number}", status=500, took=0.04, error=words)
