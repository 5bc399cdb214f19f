"""Half of the workers are still yesterday's, and cannot read what the new front sends.

The release renamed an argument of the job. The front is through, the workers' rollout stands still
after the first machines; a job that lands on an old one fails, is tried again, and passes once it
lands on a new one.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.third_company.acts import close, order, run_on, version
from tests.score.third_company.house import Watch, move_in, watch
from tests.score.truth import Truth
from tests.score.world import PIN_S, Thing, World

UNREADABLE = {
    "structlog": "TypeError: announce() got an unexpected keyword argument '{field}'",
    "lograge": "ArgumentError: unknown keyword: :{field}",
    "log4j2": "com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException: Unrecognized field"
    ' "{field}" (class com.halle.m.{Thing}Message), not marked as ignorable (3 known properties)',
    "zerolog": 'json: unknown field "{field}"',
    "logger": "{{function_clause,[{{{thing}_worker,decode,[#{{{field} => v2}}],[]}}]}}",
    "spdlog": "[json.exception.out_of_range.403] key 'channel' not found, found '{field}'",
}


def prepare(world: World) -> None:
    move_in(world, workers=(2, 6))


def inject(world: World) -> Truth:
    here = watch(world)
    rng, firm = here.rng, here.house
    hosts = list(firm.worker.hosts)
    fresh = hosts[: max(1, rng.randint(1, len(hosts) - 1))]
    old = hosts[len(fresh) :]
    begin = here.onset_s
    mended = begin + rng.uniform(150, 280) if rng.random() < 0.5 else here.end_s + 100
    _release(here, begin, fresh, old, mended)
    for host in old:
        here.move_work(host, begin, rng.choice(fresh), mended)
    field = rng.choice(("delivery_channel", "locale_tag", "valid_until"))
    told = {"field": field, "thing": firm.thing, "Thing": firm.thing.title()}
    error = UNREADABLE[firm.worker.style_name].format(**told)
    things: list[Thing] = []
    at = begin + rng.uniform(1, 6)
    while at < min(mended, PIN_S) - 2 and len(things) < 60:
        things.append(_meets_an_old_one(here, at, error, fresh, old))
        at += rng.expovariate(1 / 11) + 0.5
    close(here)
    ended = min(mended, here.end_s)
    failing = {a.host for t in things if t.job is not None for a in t.job.attempts if a.error}
    effect = len(things) > 4 and failing <= set(old) and here.counted(error) >= len(things)
    return fault(here, "deploy-skew", ended, things, also=("change-before",), effect=effect)


def _release(here: Watch, begin: float, fresh: list[str], old: list[str], mended: float) -> None:
    """Front and the first workers restart with the new version, the others when it goes on."""
    rng, firm = here.rng, here.house
    commit, before = version(here), version(here)
    words = f"rollout {commit[:12]} of {firm.front.name} and {firm.worker.name}"
    here.change(begin - 60, words, firm.front.name, version=commit, who="argo", status="running")
    boot: dict[str, object] = {"version": commit[:8], "n": 7}
    for place, host in enumerate(firm.front.hosts):
        at = begin - 12 + 12 * place / max(1, len(firm.front.hosts))
        here.say(at - 4, firm.front, "stop", host=host)
        here.say(at, firm.front, "boot", {"service": firm.front.name, **boot}, host=host)
    for place, host in enumerate(fresh):
        at = begin - 50 + 9 * place
        here.say(at - 5, firm.worker, "stop", host=host)
        here.say(at, firm.worker, "boot", {"service": firm.worker.name, **boot}, host=host)
    long_ago = {"service": firm.worker.name, "version": before[:8], "n": 7}
    for host in old:
        here.say(rng.uniform(1, 40), firm.worker, "boot", long_ago, host=host)
    if mended < here.end_s - 20:
        for place, host in enumerate(old):
            at = mended + 3 * place
            here.say(at - 3, firm.worker, "stop", host=host)
            here.say(at, firm.worker, "boot", {"service": firm.worker.name, **boot}, host=host)


def _meets_an_old_one(
    here: Watch, at: float, error: str, fresh: list[str], old: list[str]
) -> Thing:
    rng = here.rng
    thing, job = order(here, at)
    again = at + rng.uniform(0.05, 0.6)
    for _ in range(rng.choice((1, 1, 1, 2))):
        run_on(here, job, again, rng.uniform(0.003, 0.01), rng.choice(old), "retried", error)
        again += rng.uniform(10, 30)
    if again < here.end_s - 2:
        attempt = run_on(here, job, again, 0.4, rng.choice(fresh))
        here.effect_row(again + 0.35, thing.id, attempt.host)
    return thing
