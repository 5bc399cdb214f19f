"""The secret with which jobs log in to a third party has reached its end.

Tokens that were fetched before go on being good for some minutes; a worker that has to fetch a
new one is refused from then on, and with it every job it takes. Other calls are unharmed.

A person sees it by: answers of the token endpoint, all of them refused since one instant and none
before; their text, which says that the client's secret has passed its date, with the date; the
workers falling silent about success one after the other as their old tokens end.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.score.families.acts import fault
from tests.score.fifth_company.deeds import WORD
from tests.score.fifth_company.harbour import Watch, settle, watch
from tests.score.fifth_company.surroundings import surroundings
from tests.score.queues import Job
from tests.score.truth import Truth
from tests.score.world import World
from timeline.event import SEVERITY_ERROR, Event
from timeline.window import SECOND_NS

ANSWERS = (
    'POST /oauth2/v2.0/token 401 {{"error":"invalid_client","error_description":"AADSTS7000222: The'
    " provided client secret keys for app '{app}' are expired. Visit the Azure portal to create new"
    ' keys for your app."}}',
    'POST /oauth/token 401 {{"error":"invalid_client","error_description":"Client secret expired'
    ' at {day}T00:00:00Z (client {app})"}}',
    'POST /v1/session 403 {{"code":"API_KEY_EXPIRED","message":"API key ending {tail} expired on'
    ' {day}"}}',
    "POST /auth/realms/partner/protocol/openid-connect/token 400 invalid_client: Secret rotation"
    " period is over, secret of {app} no longer valid since {day}",
)
SAID: Mapping[str, str] = {
    "quarkus": "io.quarkus.oidc.client.OidcClientException: {answer}",
    "pekko": "vik.auth.TokenSource$Refused: {answer}",
    "rails": "OAuth2::Error: {answer}",
    "loguru": "authlib.integrations.base_client.errors.OAuthError: {answer}",
    "log4js": "OPError: {answer}",
}


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    night = watch(world)
    rng, since = night.rng, night.onset_s
    app, day = f"{rng.getrandbits(64):016x}", f"2026-0{rng.randint(1, 9)}-0{rng.randint(1, 9)}"
    answer = rng.choice(ANSWERS).format(app=app, day=day, tail=app[-4:])
    error = SAID[night.firm.worker.style_name].format(answer=answer)
    out = {host: since + rng.uniform(0, 120) for host in night.firm.worker.hosts}
    out[rng.choice(night.firm.worker.hosts)] = since
    hit = [job for job in night.jobs if _too_late(night, job, out)]
    _undone(night, hit)
    for job in hit:
        _refused(night, job, error)
    surroundings(night)
    night.close_the_books()
    return fault(
        night,
        "expired",
        night.end_s,
        [frozenset((f"job:{job.id}", f"message:{job.id}", *job.keys)) for job in hit],
        also=("swallowed-error", "poison-job", "third-party", "retry-storm", "orphaned-record"),
    )


def _too_late(night: Watch, job: Job, out: Mapping[str, float]) -> bool:
    """Whether the job's run had to fetch a token of its own."""
    run = job.attempts[-1] if job.attempts else None
    if run is None or run.outcome != "finished":
        return False
    return (run.started - night.start) / SECOND_NS >= out[run.host]


def _refused(night: Watch, job: Job, error: str) -> None:
    """Its run ends in the refusal."""
    run = job.attempts[-1]
    begun = (run.started - night.start) / SECOND_NS
    run.outcome, run.error = "failed", error
    run.ended = run.started + SECOND_NS // 5
    thing = job.args.partition("=")[2]
    values = {"job": job.job_class, "jid": job.id, "id": thing, "error": error}
    night.say(
        begun + 0.2, night.firm.worker, "failed", values, host=run.host, severity=SEVERITY_ERROR
    )


def _undone(night: Watch, hit: list[Job]) -> None:
    """Takes away what the runs would have left: their rows and their last lines."""
    worker, effects = night.firm.worker.name, night.firm.effects
    things = {f"{night.firm.thing}:{job.args.partition('=')[2]}" for job in hit}
    over = {job.id: job.attempts[-1].started + SECOND_NS // 50 for job in hit}

    def gone(event: Event) -> bool:
        if event.actor == effects:
            return not things.isdisjoint(event.keys)
        if event.actor != worker:
            return False
        ids = [word for word in WORD.findall(event.body) if word in over]
        return bool(ids) and event.timestamp > over[ids[0]]

    night.told = [(event, by) for event, by in night.told if not gone(event)]
