"""A service comes back cold from a restart, and everybody who asks it asks again, at every layer.

Each caller repeats at once, and whoever called the caller repeats that: a dozen attempts for one
click. The restart is long over while the service still answers mostly with refusals.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.score.company import Service
from tests.score.families.acts import fault, mute
from tests.score.seventh_company.acts import in_tongue, opened
from tests.score.seventh_company.utility import Shift, move_in, request_names
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.event import SEVERITY_WARN

Down = Mapping[str, tuple[float, float]]
INNER, OUTER = 4, 3
"""Attempts of the nearer and of the farther caller."""
BAD = 0.93
"""Share of the attempts that are refused while it lasts."""
AGAIN = {
    "nest": "[HttpClient] attempt {n}/{of} POST http://{back}.svc/quotes failed: Request failed"
    " with status code 503 requestId={rid}",
    "slog": '{{"level":"WARN","msg":"retrying request","attempt":{n},"max_attempts":{of},'
    '"url":"http://{back}.svc/quotes","status":503,"request_id":"{rid}"}}',
    "loguru": "app.clients.{back}:post:70 - attempt {n} of {of} failed, status 503"
    " | request_id={rid}",
    "quarkus": "[de.sw.client.QuoteClient] (executor-thread-6) attempt {n} of {of} to {back} failed"
    " with 503 Service Unavailable traceId={rid}",
}


def prepare(world: World) -> None:
    move_in(world)


def inject(world: World) -> Truth:
    here = opened(world, most=6_500)
    begin, (back, middle) = here.onset_s, here.utility.backs[:2]
    end = min(begin + here.rng.uniform(200, 420), here.end_s - 10)
    version = f"v{here.rng.randint(2, 8)}.{here.rng.randint(0, 30)}.0"
    here.change(begin - 4, f"{back.name} {version} rolled out", back.name, version=version)
    down = _restarted(here, begin, version)
    first, all_of_them, refused = 0, 0, 0
    hit: list[Entity] = []
    at, pace = here.rng.uniform(1, 8), here.rng.uniform(6, 8.5)
    while at < here.end_s - 25:
        rid, ill = here.request_id(), begin <= at < end
        attempts, served = _clicked(here, at, rid, BAD if ill else 0.0, down)
        if ill:
            first, all_of_them, refused = first + 1, all_of_them + attempts, refused + (not served)
        if attempts > 1:
            hit.append(request_names(rid))
        at += here.rng.expovariate(1 / pace)
    if here.rng.random() < 0.5:
        words = f"{middle.name}: attempts per call {INNER} -> 1"
        here.change(end, words, middle.name, who="on call")
    return fault(
        here,
        "retry-storm",
        end + 15,
        hit,
        also=("connections-exhausted", "change-before"),
        effect=first >= 15 and all_of_them >= 3 * first and refused >= 5,
    )


def _restarted(here: Shift, begin: float, version: str) -> Down:
    """Host after host goes and comes back; when each was away."""
    back, at, down = here.utility.backs[0], begin - 2, {}
    for host in back.hosts:
        gone = here.rng.uniform(4, 8)
        mute(here, (host,), at, at + gone)
        here.say(at, back, "stop", host=host)
        values = {"service": back.name, "version": version, "n": 7}
        here.say(at + gone, back, "boot", values, host=host)
        down[host] = (at, at + gone)
        at += gone + here.rng.uniform(1, 3)
    return down


def _clicked(here: Shift, seconds: float, rid: str, bad: float, down: Down) -> tuple[int, bool]:
    """One quote that somebody asks for: how many attempts reached the service, and whether the
    last one was answered."""
    firm = here.utility
    back, middle, at, count = firm.backs[0], firm.backs[1], seconds + 0.01, 0
    path = "/quotes"
    told: dict[str, object] = {"method": "POST", "path": path, "rid": rid}
    front = here.say(seconds, firm.front, "begin", told)
    host = here.rng.choice(middle.hosts)
    for outer in range(1, OUTER + 1):
        came = at
        here.say(at, middle, "begin", told, host=host)
        for inner in range(1, INNER + 1):
            count += 1
            up = [name for name in back.hosts if not _away(down, name, at)]
            refused = here.rng.random() < bad or not up
            took = here.rng.uniform(0.2, 1.6) if bad else here.rng.uniform(0.02, 0.09)
            error = here.error(back, "pool") if refused and here.rng.random() < 0.3 else ""
            status = 503 if refused else 200
            if up:
                by = here.rng.choice(up)
                here.served(
                    at,
                    back,
                    path,
                    method="POST",
                    status=status,
                    took=took,
                    error=error,
                    rid=rid,
                    host=by,
                )
            at += took + 0.005
            if not refused:
                _answered(here, at, middle, host, {**told, "status": 200}, at - came)
                ms = int((at - seconds) * 1000)
                here.say(at, firm.front, "end", {**told, "status": 200, "ms": ms}, host=front)
                return count, True
            values = {"n": inner, "of": INNER, "back": back.name, "rid": rid}
            here.line(at, middle, in_tongue(middle, AGAIN, **values), SEVERITY_WARN, host)
        _answered(here, at, middle, host, {**told, "status": 503}, at - came)
        values = {"n": outer, "of": OUTER, "back": middle.name, "rid": rid}
        here.line(at, firm.front, in_tongue(firm.front, AGAIN, **values), SEVERITY_WARN, front)
    bad_told = {**told, "error": here.error(firm.front, "http_5xx", **_url(middle.name, path))}
    here.say(at, firm.front, "request_failed", bad_told, host=front, severity=17)
    ms = int((at - seconds) * 1000)
    here.say(at + 0.002, firm.front, "end", {**told, "status": 502, "ms": ms}, host=front)
    return count, False


def _away(down: Down, host: str, seconds: float) -> bool:
    begin, end = down[host]
    return begin <= seconds < end


def _answered(
    here: Shift, seconds: float, by: Service, host: str, told: dict[str, object], took: float
) -> None:
    here.say(seconds, by, "end", {**told, "ms": int(took * 1000)}, host=host)


def _url(service: str, path: str) -> dict[str, object]:
    return {"host": f"{service}.svc", "path": path, "status": 503}
