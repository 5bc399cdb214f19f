"""The broker stops confirming, and nobody can say of a send whether it counts.

A disk alarm blocks RabbitMQ's publishers, or Redis stalls on its own disk. The application waits
its seconds and raises. Some of those jobs ran all the same, some never came to be, and where the
client tries again on its own some ran twice.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.third_company.acts import close, run_on, withdraw
from tests.score.third_company.house import Watch, job_names, move_in, watch
from tests.score.truth import Truth
from tests.score.world import PIN_S, Thing, World
from timeline.event import SEVERITY_ERROR, SEVERITY_WARN

UNCONFIRMED = {
    "log4j2": "org.springframework.amqp.AmqpTimeoutException: java.util.concurrent.TimeoutException"
    ": no publisher confirm within 5000 ms for correlation {tag}",
    "zerolog": "amqp: waiting for confirmation of delivery tag {tag}: context deadline exceeded",
    "logger": "{{timeout,{{amqp_channel,wait_for_confirms,[{tag},5000]}}}}",
    "spdlog": "confirm for delivery tag {tag} not received after 5000ms",
}


def prepare(world: World) -> None:
    move_in(world, ("rabbitmq", "dramatiq"))


def inject(world: World) -> Truth:
    here = watch(world)
    rng = here.rng
    begin = here.onset_s
    end = min(begin + rng.uniform(50, 240), PIN_S - 30)
    withdraw(here, begin, end, reads=False)
    _broker(here, begin, end)
    sends_again = rng.random() < 0.4
    fates: list[int] = []
    things: list[Thing] = []
    at = begin + 0.3
    while at < end - 6:
        fate = rng.choices((0, 1, 2), (4, 5, 2 if sends_again else 0))[0]
        fates.append(fate)
        things.append(_unsure(here, at, fate, end))
        at += rng.uniform(3, 22)
    close(here)
    also = [("orphaned-record", 0), ("duplicate-enqueue", 2), ("duplicate-create", 2)]
    return fault(
        here,
        "ambiguous-enqueue",
        end + 12,
        things,
        also=[term for term, fate in also if fate in fates],
        effect=len(things) >= 3 and len(set(fates)) > 1,
    )


def _broker(here: Watch, begin: float, end: float) -> None:
    rng = here.rng
    if here.brand.name == "dramatiq":
        words = "Asynchronous AOF fsync is taking too long (disk is busy?). Writing the AOF buffer"
        for place in range(rng.randint(1, 4)):
            here.aside(begin + place * (end - begin) / 5, "redis", f"* {words}", SEVERITY_WARN)
        return
    node = f"rabbit@rmq-{rng.randint(0, 2)}"
    words = f"disk resource limit alarm set on node '{node}'. Publishers will be blocked"
    here.aside(begin - rng.uniform(0.1, 3), "rabbitmq", words, SEVERITY_WARN)
    here.aside(end, "rabbitmq", f"disk resource limit alarm cleared on node '{node}'")


def _unsure(here: Watch, at: float, fate: int, end: float) -> Thing:
    """A send that raised; `fate` is how many jobs there are of it.

    A blocked RabbitMQ reads what lies in its sockets when the alarm is over, at `end`.
    """
    rng, firm = here.rng, here.house
    thing = here.new_id()
    rid, host = here.begun(at)
    here.row(at + 0.005, firm.table, thing, columns={"state": "open"}, commit=at + 0.011)
    here.say(at + 0.007, firm.front, "wrote", {"id": thing, "rid": rid, "ms": 3}, host=host)
    waited = 5.0 if here.brand.name == "rabbitmq" else rng.uniform(3, 5)
    template = UNCONFIRMED.get(firm.front.style_name)
    error = (
        template.format(tag=rng.randint(4000, 90_000))
        if template is not None
        else here.error(firm.front, "timeout")
    )
    told = {"job": firm.job_class, "rid": rid, "error": error}
    raised = at + 0.02 + waited
    here.say(raised, firm.front, "push_failed", told, host=host, severity=SEVERITY_ERROR)
    here.answered(raised + 0.003, rid, host, 500, waited * 1000)
    found = here.entity(thing, rid)
    for send in range(fate):
        blocked = here.brand.name == "rabbitmq"
        sent = end + rng.uniform(0.05, 2) if blocked else at + 0.02 + 2.4 * send
        job = here.push(sent, thing, host)
        took, starts = rng.uniform(0.1, 0.6), sent + rng.uniform(0.1, 9)
        attempt = run_on(here, job, starts, took)
        made = here.effect_row(starts + took * 0.8, thing, attempt.host)
        found.keys |= made if fate > 1 else frozenset()
        found.job = found.job or job
        found.keys |= job_names(job.id)
    return found
