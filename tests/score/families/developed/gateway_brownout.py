"""Somebody else's service answers late, with 503 or 429, for a good part of what is asked of it.

The jobs that call it fail and are tried again; most of them get through in the end. A breaker opens
and closes on some nights, and now and then a person notes what the provider's status page says.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.third_company.acts import close, order, run_on
from tests.score.third_company.house import Watch, move_in, watch
from tests.score.truth import Truth
from tests.score.world import PIN_S, Thing, World
from timeline.event import SEVERITY_WARN

THROTTLED = {
    "log4j2": "jakarta.ws.rs.ClientErrorException: HTTP 429 Too Many Requests from POST"
    " https://{host}{path}",
    "structlog": "httpx.HTTPStatusError: Client error '429 Too Many Requests' for url"
    " 'https://{host}{path}'",
    "lograge": "Faraday::TooManyRequestsError: the server responded with status 429 {host}{path}",
    "zerolog": "unexpected answer 429 from https://{host}{path} retry_after=30",
    "logger": "{{unexpected_status,429,<<https://{host}{path}>>}}",
    "spdlog": "curl: (22) The requested URL returned error: 429 https://{host}{path}",
}


def prepare(world: World) -> None:
    move_in(world)


def inject(world: World) -> Truth:
    here = watch(world)
    rng, firm = here.rng, here.house
    begin = here.onset_s
    end = begin + rng.uniform(100, 800)
    manner = rng.choice(("503", "504", "slow", "429", "mixed"))
    things: list[Thing] = []
    at = begin
    while at < min(end, PIN_S) and len(things) < 60:
        things.append(_affected(here, at, manner, end))
        at += rng.expovariate(1 / 9) + 0.4
    what, host, _ = firm.third
    if rng.random() < 0.4:
        words = f"circuit breaker {host} opened after 5 failures"
        by = here.line(begin + rng.uniform(10, 40), firm.worker, words, SEVERITY_WARN)
        if end < here.end_s - 30:
            here.line(end + 12, firm.worker, f"circuit breaker {host} closed", host=by)
    if rng.random() < 0.3:
        words = f"{what}: provider reports elevated error rates on {host}"
        here.change(min(begin + rng.uniform(200, 280), PIN_S), words, who="support")
    given_up = any(t.job is not None and t.job.state() == "dead" for t in things)
    close(here)
    return fault(
        here,
        "third-party",
        min(end + 30, here.end_s),
        things,
        also=("orphaned-record",) if given_up else (),
        effect=len(things) > 4 and here.counted(host, begin) >= len(things),
    )


def _affected(here: Watch, at: float, manner: str, end: float) -> Thing:
    """An order whose job meets the provider: once, twice, or until the provider is well."""
    rng, firm = here.rng, here.house
    _, host, path = firm.third
    thing, job = order(here, at)
    when = at + rng.uniform(0.1, 0.7)
    pause = rng.uniform(10, 25)
    met = 0
    while when < here.end_s - 12:
        if met and (when > end or rng.random() < 0.45):
            attempt = run_on(here, job, when, rng.uniform(0.3, 1.2))
            here.effect_row(when + 0.25, thing.id, attempt.host)
            return thing
        how = rng.choice(("503", "504", "slow", "429")) if manner == "mixed" else manner
        if how == "slow":
            error = here.error(firm.worker, "http_timeout", host=host, path=path)
            took = rng.uniform(7.9, 10.1)
        elif how == "429":
            error = THROTTLED[firm.worker.style_name].format(host=host, path=path)
            took = rng.uniform(0.02, 0.2)
        else:
            error = here.error(firm.worker, "http_5xx", host=host, path=path, status=int(how))
            took = rng.uniform(0.1, 2.5)
        last = met >= 3
        run_on(here, job, when, took, outcome="dead" if last else "retried", error=error)
        if last:
            return thing
        met += 1
        when += took + pause
        pause *= 2
    return thing
