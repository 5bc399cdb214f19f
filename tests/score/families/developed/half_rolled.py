"""The front speaks the new version, the workers still the old one.

A release adds an argument to a job. The front is rolled out first, host by host; the workers
follow minutes later. A job that a new host sent cannot be run by an old worker, which does not
know the argument; it is tried again until a new worker takes it.

A person sees it by: the two records of deployments and the boot lines, host by host; errors that
name the argument, of jobs from new hosts on old workers alone; the same job from an old host, or
on a new worker, which ends well; no such error after the last worker's boot.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.fifth_company.deeds import saying
from tests.score.fifth_company.harbour import KEEPING, Watch, job_name, settle, watch
from tests.score.fifth_company.surroundings import surroundings
from tests.score.second_company.elsewhere import job_keys
from tests.score.truth import Truth
from tests.score.world import Thing, World

_ERRORS = {
    "rails": "ArgumentError: unknown keyword: :channel",
    "loguru": "TypeError: remind_{thing}() got an unexpected keyword argument 'channel'",
    "log4js": 'ZodError: [{{"code":"unrecognized_keys","keys":["channel"],"path":[]}}]',
    "quarkus": "com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException: Unrecognized"
    ' field "channel" (class no.vik.{thing}.RemindCommand), not marked as ignorable',
    "pekko": "io.circe.DecodingFailure: Unexpected field: [channel]; valid fields: {thing}Id",
}


def prepare(world: World) -> None:
    settle(world, (*KEEPING, "rabbitmq"), workers=(2, 5))


def inject(world: World) -> Truth:
    night = watch(world)
    rng, firm = night.rng, night.firm
    version = f"{rng.getrandbits(160):040x}"
    fronts = _rolled(night, firm.front.name, night.onset_s, version)
    follows = max(fronts.values()) + rng.uniform(60, 260)
    workers = _rolled(night, firm.worker.name, follows, version)
    error = _ERRORS[firm.worker.style_name].format(thing=firm.thing)
    hit: list[Thing] = []
    for thing in list(night.things):
        if thing.job is None or rng.random() < 0.35:
            continue
        sent = (thing.job.pushed[0] - night.start) / 1e9 + 0.004
        if _reminded(night, thing, sent, fronts, workers, error):
            hit.append(thing)
    surroundings(night)
    night.close_the_books()
    last = max(workers.values())
    told = saying(night, error)
    return fault(
        night,
        "deploy-skew",
        last,
        hit,
        also=("change-before", *(("retry-storm",) if _mostly_again(night, last) else ())),
        effect=len(hit) >= 3
        and night.onset_s < min(told, default=0.0)
        and max(told, default=0.0) < last + 2,
    )


def _mostly_again(night: Watch, last: float) -> bool:
    """Whether in some minute before the last worker's boot most of what the queue gave out had
    been tried before, and it gave out twice as much as in a minute before the release."""
    tried = [(a.started, place) for job in night.jobs for place, a in enumerate(job.attempts)]
    onset, minute = night.at(night.onset_s), 60 * 10**9

    def given_out(start: int) -> list[int]:
        return [place for begun, place in tried if start <= begun < start + minute]

    usual = sum(begun < onset for begun, _ in tried) * minute / (onset - night.start)
    starts = range(onset, night.at(last), minute // 4)
    return any(
        len(found) >= 2 * usual and 2 * sum(map(bool, found)) > len(found)
        for found in map(given_out, starts)
    )


def _rolled(night: Watch, service: str, begin: float, version: str) -> dict[str, float]:
    """A deployment of one service; when each host boots the new version."""
    rng = night.rng
    found = next(known for known in night.firm.services if known.name == service)
    words = f"deployed {service} {version[:12]} to production"
    night.change(begin, words, service, version=version, who="pipeline", status="success")
    booted: dict[str, float] = {}
    for place, host in enumerate(found.hosts):
        at = begin + 10 + place * rng.uniform(14, 30)
        night.say(at, found, "stop", host=host)
        told = {"service": service, "version": version[:8], "n": 6}
        night.say(at + 6, found, "boot", told, host=host)
        booted[host] = at + 6
    return booted


def _reminded(
    night: Watch,
    thing: Thing,
    sent: float,
    fronts: dict[str, float],
    workers: dict[str, float],
    error: str,
) -> bool:
    """A reminder sent beside the thing's own job; whether an old worker met the new argument."""
    rng, firm = night.rng, night.firm
    if thing.job is None:
        return False
    host = thing.job.host
    new = sent >= fronts.get(host, 1e9)
    name = job_name("Remind", firm.thing, firm.worker.style_name)
    job = night.push(sent, thing.id, host, name)
    pushed = {"job": job.job_class, "jid": job.id, "id": thing.id, "rid": thing.request}
    night.say(sent + 0.001, firm.front, "pushed", pushed, host=host)
    at, refused = sent + rng.uniform(0.05, 0.8), False
    while at < night.end_s - 2:
        attempt = night.run(job, at, rng.uniform(0.02, 0.2), "running")
        taken = at >= workers.get(attempt.host, 1e9) or not new
        attempt.outcome = "finished" if taken else "retried"
        took = rng.uniform(0.02, 0.3)
        attempt.ended = night.at(at + took)
        values = {"job": job.job_class, "jid": job.id, "id": thing.id, "ms": int(took * 1000)}
        if taken:
            night.say(at + took, firm.worker, "done", values, host=attempt.host)
            break
        attempt.error, refused = error, True
        told = {**values, "error": error}
        night.say(at + took, firm.worker, "failed", told, host=attempt.host, severity=17)
        at += rng.uniform(15, 45)
    if new:
        job.args += ", channel=sms"
    if refused:
        thing.keys |= job_keys(job.id)
    return refused
