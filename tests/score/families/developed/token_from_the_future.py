"""One of the hosts that issue tokens was resumed from a snapshot and is seconds ahead.

What it signs is not valid yet wherever it is used at once; used again some seconds later it is.
Tokens of the other hosts are accepted. Nothing tells of the clock itself.

A person sees it by: refusals of tokens as not valid yet, all of them issued by one host; the same
token's id in that host's line, which is later than the line that refuses it; requests that this
host begins to serve, by its own lines, after they were answered.
"""

from __future__ import annotations

from dataclasses import replace

from tests.score.company import Service
from tests.score.families.acts import fault
from tests.score.families.clockwork import misdate
from tests.score.truth import Truth
from tests.score.world import World
from timeline.event import SEVERITY_WARN
from timeline.window import SECOND_NS

REFUSALS = {
    "spring": "o.s.s.o.s.r.a.JwtAuthenticationProvider : Failed to authenticate since the JWT was"
    " invalid: Jwt used before its nbf claim (jti {jti})",
    "clojure": "buddy.sign.jwt - Token is not yet valid {{:jti {jti} :cause :nbf}}",
    "django": "jwt.exceptions.ImmatureSignatureError: The token is not yet valid (iat) jti={jti}",
    "rails": "JWT::ImmatureSignature: Signature nbf has not been reached (jti={jti})",
    "node": "NotBeforeError: jwt not active {{jti: '{jti}'}}",
    "go": 'msg="token rejected" err="token has invalid claims: token used before issued" jti={jti}',
    "elixir": "[warning] Guardian: {{:error, :token_not_yet_valid}} jti={jti}",
    "dotnet": "Microsoft.IdentityModel.Tokens.SecurityTokenNotYetValidException: IDX10222:"
    " Lifetime validation failed. The token is not yet valid. Jti={jti}",
}


def prepare(world: World) -> None:
    firm = world.company
    backs = list(firm.backs)
    first = backs[0]
    more = tuple(f"{first.name}-{n}-{world.rng.getrandbits(20):05x}" for n in range(3))
    backs[0] = Service("sso", more, first.style_name)
    world.company = replace(firm, backs=tuple(backs))


def inject(world: World) -> Truth:
    rng, since = world.rng, world.onset_s
    sso = world.company.backs[0]
    wrong, ahead = rng.choice(sso.hosts), rng.uniform(3.0, 15.0)
    until = min(world.end_s - 25, since + rng.uniform(240, 1200))
    at, early = rng.uniform(2, 20), []
    while at < world.end_s - 20:
        host = rng.choice(sso.hosts)
        jti = f"{rng.getrandbits(64):016x}"
        refused = host == wrong and since <= at < until
        _issued(world, sso, at, host, jti)
        used = at + rng.uniform(0.1, 1.2)
        _used(world, used, jti, refused=refused)
        if refused:
            early.append((jti, used))
            _used(world, used + ahead + rng.uniform(0.2, 2), jti, refused=False)
        at += rng.expovariate(1 / 6)
    misdate(world, wrong, since, lambda at: ahead if at < until else 0.0)
    uses = {jti: used for jti, used in early}
    before = sum(
        (event.timestamp - world.start) / SECOND_NS > uses.get(event.body[17:33], 1e9)
        for event, by in world.told
        if by == wrong and event.body.startswith("issued token jti=")
    )
    return fault(
        world,
        "clock-skew",
        until,
        effect=len(early) >= 6 and before >= len(early) - 1,
    )


def _issued(world: World, sso: Service, at: float, host: str, jti: str) -> None:
    words = f"issued token jti={jti} client={world.company.front.name} expires_in=300"
    world.log(at, sso.name, host, words)


def _used(world: World, at: float, jti: str, *, refused: bool) -> None:
    """A request of the front that brings the token."""
    front = world.company.front
    told = {"method": "GET", "path": "/me", "rid": world.request_id()}
    host = world.say(at, front, "begin", told)
    if refused:
        words = REFUSALS[front.style_name].format(jti=jti)
        world.log(at + 0.004, front.name, host, words, SEVERITY_WARN)
    else:
        world.log(at + 0.004, front.name, host, f"session of jti={jti} accepted")
    status = 401 if refused else 200
    world.say(at + 0.012, front, "end", {**told, "status": status, "ms": 12}, host=host)
