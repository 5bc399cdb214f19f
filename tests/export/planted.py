"""One incident with a secret in every place where a system may have put one, and what they are.

Made up, but shaped like the real thing, and each unlike any other text of the incident: a piece of
`WINDOW` signs of one, wherever it turns up and however it is encoded, is a leak.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote

from tests.export.world import ANALYSIS, EVENTS, HICCUP, RACE, Told, at, incident, undated
from timeline.analysis import Analysis, CommonTrait
from timeline.coverage import Coverage, Sight
from timeline.event import Event, Kind, Lane, Precision
from timeline.finding import NotEvaluated, Step
from timeline.incident import Incident, SourceInfo

WINDOW = 8
"""Signs of a secret that may not appear in a row: less is no use to anybody."""


@dataclass(frozen=True, slots=True)
class Secret:
    """`text` is what was recorded; nothing of `value` may leave."""

    kind: str
    text: str
    value: str

    def pieces(self) -> Iterator[str]:
        """Every run of `WINDOW` signs of it, as it stands and as encodings make it."""
        bare = squeezed(self.value)
        encoded = (
            squeezed(base64.b64encode(self.value.encode()).decode().rstrip("=")),
            squeezed(base64.b64encode(f"app:{self.value}".encode()).decode().rstrip("=")),
        )
        for form in {bare, squeezed(quote(self.value, safe="")), *encoded}:
            yield from (form[n : n + WINDOW] for n in range(max(len(form) - WINDOW, 0) + 1))


def squeezed(text: str) -> str:
    """Without what wrapping, quoting and escaping put in between."""
    text = html.unescape(text)
    return re.sub(r"[\s\\`'\"␊|¦⧵\u200b]+", "", text).casefold()


def leaks(document: str, secrets: tuple[Secret, ...]) -> list[str]:
    """Which of the secrets are in `document`, in any form."""
    seen = squeezed(document)
    looked_at = f"{seen}\n{squeezed(unquote(document))}"
    return [
        f"{one.kind}: {piece}"
        for one in secrets
        for piece in list(one.pieces())
        if piece in looked_at
    ]


_JWT = ".".join(
    (
        base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("="),
        base64.urlsafe_b64encode(b'{"sub":"mira.voss","scope":"all"}').decode().rstrip("="),
        "Tq0Zr7Xw2Lb9Vn4Kc6Hs8Jd1Fg3Pm5Ya_uEoIiWx-Q",
    )
)
_BASIC = base64.b64encode(b"svc-ship:Wz4!hQk9#rTv").decode()

SECRETS: tuple[Secret, ...] = (
    Secret("password-logfmt", "login failed password=Kq7#vRw2!zLx user_id=4711", "Kq7#vRw2!zLx"),
    Secret("password-json", '{"user":7,"db_password":"Hn4$tYp8^mQe","ok":0}', "Hn4$tYp8^mQe"),
    Secret(
        "password-escaped", 'payload={\\"passwd\\":\\"Bv6%gUj3&kZs\\",\\"a\\":1}', "Bv6%gUj3&kZs"
    ),
    Secret("password-yaml", "pwd: Rf5*nMb7+xCd", "Rf5*nMb7+xCd"),
    Secret("password-argument", "ran pg_dump --password Jw8~dKe1=vTg shop", "Jw8~dKe1=vTg"),
    Secret("password-sql", "CREATE ROLE app PASSWORD 'Ys2@fLp6-hNb'", "Ys2@fLp6-hNb"),
    Secret("password-xml", "<soap:Password>Oe9_wQa4.rUi</soap:Password>", "Oe9_wQa4.rUi"),
    Secret("passphrase", 'ssh passphrase="Xc3 gDv 5tHm kJz"', "Xc3 gDv 5tHm kJz"),
    Secret("api-key", "X-Api-Key: 9fQ2mVx7Lr4Tb8Ns1Wd6", "9fQ2mVx7Lr4Tb8Ns1Wd6"),
    Secret("client-secret", "client_secret=Gz5Kp0Yh3Ej7Ru2Oc9Ai", "Gz5Kp0Yh3Ej7Ru2Oc9Ai"),
    Secret(
        "secret-key-base", "SECRET_KEY_BASE=c81e728d9d4c2f636f067f89cc14862c", "c81e728d9d4c2f63"
    ),
    Secret("csrf-token", 'csrf-token="Lm6Xe1Wq8Sa3Zd5Vf7"', "Lm6Xe1Wq8Sa3Zd5Vf7"),
    Secret("bearer", "Authorization: Bearer Vt8rN2kQ5xJ7mB4wZ9cH", "Vt8rN2kQ5xJ7mB4wZ9cH"),
    Secret("bearer-prose", "got Bearer Pd3sF6gH9jK2lZ5xC8vB from it", "Pd3sF6gH9jK2lZ5xC8vB"),
    Secret("basic", f"sent Basic {_BASIC} upstream", "Wz4!hQk9#rTv"),
    Secret("basic-encoded", f"Proxy-Authorization: Basic {_BASIC}", _BASIC.rstrip("=")),
    Secret(
        "digest",
        'Authorization: Digest username="x", response="6629fae49393a05397450978507c4ef1"',
        "6629fae49393a05397450978507c4ef1",
    ),
    Secret("cookie", "Cookie: theme=dark; sid=Uo7Ty4Re1Wq8Az5Sx2", "Uo7Ty4Re1Wq8Az5Sx2"),
    Secret("set-cookie", "set-cookie: remember=Ib6Nh3Gt9Fr5Dc1Vs; HttpOnly", "Ib6Nh3Gt9Fr5Dc1Vs"),
    Secret("session", "session_id=Ej4Wk8Ql2Pz6Xm0Ca", "Ej4Wk8Ql2Pz6Xm0Ca"),
    Secret("jwt", f"token rejected: {_JWT}", _JWT.rpartition(".")[2]),
    Secret("dsn", "postgres://app:Sv9!bXn3.qMz@db-1:5432/shop refused", "Sv9!bXn3.qMz"),
    Secret("dsn-redis", "redis://:Hd7-yGu1_kFo@cache:6379/0", "Hd7-yGu1_kFo"),
    Secret("url-userinfo", "GET https://ci:Qe2~rTi8*pLa@packages.shop.test/x", "Qe2~rTi8*pLa"),
    Secret("jdbc", "jdbc:postgresql://db/shop?user=app&password=Mk5Zj9Bw3Xv7", "Mk5Zj9Bw3Xv7"),
    Secret(
        "signed-url",
        "https://b.s3.amazonaws.com/k?X-Amz-Signature=5d672d79c15b13162d9279b0855cfba6",
        "5d672d79c15b13162d9279b0855cfba6",
    ),
    Secret(
        "sas-url",
        "https://a.blob.core.windows.net/c?sv=2024&sig=Yb1Gk7Ud4Ol9Ta6Ec2",
        "Yb1Gk7Ud4Ol9Ta6Ec2",
    ),
    Secret("oauth-code", "callback?code=4/0AX4XfWh_Zq8Vn2Rt6Ks", "0AX4XfWh_Zq8Vn2Rt6Ks"),
    Secret("aws-key", "using AKIAQ3EGRZ7LWB5XKTVN now", "Q3EGRZ7LWB5XKTVN"),
    Secret(
        "github-token",
        "clone with ghp_7RkXw2Vn9LqTz4Mb6HsYc1JdPg8FeUo3KiAa",
        "7RkXw2Vn9LqTz4Mb6HsYc1Jd",
    ),
    Secret("stripe-key", "charge by sk_live_Zt4Hn8Wq2Vb6Xk9Rm3Ls7Pd", "Zt4Hn8Wq2Vb6Xk9Rm3Ls7Pd"),
    Secret("slack-token", "post as xoxb-730191371263-Wk8Tz3Qv5Nx1", "730191371263-Wk8Tz3Qv5Nx1"),
    Secret(
        "slack-webhook",
        "to https://hooks.slack.com/services/T0Q3/B8R5/Xv6Nw2Kz9Lb4Tm7",
        "Xv6Nw2Kz9Lb4Tm7",
    ),
    Secret(
        "google-key",
        "maps AIzaSyQ8wE3rT6yU1iO4pA7sD0fG5hJ2kL9zX3c",
        "Q8wE3rT6yU1iO4pA7sD0fG5hJ2kL9z",
    ),
    Secret(
        "private-key",
        "-----BEGIN RSA PRIVATE KEY-----␊MIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4"
        "␊WGeKLs1Pt8QuKUpRKfFLfRYC9AIKjbJTWit␊-----END RSA PRIVATE KEY-----",
        "WGeKLs1Pt8QuKUpRKfFLfRYC9AIKjbJTWit",
    ),
    Secret(
        "email",
        "mail to mira.vossberg@kundenpost-nord.de bounced",
        "mira.vossberg@kundenpost-nord.de",
    ),
    Secret("email-in-url", "GET /u?mail=jonne.ekdahl%40vinterpost.se 404", "jonne.ekdahl"),
    Secret("card", "charging 4539 5787 6362 1486 failed", "4539 5787 6362 1486"),
    Secret("iban", "refund to DE44 5001 0517 5407 3249 31 failed", "DE44 5001 0517 5407 3249 31"),
    Secret("phone", 'sms to {"mobile": "+49 171 7390256"}', "+49 171 7390256"),
    Secret("personal", "kyc passport_no=C01X0006H7 refused", "C01X0006H7"),
    Secret("birth-date", 'profile {"date_of_birth": "1987-11-23"}', "1987-11-23"),
    Secret("name", 'hello {"full_name": "Oluwaseun Brandvold"}', "Oluwaseun Brandvold"),
    Secret("address", "from 203.113.175.219 port 22", "203.113.175.219"),
    Secret("home", "open /home/mvossberg77/.netrc: permission denied", "mvossberg77"),
    Secret("curl", "ran curl -s -u deploy:Cn8Vr4Xs1Zk6Wq https://ci/x", "Cn8Vr4Xs1Zk6Wq"),
)

SURVIVORS = (
    "1773453220",
    "4711",
    "f47ac10b-58cc-4372-a567-0e02b2c3d479",
    "3f786850e387550fdab836ed7e6dc881de23001b",
    "core-service@v1.14.0",
    "sshd[24200]",
    "worker-3.prod.internal",
    "10.0.0.1:6379",
    "4bf92f3577b34da6a3ce929d0e0e4736",
)
"""What the incident is told by; every format that prints records prints these to the letter."""
TELLING = (
    "deploy core-service@v1.14.0 3f786850e387550fdab836ed7e6dc881de23001b on "
    "worker-3.prod.internal sshd[24200] job f47ac10b-58cc-4372-a567-0e02b2c3d479 order 4711 at "
    "1773453220 via 10.0.0.1:6379 trace 4bf92f3577b34da6a3ce929d0e0e4736"
)

ALL_TEXTS = tuple(secret.text for secret in SECRETS)


def _event(number: int, text: str) -> Event:
    """One record with `text` in its body and in everything that a connector can fill."""
    lane, kind = (
        (Lane.LOG, Kind.LOG),
        (Lane.QUEUE, Kind.JOB_FAILED),
        (Lane.DATABASE, Kind.ROW_INSERTED),
        (Lane.CHANGE, Kind.CHANGE),
        (Lane.NOTE, Kind.NOTE),
    )[number % 5]
    attributes = {
        "args": [text, {"nested": text}],
        "error_class": text,
        "columns": {"note": text},
        "url": text,
        text: "as the name of a field",
    }
    return Event(
        at("02:07:29.050") + number * 1_000_000,
        ("web", "mailers", "shop", "deploys", "notes")[number % 5],
        lane,
        kind,
        f"{text}␊second line: {text}",
        f"/srv/shop/{text}@{number}",
        10_000 + number,
        17,
        actor=text,
        keys=(f"order:{4711 + number}", f"note:{text}"),
        precision=Precision.MILLISECOND,
        attributes=json.dumps(attributes),
    )


PLANTED: tuple[Event, ...] = tuple(_event(n, text) for n, text in enumerate((*ALL_TEXTS, TELLING)))


def hostile_incident() -> Incident:
    """Every secret in records, sources, coverage, remarks and records without a time."""
    made = incident((*PLANTED, *EVENTS))
    sources = tuple(
        SourceInfo(text, Lane.LOG, f"file {text}", f"keeps nothing of {text}") for text in ALL_TEXTS
    )
    seen = [
        Coverage(text, made.window.start, made.window.end, Sight.BLIND, text, f"ask {text}")
        for text in ALL_TEXTS
    ]
    coverage = made.snapshot.coverage.adding(seen)
    snapshot = replace(made.snapshot, coverage=coverage, undated=undated(*ALL_TEXTS))
    return replace(made, snapshot=snapshot, sources=(*made.sources, *sources), environment="prod")


def hostile_analysis() -> Analysis:
    """Every secret in every text a finding can have."""
    told = tuple(_finding(n, text) for n, text in enumerate(ALL_TEXTS))
    return replace(
        ANALYSIS,
        findings=(*told, RACE, HICCUP),
        headline=f"{ALL_TEXTS[0]}. {TELLING}",
        next_action=ALL_TEXTS[1],
        common=tuple(CommonTrait("host", text, 3, 4, 0.5) for text in ALL_TEXTS),
        not_evaluated=tuple(NotEvaluated("lost-update", text) for text in ALL_TEXTS),
        looked_for=ALL_TEXTS,
        state=replace(ANALYSIS.state, victims=ALL_TEXTS),
        blind=tuple(
            Coverage(text, at("02:00:00"), at("02:13:40"), Sight.BLIND, text, text)
            for text in ALL_TEXTS
        ),
    )


def _finding(number: int, text: str) -> Told:
    event = PLANTED[number]
    steps = (Step(text, event, text), *RACE.steps[1:])
    return replace(
        RACE,
        text=f"The job said {text} and gave up.",
        weakest_link=text,
        steps=steps,
        keys=(f"note:{text}", text),
        figures=(text,),
        assumes=(text,),
        would_decide=(text,),
        alternatives=(text,),
        next_action=text,
    )
