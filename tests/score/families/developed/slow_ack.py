"""Large papers take longer than the broker waits for an acknowledgement.

RabbitMQ's `consumer_timeout` was lowered on this cluster. A delivery that is not acknowledged in
time closes its channel and goes to the next consumer, while the first one, which knows nothing of
it, works on to its end: both leave their row.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.third_company.acts import close, order, run_on
from tests.score.third_company.house import Watch, move_in, watch
from tests.score.truth import Truth
from tests.score.world import PIN_S, Thing, World
from timeline.event import SEVERITY_ERROR, SEVERITY_WARN


def prepare(world: World) -> None:
    move_in(world, ("rabbitmq",), workers=(2, 6))


def inject(world: World) -> Truth:
    here = watch(world)
    rng = here.rng
    patience = float(rng.choice((60, 90, 120, 180)))
    first = here.onset_s
    things: list[Thing] = []
    at = first
    while at < PIN_S - 20 and len(things) < 14:
        things.append(_twice(here, at, patience))
        at += rng.uniform(20, 90)
    close(here)
    twice = all(t.job is not None and len(t.job.attempts) > 1 for t in things)
    return fault(
        here,
        "delivered-again",
        min(at + patience, here.end_s),
        things,
        alternates=("overlapping-runs",),
        also=("duplicate-create", "unsafe-replay"),
        effect=twice and len(things) >= 2,
    )


def _twice(here: Watch, given_again: float, patience: float) -> Thing:
    """An order whose papers are taken at `given_again - patience` and again at `given_again`."""
    rng, firm = here.rng, here.house
    taken = given_again - patience
    thing, job = order(
        here, taken - rng.uniform(0.1, 0.6), columns={"pages": rng.randint(300, 900)}
    )
    one, two = rng.sample(list(firm.worker.hosts), 2)
    channel, tag = rng.randint(1, 9), rng.randint(20, 900)
    here.aside(
        given_again - 0.02,
        "rabbitmq",
        f"Consumer 'amq.ctag-{rng.getrandbits(40):010x}' on channel {channel} and queue"
        f" '{firm.queue}' in vhost '/' has timed out waiting for a consumer acknowledgement of a"
        f" delivery with delivery tag = {tag}. Timeout used: {int(patience * 1000)} ms",
        SEVERITY_WARN,
    )
    slow = patience + rng.uniform(4, 50)
    attempt = run_on(here, job, taken, slow, one, "lost")
    attempt.ended = here.at(given_again)
    done = {"job": job.job_class, "jid": job.id, "id": thing.id, "ms": int(slow * 1000)}
    if taken + slow < here.end_s - 1:
        thing.keys |= here.effect_row(taken + slow - 0.05, thing.id, one)
        here.say(taken + slow, firm.worker, "done", done, host=one)
        words = (
            f"could not acknowledge message_id={job.id}: channel is already closed, reply-code=406,"
            f" reply-text=PRECONDITION_FAILED - delivery acknowledgement on channel {channel} timed"
            f" out. Timeout value used: {int(patience * 1000)} ms"
        )
        here.line(taken + slow + 0.004, firm.worker, words, SEVERITY_ERROR, host=one)
    quick = rng.uniform(0.4, 0.9) * patience
    if given_again + quick < here.end_s - 1:
        attempt = run_on(here, job, given_again, quick, two)
        thing.keys |= here.effect_row(given_again + quick - 0.05, thing.id, two)
    else:
        run_on(here, job, given_again, 0, two, "running")
    return thing
