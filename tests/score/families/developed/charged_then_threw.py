"""A job books an amount, then breaks on the message that it wants to send about it. It stands among
the failed jobs, where somebody is about to press "retry all"; the booking is there already.

No step writes a line. A person sees it by: each of these failed jobs has a booking of its thing
that was written between the run's start and its failure; other failed jobs of the night have none.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.quayside import queued, seconds_of
from tests.score.fifth_company.harbour import Watch, settle, watch
from tests.score.fifth_company.surroundings import surroundings
from tests.score.second_company.elsewhere import job_keys
from tests.score.truth import Entity, Truth
from tests.score.world import World

BROKEN = (
    "template receipt_{n} has no locale pt-BR",
    "undefined local variable or method `salutation' for #<ReceiptMailer>",
    "TypeError: expected str instance, NoneType found",
    "java.lang.IllegalStateException: address line 1 must not be blank",
)


def prepare(world: World) -> None:
    settle(world, ("pg-boss", "solid-queue"))


def inject(world: World) -> Truth:
    night, rng = watch(world), world.rng
    surroundings(night)
    firm = night.firm
    verb = firm.job_class
    error = rng.choice(BROKEN).format(n=rng.randint(2, 9))
    table, victims = rng.choice(("bookings", "charges", "ledger_entries")), rng.randint(3, 14)
    at, hit = night.onset_s, list[Entity]()
    old = [t for t in night.things if t.job and seconds_of(night, t.job.pushed[0]) < at - 30]
    victims = min(victims, len(old))
    for thing in rng.sample(old, victims):
        job = queued(night, at, f"{verb}Billing", f"{firm.thing}_id={thing.id}",
                     (f"{firm.thing}:{thing.id}",), firm.front.hosts[0])  # fmt: skip
        job_at, took = at + rng.uniform(0.2, 1.5), rng.uniform(0.3, 2)
        night.run(job, job_at, took, "failed", error)
        pk = night.new_id()
        columns = {f"{firm.thing}_id": thing.id, "amount_cents": rng.randint(500, 90_000)}
        night.row(job_at + took * rng.uniform(0.3, 0.8), table, pk, columns=columns,
                  host=job.attempts[0].host)  # fmt: skip
        hit.append(thing.keys | job_keys(job.id))
        at += rng.uniform(3, 30)
    _without_effect(night, rng.randint(1, 3))
    night.close_the_books()
    return fault(
        night,
        "unsafe-replay",
        min(at, night.end_s),
        hit,
        also=("poison-job", "bad-data"),
        effect=victims >= 3 and at < night.end_s,
    )


def _without_effect(night: Watch, count: int) -> None:
    """Jobs that failed before they had done anything."""
    for number in range(count):
        at = night.onset_s + night.rng.uniform(1, 60)
        job = queued(night, at, "RefreshRates", f"rate_id={900 + number}",
                     (f"rate:{900 + number}",), night.firm.front.hosts[0])  # fmt: skip
        night.run(job, at + 0.3, 0.02, "failed", "rate table is locked by another process")
