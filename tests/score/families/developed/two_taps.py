"""A button is tapped twice and both taps find that nothing is there yet.

The form looks whether the customer already has something for that slot, finds nothing, and writes.
Two taps a few milliseconds apart reach two hosts; both look before either has written, and no
constraint holds the second back. A second tap that comes a moment later is answered with what is
there.

A person sees it by: two rows with the same customer and slot, created within milliseconds; the two
requests' lines, each of which found nothing, before either wrote; later taps, which found it.
"""

from __future__ import annotations

from collections import Counter

from tests.score.families.acts import fault
from tests.score.fifth_company.deeds import saying, spread
from tests.score.fifth_company.harbour import Watch, settle, watch
from tests.score.fifth_company.surroundings import surroundings
from tests.score.healthy import starts, work
from tests.score.second_company.elsewhere import job_keys
from tests.score.truth import Truth
from tests.score.world import Thing, World
from timeline.event import Kind


def prepare(world: World) -> None:
    settle(world, fronts=(2, 6))


def inject(world: World) -> Truth:
    night = watch(world)
    rng = night.rng
    for at in spread(night, 60, night.end_s - 40, rng.randint(25, 60)):
        _booked(
            night, at, rng.choice(night.firm.front.hosts), *_who(night), late=rng.random() < 0.3
        )
    last = min(night.onset_s + rng.uniform(90, 500), night.end_s - 40)
    times = spread(night, night.onset_s, last, rng.randint(3, 8))
    times[0] = night.onset_s
    hit: list[Thing] = []
    pairs: list[tuple[int, int]] = []
    for at in times:
        one, other = rng.sample(night.firm.front.hosts, 2)
        pairs.append(_who(night))
        hit.append(_booked(night, at, one, *pairs[-1]))
        hit.append(_booked(night, at + rng.uniform(0.001, 0.02), other, *pairs[-1]))
    surroundings(night)
    night.close_the_books()
    rows = Counter(
        (customer, slot)
        for event, _ in night.told
        if event.kind is Kind.ROW_INSERTED
        for customer, slot in pairs
        if f"customer_id={customer}, slot_id={slot}" in event.body
    )
    looked = [saying(night, "nothing found", str(customer), str(slot)) for customer, slot in pairs]
    return fault(
        night,
        "duplicate-create",
        times[-1] + 20,
        hit,
        also=("duplicate-enqueue", "overlapping-runs"),
        effect=all(rows[pair] == 2 for pair in pairs) and all(len(found) >= 2 for found in looked),
    )


def _who(night: Watch) -> tuple[int, int]:
    """A customer and a slot."""
    return night.rng.randint(200_000, 990_000), night.rng.randint(10_000, 99_000)


def _booked(
    night: Watch, at: float, host: str, customer: int, slot: int, *, late: bool = False
) -> Thing:
    """One tap: look, write, send the job. `late`: another tap comes when all is written."""
    rng, firm = night.rng, night.firm
    thing, rid = night.new_id(), night.request_id()
    told = {"method": "POST", "path": f"/{firm.table}", "rid": rid}
    night.say(at, firm.front, "begin", told, host=host)
    wanted = {"customer_id": customer, "slot_id": slot}
    night.note(at + 0.004, firm.front, "nothing found", {**wanted, "request_id": rid}, host=host)
    written = at + rng.uniform(0.03, 0.05)
    night.row(
        written, firm.table, thing, columns={"state": "pending", **wanted}, commit=written + 0.006
    )
    night.say(written + 0.002, firm.front, "wrote", {"id": thing, "rid": rid, "ms": 3}, host=host)
    job = night.push(written + 0.01, thing, host)
    values = {"job": firm.job_class, "jid": job.id, "id": thing, "rid": rid}
    night.say(written + 0.012, firm.front, "pushed", values, host=host)
    work(night, job, thing, starts(night, written + 0.02))
    done = {**told, "status": 201, "ms": int((written - at) * 1000) + 20}
    night.say(written + 0.02, firm.front, "end", done, host=host)
    if late:
        _tapped_again(night, at + rng.uniform(0.7, 5), wanted)
    found = night.entity(thing, rid, job)
    found.keys |= job_keys(job.id)
    return found


def _tapped_again(night: Watch, at: float, wanted: dict[str, int]) -> None:
    """A second tap that finds what the first has written."""
    firm = night.firm
    told = {"method": "POST", "path": f"/{firm.table}", "rid": night.request_id()}
    host = night.say(at, firm.front, "begin", told)
    night.note(
        at + 0.004, firm.front, "exists already", {**wanted, "request_id": told["rid"]}, host=host
    )
    night.say(at + 0.011, firm.front, "end", {**told, "status": 200, "ms": 11}, host=host)
