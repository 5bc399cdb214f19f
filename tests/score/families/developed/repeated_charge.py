"""A job of three steps fails in its last and starts again from its first.

It takes the deposit, files a document and then calls a service that answers 5xx for a while. Every
attempt takes the deposit again: the card statement of the morning has it two or three times.
"""

from __future__ import annotations

from tests.score.families.acts import fault, left_alone
from tests.score.third_company.acts import close, order, run_on
from tests.score.third_company.house import Watch, move_in, watch
from tests.score.truth import Truth
from tests.score.world import PIN_S, Thing, World


def prepare(world: World) -> None:
    move_in(world, ("good-job", "procrastinate", "rabbitmq", "dramatiq"))


def inject(world: World) -> Truth:
    here = watch(world)
    rng, firm = here.rng, here.house
    long_name = {"lograge": "CompleteCheckoutJob", "structlog": "checkout.tasks.complete"}
    job_class = long_name.get(firm.worker.style_name, "checkout.complete")
    begin = here.onset_s
    cured = begin + rng.uniform(120, 700)
    for _ in range(rng.randint(2, 5)):
        _attempts(here, rng.uniform(60, begin - 200), job_class, 0.0)
    things: list[Thing] = []
    at = begin
    while at < min(cured, PIN_S - 40) and len(things) < 12:
        things.append(_attempts(here, at, job_class, cured))
        at += rng.uniform(15, 80)
    close(here)
    repeated = [t for t in things if here.counted(f"deposit captured {firm.thing}_id={t.id}") > 1]
    alone = left_alone(here, begin - 1, at)
    return fault(
        here,
        "unsafe-replay",
        min(max(cured, at) + 60, here.end_s),
        repeated,
        also=("third-party", "duplicate-create", *(("orphaned-record",) if alone else ())),
        effect=len(repeated) >= 2,
    )


def _attempts(here: Watch, at: float, job_class: str, cured: float) -> Thing:
    """An order whose job takes its three steps until the third succeeds."""
    rng, firm = here.rng, here.house
    thing, job = order(here, at, job_class=job_class)
    when, pause, cents = at + 0.2, rng.uniform(12, 25), rng.randint(2_000, 90_000)
    while when < here.end_s - 5:
        took = rng.uniform(0.8, 2.4)
        host = rng.choice(firm.worker.hosts)
        _two_steps(here, when, thing, job.id, host, cents)
        if when > cured:
            run_on(here, job, when, took, host)
            here.effect_row(when + took - 0.05, thing.id, host)
            return thing
        status = rng.choice((500, 502, 503))
        told = {"host": firm.third[1], "path": firm.third[2], "status": status}
        error = here.error(firm.worker, "http_5xx", **told)
        run_on(here, job, when, took, host, "retried", error)
        when += took + pause
        pause *= rng.uniform(1.5, 3.0)
    return thing


def _two_steps(here: Watch, when: float, thing: Thing, job: str, host: str, cents: int) -> None:
    """The steps that leave something behind: a deposit and a document."""
    firm = here.house
    words = f"deposit captured {firm.thing}_id={thing.id} job_id={job} amount_cents={cents}"
    here.line(when + 0.2, firm.worker, words, host=host)
    made = here.effect_row(when + 0.21, thing.id, host, table="captures", amount_cents=cents)
    thing.keys |= made
    words = f"document filed {firm.thing}_id={thing.id} job_id={job}"
    here.line(when + 0.5, firm.worker, words, host=host)
