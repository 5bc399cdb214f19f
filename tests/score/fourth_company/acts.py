"""What several families of the fourth company need: asked-for things, effects, deploys, curves."""

from __future__ import annotations

from collections.abc import Mapping

from tests.score.company import Service
from tests.score.fourth_company.company import Shift, job_names
from tests.score.queues import Attempt, Job
from tests.score.truth import Entity
from tests.score.world import Thing
from timeline.event import Lane

SEVERITY_WARN, SEVERITY_ERROR = 13, 17
UNREADABLE: Mapping[str, str] = {
    "winston": "SyntaxError: Unexpected token \\u0096 in JSON at position 211",
    "bunyan": "Error: Invalid UTF-8 sequence at byte 211",
    "django": "UnicodeDecodeError: 'utf-8' codec can't decode byte 0x96 in position 211: invalid"
    " start byte",
    "django-rq": "UnicodeDecodeError: 'utf-8' codec can't decode byte 0x96 in position 211: invalid"
    " start byte",
    "akka": "io.circe.ParsingFailure: expected '\"' got '\\u0096' (line 1, column 212)",
    "jul": "jakarta.json.stream.JsonParsingException: Unexpected char 150 at (line no=1, column"
    " no=212, offset=211)",
    "ocaml": 'Yojson.Json_error("Line 1, bytes 211-230: Invalid token")',
    "haskell": "AesonException Error in $.lines[14].amount: parsing Scientific failed, expected"
    " Number, but encountered String",
    "zap": "json: cannot unmarshal string into Go struct field Line.amount of type float64",
    "serilog": "System.Text.Json.JsonException: The JSON value could not be converted to"
    " System.Decimal. Path: $.lines[14].amount",
}
"""How each language words a document that it cannot read."""


def recorded(
    night: Shift,
    seconds: float,
    *,
    host: str = "",
    columns: Mapping[str, object] | None = None,
    answered: bool = True,
) -> tuple[str, str, str]:
    """A request that writes a row and stops there: the thing, the request, the host."""
    firm = night.house
    thing, rid = night.new_id(), night.request_id()
    told = {"method": "POST", "path": f"/{firm.table}", "rid": rid}
    where = night.say(seconds, firm.front, "begin", told, host=host)
    shown = {"state": "pending", **(columns or {})}
    night.row(seconds + 0.005, firm.table, thing, columns=shown, commit=seconds + 0.014)
    night.say(seconds + 0.008, firm.front, "wrote", {"id": thing, "rid": rid}, host=where)
    if answered:
        done = {**told, "status": 201, "ms": 61}
        night.say(seconds + 0.061, firm.front, "end", done, host=where)
    return thing, rid, where


def asked(
    night: Shift, seconds: float, *, columns: Mapping[str, object] | None = None
) -> tuple[Thing, Job]:
    """A thing whose job was pushed and has not begun."""
    thing, rid, host = recorded(night, seconds, columns=columns)
    job = pushed(night, seconds + 0.022, thing, rid, host)
    return night.entity(thing, rid, job), job


def pushed(night: Shift, seconds: float, thing: str, rid: str, host: str) -> Job:
    """One push with the line that tells of it."""
    firm = night.house
    job = night.push(seconds, thing, host)
    told = {"job": firm.job_class, "jid": job.id, "id": thing, "rid": rid}
    night.say(seconds + 0.003, firm.front, "pushed", told, host=host)
    return job


def effect_row(night: Shift, seconds: float, thing: str, host: str) -> str:
    """What a job leaves behind; returns its id."""
    found = night.new_id()
    columns = {f"{night.house.thing}_id": thing}
    night.row(seconds, night.house.effects, found, columns=columns, host=host)
    return found


def done(night: Shift, job: Job, thing: str, seconds: float, took: float) -> str:
    """A run that succeeds and leaves its effect; returns the host."""
    attempt = night.run(job, seconds, took)
    effect_row(night, seconds + took * 0.8, thing, attempt.host)
    return attempt.host


def run_on(
    night: Shift,
    job: Job,
    seconds: float,
    took: float,
    host: str,
    outcome: str = "finished",
    error: str = "",
) -> Attempt:
    """One attempt on a host of one's choice, with the worker's lines."""
    worker = night.house.worker
    attempt = Attempt(
        night.at(seconds), night.at(seconds + took), outcome, night.worker_on(host), host, error
    )
    job.attempts.append(attempt)
    told = {"job": job.job_class, "jid": job.id, "id": job.args.partition("=")[2]}
    night.say(seconds + 0.002, worker, "started", told, host=host)
    if outcome == "finished":
        told_end = {**told, "ms": int(took * 1000)}
        night.say(seconds + took, worker, "done", told_end, host=host)
        effect_row(night, seconds + took * 0.8, str(told["id"]), host)
    else:
        failed = {**told, "error": error}
        night.say(seconds + took, worker, "failed", failed, host=host, severity=SEVERITY_ERROR)
    return attempt


def begun(night: Shift, job: Job, thing: str, seconds: float, host: str) -> Attempt:
    """A run on `host` that never says that it ended."""
    attempt = Attempt(night.at(seconds), None, "lost", night.worker_on(host), host)
    job.attempts.append(attempt)
    told = {"job": job.job_class, "jid": job.id, "id": thing}
    night.say(seconds + 0.002, night.house.worker, "started", told, host=host)
    return attempt


def forget_curves(night: Shift, *names: str, about: str = "") -> None:
    """Take the generator's healthy curves of these names away where a family tells its own."""
    marks = tuple(f"{name} = " for name in names)
    night.told = [
        (event, host)
        for event, host in night.told
        if not (event.lane is Lane.METRIC and event.body.startswith(marks) and about in event.body)
    ]


def named(night: Shift, thing: str, *requests: str, jobs: tuple[Job, ...] = ()) -> Entity:
    """All keys of one thing, of any number of requests and jobs about it."""
    found = night.entity(thing, requests[0] if requests else "", jobs[0] if jobs else None).keys
    for request in requests[1:]:
        found |= night.entity(thing, request).keys
    for job in jobs[1:]:
        found |= job_names(job.id)
    return found


def deployed(night: Shift, seconds: float, service: Service, words: str = "") -> str:
    """A deployment on record; returns its commit."""
    version = f"{night.rng.getrandbits(160):040x}"
    told = words or f"{service.name}: release {version[:9]} rolled out"
    night.change(seconds, told, service.name, version=version, who="pipeline", status="success")
    return version


def failed_request(
    night: Shift,
    seconds: float,
    service: Service,
    error: str,
    *,
    path: str = "",
    method: str = "GET",
    waited: float = 0.03,
    host: str = "",
) -> str:
    """A request that begins and ends in `error` after `waited` seconds; returns its id."""
    rid = night.request_id()
    told = {"method": method, "path": path or f"/{night.house.table}", "rid": rid}
    where = night.say(seconds, service, "begin", told, host=host)
    night.say(
        seconds + waited,
        service,
        "request_failed",
        {**told, "error": error},
        host=where,
        severity=SEVERITY_ERROR,
    )
    ended = {**told, "status": 500, "ms": int(waited * 1000)}
    night.say(seconds + waited + 0.002, service, "end", ended, host=where)
    return rid
