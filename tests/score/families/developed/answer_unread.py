"""Jobs send their entry to another service and never read what comes back.

From the onset on that service turns some of them down: its rules have changed. It writes each of
them into its log under the id of the call, and answers so. The job that made the call is completed.

A person sees it by: an error under the id of a call; the worker's line with that id, in which the
job and the record stand, and nothing after it but the job's good end; and by the records of these
calls, none of which has the row that all others have.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.seventh_company.acts import (
    followed,
    in_tongue,
    opened,
    running_between,
    seconds_of,
    unrun,
)
from tests.score.seventh_company.utility import Shift, move_in, request_names, without_pause
from tests.score.truth import Truth
from tests.score.world import Thing, World
from timeline.event import SEVERITY_ERROR

_SENDS = {
    "nest": "[EntryClient] POST {path} jobId={jid} {thing}Id={id} requestId={rid}",
    "slog": '{{"level":"DEBUG","msg":"posting entry","path":"{path}","job_id":"{jid}",'
    '"{thing}_id":"{id}","request_id":"{rid}"}}',
}
_REFUSALS = (
    (422, "posting period is closed"),
    (409, "account is locked for postings"),
    (500, "no matching cost centre"),
    (200, "entry dropped, validity ends before it begins"),
)


def prepare(world: World) -> None:
    move_in(world)
    without_pause(world)


def inject(world: World) -> Truth:
    here = opened(world)
    rng = here.rng
    callee = rng.choice(here.utility.backs)
    status, reason = rng.choice(_REFUSALS)
    share = rng.uniform(0.3, 0.8)
    early = running_between(here, 0, here.onset_s)
    late = running_between(here, here.onset_s, here.end_s - 12)
    good = [thing for thing in late if rng.random() > share]
    bad = [thing for thing in late if thing not in good][:30]
    for thing in (*early, *good):
        _called(here, thing, callee.name, 201, "")
    runs = [(thing, *_span(here, thing)) for thing in bad]
    unrun(here, bad)
    for thing, begun, took in runs:
        if thing.job is not None:
            here.run(thing.job, begun, took)
        _called(here, thing, callee.name, status, reason)
    told = len(bad) >= 4 and followed(here, bad) == 0 and followed(here, early) > 8
    return fault(
        here,
        "swallowed-error",
        here.end_s,
        bad,
        also=("orphaned-record",),
        effect=told,
    )


def _span(here: Shift, thing: Thing) -> tuple[float, float]:
    """When the last attempt began, and how long it took, in seconds."""
    if thing.job is None or not thing.job.attempts or thing.job.attempts[-1].ended is None:
        return here.onset_s, 0.3
    last = thing.job.attempts[-1]
    begun, ended = seconds_of(here, last.started), seconds_of(here, last.ended or last.started)
    return begun, ended - begun


def _called(here: Shift, thing: Thing, callee: str, status: int, reason: str) -> None:
    """The call that the job of `thing` made; the one who is called writes of it, too."""
    if thing.job is None or not thing.job.attempts or thing.job.attempts[-1].ended is None:
        return
    begun, took = _span(here, thing)
    by = next(back for back in here.utility.backs if back.name == callee)
    rid, path = here.request_id(), f"/v2/{here.utility.effects}"
    values = {"path": path, "jid": thing.job.id, "thing": here.utility.thing, "id": thing.id}
    words = in_tongue(here.utility.worker, _SENDS, **values, rid=rid)
    here.line(begun + took * 0.2, here.utility.worker, words, 5, thing.job.attempts[-1].host)
    told: dict[str, object] = {"method": "POST", "path": path, "rid": rid}
    host = here.say(begun + took * 0.25, by, "begin", told)
    if reason:
        refused = {**told, "error": reason}
        here.say(
            begun + took * 0.6, by, "request_failed", refused, host=host, severity=SEVERITY_ERROR
        )
        thing.keys |= request_names(rid)
    done = {**told, "status": status, "ms": int(took * 400)}
    here.say(begun + took * 0.65, by, "end", done, host=host)
