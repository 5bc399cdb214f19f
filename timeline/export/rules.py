"""The built-in redaction rules, in the order they are applied: keyed and wide before narrow.

They must leave alone what an incident is told by: times, evidence ids, numeric, UUID and job ids,
commit hashes, versions, `sshd[24200]`, `git@host:path`, private addresses. No entropy rule: log
data is made of random-looking ids (Yelp/detect-secrets#250), so a secret is known by its field
name, its format or its check digits. Patterns are bounded, so hostile text costs linear time.
"""

from __future__ import annotations

import re
from dataclasses import replace

from timeline.export import checks, gates
from timeline.export.rule import Rule

_SEPARATOR = r"""\\{0,16}["']?\s{0,3}(?:=>|:=|={1,2}|:)\s{0,3}\[?"""
"""Between a field name and its value: JSON (also escaped), logfmt, Ruby, YAML, HTTP headers."""

_QUOTED = r"""(?P<quote>\\{0,16}["'])(?P<secret>[^\n␊]*?)(?:(?<!\\)(?P=quote)|(?=[\n␊])|\Z)"""
"""A quoted value; one whose closing quote was cut off reaches to the end of its line."""

_BARE = (
    r"""(?P<bare>(?!\\{0,16}["'])(?:[^\s"'\\␊,;&)\]}>]++"""
    r"""|\\(?!["'nrt\\])"""
    r"""|["'](?=[\w!#$%^*+=])"""
    r"""|[,;&)\]}>](?![\s,;&)\]}>"'\\␊]|\Z|[\w.%-]{1,40}["']?[=:]))+)"""
)
"""An unquoted value. A closing bracket or a comma ends it unless more of the value follows."""

_PASSWORDS = (
    r"passw(?:or)?d|passwd|pwd|passphrase|passcode|secret"
    r"|secret[_-]?(?:access[_-]?)?key(?:[_-]?base)?"
    + "".join(
        rf"|{whose}[_-]?(?:key|signature)"
        for whose in (
            *("api", "access", "private", "signing", "encryption", "account", "master", "auth"),
            "shared[_-]?access",
        )
    )
    + "".join(
        rf"|(?<![A-Za-z]){code}" for code in ("cvv2?", "cvc2?", "otp", "pin[_-]?code", "totp")
    )
)
"""Every alternative begins with a letter, so that `Rule.starts` is quick; so in the others."""
_TOKENS = r"(?<!fencing[_-])token|credentials?|(?<![A-Za-z])pass"
"""Names that also stand before a colon in ordinary sentences."""
_SESSIONS = (
    r"(?<![A-Za-z])(?:session[_-]?(?:id|key)|jsessionid|phpsessid|asp\.net_sessionid|connect\.sid"
    r"|(?<![\w-])session(?=:\S))"
)
_PHONES = r"(?<![A-Za-z])(?:phone|mobile|telephone|tel|msisdn|fax)(?:[_-]?(?:number|no|nr))?"
_PERSONAL = (
    r"(?<![A-Za-z])(?:ssn|social[_-]?security(?:[_-]?number)?|passport(?:[_-]?(?:no|number))?"
    r"|national[_-]?id|tax[_-]?id|birth[_-]?(?:date|day)|date[_-]?of[_-]?birth|dob)"
)
_NAMES = r"(?<![A-Za-z])(?:user[_-]?name|(?:full|first|last|given|family)[_-]?name|surname)"

DATABASES = (
    r"(?:postgres(?:ql)?|mysql|mariadb|rediss?|amqps?|mongodb|mssql|sqlserver|oracle|clickhouse"
    r"|cockroachdb|nats|kafka|smtps?|ldaps?|sftps?|ftps?)(?:\+\w{1,20})?"
)
_PROVIDER_KEYS = (
    r"(?:AKIA|ASIA)[0-9A-Z]{16}"  # AWS
    r"|gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_\w{20,255}"
    r"|gl(?:pat|dt|rt|ptt|soat)-[\w-]{16,64}"
    r"|xox[abeoprs]-[\w-]{10,255}|xapp-[\w-]{10,255}"
    r"|[srp]k_(?:live|test)_[A-Za-z0-9]{10,255}|whsec_[A-Za-z0-9+/=]{16,128}"
    r"|sk-(?:[a-z]{2,10}[0-9]{0,2}-){0,2}[A-Za-z0-9_-]{20,255}"
    r"|AIza[\w-]{35}|ya29\.[\w.-]{20,512}|GOCSPX-[\w-]{20,64}"
    r"|SG\.[\w-]{16,64}\.[\w-]{16,64}|key-[0-9a-f]{32}"
    r"|npm_[A-Za-z0-9]{36}|pypi-[\w-]{40,255}|rubygems_[0-9a-f]{48}"
    r"|do[opr]_v1_[0-9a-f]{64}|hv[sbr]\.[\w-]{20,255}|dapi[0-9a-f]{32}"
    r"|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}|sq0[a-z]{3}-[\w-]{22,64}|SK[0-9a-f]{32}"
    r"|(?<![0-9])[0-9]{8,10}:AA[\w-]{33}"  # Telegram bot
)
_PROVIDER_GATE = (
    r"(?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_|github_pat_|gl(?:pat|dt|rt|ptt|soat)-|xox[abeoprs]-"
    r"|xapp-|[srp]k_(?:live|test)_|whsec_|sk-\S{20}|AIza|ya29\.|GOCSPX-|SG\.|key-[0-9a-f]{32}"
    r"|npm_|pypi-|rubygems_|do[opr]_v1_|hv[sbr]\.|dapi[0-9a-f]{32}|shp(?:at|ca|pa|ss)_|sq0"
    r"|SK[0-9a-f]{32}|[0-9]{8,10}:AA"
)
"""How those begin. Words of ordinary lines that begin like that need more of it."""
_SCHEMES = r"(?:Bearer|Basic|Token|Negotiate|NTLM|ApiKey|Api-Key|Hawk|SSWS|Splunk|Key)"

_OUTSIDE_IPV4 = (
    r"(?:^|^/|[^0-9A-Za-z_./]|[^0-9A-Za-z_.)]/)"
    r"(?:[1-9]|1[1-9]|[2-9][0-9]|1[013-9][0-9]|12[0-689]|2[0-9]{2})"
    r"(?:\.[0-9]{1,3}){3}"
)
"""Four numbers of which the first is neither 0, 10 nor 127: those networks stay readable. Behind a
word and a slash it is a version: `Chrome/120.0.0.0`."""


def _compiled(pattern: str) -> re.Pattern[str]:
    """Case folded for ASCII only, so that the lower-case hints are exact."""
    return re.compile(pattern, re.IGNORECASE | re.ASCII)


def _compiled_starts(pattern: str) -> re.Pattern[str]:
    """Not folded: it is searched in lowered text, where a set of first letters is quick."""
    return re.compile(pattern, re.ASCII)


def _keyed(
    name: str,
    fields: str,
    hints: str,
    bare: str = _BARE,
    *,
    pseudonym: str = "",
    prose: bool = False,
) -> tuple[Rule, Rule]:
    """The two rules of a secret known by its field: quoted and unquoted."""
    named = rf"(?:{gates.without_assertions(fields)}){_SEPARATOR}"
    quoted = Rule(
        name,
        _compiled(rf"(?:{fields}){_SEPARATOR}{_QUOTED}"),
        checks.tells_a_value,
        pseudonym=pseudonym,
        field=_compiled(rf"(?:{fields})\Z"),
        hints=tuple(hints.split()),
        gate=gates.of_fields(fields),
        starts=_compiled_starts(rf"{named}\\{{0,16}}[\"']"),
    )
    unquoted = replace(
        quoted,
        pattern=_compiled(rf"(?:{fields}){_SEPARATOR}{bare}"),
        accept=checks.is_no_prose if prose else checks.tells_a_value,
        starts=_compiled_starts(named),
    )
    return quoted, unquoted


RULES: tuple[Rule, ...] = (
    Rule(
        "private-key",
        re.compile(
            r"-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----"
            r"(?P<secret>.+?)(?=-----END (?:[A-Z0-9]+ ){0,4}PRIVATE KEY|\Z)",
            re.DOTALL,
        ),
        hints=("private key",),
        gate="-----BEGIN [A-Z0-9 ]*PRIVATE KEY",
    ),
    Rule(
        "private-key",
        re.compile(r"M(?<![\w+/]M)I[IG][\w+/]{60,}={0,2}"),
        hints=("mii", "mig"),
        gate=r"(?:^|[^0-9A-Za-z_+/])MI[IG]\S{60}",
    ),
    *_keyed(
        "authorization",
        r"(?<![A-Za-z])(?:proxy[_-]?authorization|authorization)",
        "authorization",
        r"(?P<bare>(?:Digest|AWS4-HMAC-SHA256|OAuth)\b[^\n␊]*"
        rf"|(?:{_SCHEMES}\s{{1,3}})?[^\s\"'␊]+)",
        prose=True,
    ),
    *_keyed(
        "cookie",
        r"(?<![A-Za-z])(?:set-cookies?2?|cookies?2?)",
        "cookie",
        r"(?P<bare>[^\s;\"'␊]+(?:;\s{0,2}[^\s;\"'␊]+)*)",
        prose=True,
    ),
    Rule(
        "url-userinfo",
        _compiled(rf"{DATABASES}://(?P<secret>[^\s:@/\"'<>␊]{{0,128}}:[^\s\"'<>␊]{{1,512}})@"),
        hints=("://",),
        gate=r"://[^ \t-\r\"'<>]*@",
        starts=_compiled_starts(rf"{DATABASES}://"),
    ),
    Rule(
        "url-userinfo",
        re.compile(r"://(?!git@)(?P<secret>[^\s/?#\"'<>\\␊]{1,512})@(?=[\w\[.-])"),
        hints=("://",),
        gate=r"://[^ \t-\r\"'<>]*@",
    ),
    *_keyed(
        "secret", _PASSWORDS, "passw pwd passphrase passcode secret key signature cvv cvc otp pin"
    ),
    *_keyed("secret", _TOKENS, "token credential pass", prose=True),
    Rule(
        "secret",
        _compiled(
            rf"<(?P<tag>[\w:.-]{{0,40}}(?:{_PASSWORDS}|{_TOKENS}))>(?P<secret>[^<\n]{{1,4096}})"
        ),
        checks.tells_a_value,
        hints=("<",),
        starts=_compiled_starts(r"<[\w:.-]{3,120}+>[^<\n]"),
        gate=gates.without_assertions(rf"(?i)<[\w:.-]*(?:{_PASSWORDS}|{_TOKENS})>"),
    ),
    Rule(
        "secret",
        _compiled(r"\b(?:identified\s+by|password)\s+'(?P<secret>(?:[^'\n]++|'')+)'"),
        hints=("identified", "password"),
        starts=_compiled_starts(r"identified\s|password\s"),
        gate=r"(?i)(?:identified\s+by|password)\s+'",
    ),
    Rule(
        "secret",
        _compiled(
            r"(?<!\S)--?[\w-]{0,30}(?:passw(?:or)?d|passwd|pass|secret|token|api-?key)\s{1,3}"
            r"[\"']?(?P<secret>[^\s\"'-][^\s\"']*)"
        ),
        hints=("pass", "secret", "token", "api"),
        gate=r"(?i)(?:^|\s)--?[\w-]*(?:passw(?:or)?d|passwd|pass|secret|token|api-?key)\s",
        starts=_compiled_starts(
            r"--?[\w-]{0,30}(?:passw(?:or)?d|passwd|pass|secret|token|api-?key)\s"
        ),
    ),
    Rule(
        "secret",
        re.compile(
            r"\bcurl\b(?:(?!\bcurl\b)[^\n␊]){0,300}?\s(?:-u|--user)\s{0,3}[\"']?"
            r"(?P<secret>[^\s\"':]++:[^\s\"']+)"
        ),
        hints=("curl",),
        starts=re.compile("curl"),
        gate=r"curl[^␊]*(?:-u|--user)",
    ),
    *_keyed("session", _SESSIONS, "sess connect.sid", pseudonym="session"),
    Rule(
        "signed-url",
        _compiled(
            r"[?&;](?:x-(?:amz|goog)-(?:signature|credential|security-token)|sig|signature"
            r"|awsaccesskeyid|googleaccessid|key-pair-id|hmac)=(?P<secret>[^\s&\"'<>#;\\␊]+)"
        ),
        hints=("=",),
        gate=r"(?i)[?&;](?:x-(?:amz|goog)-\w+(?:-token)?|sig|signature|awsaccesskeyid"
        r"|googleaccessid|key-pair-id|hmac)=",
    ),
    Rule(
        "signed-url",
        _compiled(r"[?&]code=(?P<secret>[\w./%~+-]{16,})"),
        hints=("code=",),
        gate=r"(?i)[?&]code=\S{16}",
    ),
    Rule(
        "bearer",
        _compiled(r"\bbearer\s{1,3}(?P<secret>[\w.~+/=-]{8,4096})"),
        checks.looks_random,
        hints=("bearer",),
        starts=_compiled_starts(r"bearer\s{1,3}[\w.~+/=-]{8}"),
        gate=r"(?i)bearer\s{1,3}\S{8}",
    ),
    Rule(
        "basic",
        _compiled(r"\bbasic\s{1,3}(?P<secret>[\w+/-]{6,4096}={0,2})"),
        checks.is_basic_credentials,
        hints=("basic",),
        starts=_compiled_starts(r"basic\s{1,3}[\w+/-]{6}"),
        gate=r"(?i)basic\s{1,3}\S{6}",
    ),
    Rule(
        "jwt",
        re.compile(r"eyJ(?<![A-Za-z0-9-]eyJ)[\w-]{8,8192}+\.[\w-]{4,8192}(?:\.[\w-]{0,8192}){0,3}"),
        hints=("eyj",),
        starts=re.compile(r"eyJ(?<![A-Za-z0-9-]eyJ)[\w-]{8}"),
        run=re.compile(r"[\w-]+"),
        gate=r"(?:^|[^0-9A-Za-z-])eyJ\S{8}",
    ),
    Rule(
        "provider-key",
        re.compile(rf"(?<![A-Za-z0-9])(?:{_PROVIDER_KEYS})"),
        gate=f"{gates.BEGUN}(?:{_PROVIDER_GATE})",
    ),
    Rule(
        "webhook",
        re.compile(
            r"(?:hooks\.slack\.com/(?:services|workflows|triggers)/"
            r"|discord(?:app)?\.com/api/webhooks/|\.webhook\.office\.com/)(?P<secret>[\w/@=-]+)"
        ),
        hints=("hooks.slack", "discord", "webhook.office"),
        gate=r"hooks\.slack\.com/|discord(?:app)?\.com/api/|\.webhook\.office\.com/",
    ),
    Rule(
        "email",
        re.compile(
            r"(?<![\w.+-])[\w.+-]{1,128}(?:@|%40)(?!v?[0-9]+\.[0-9])[\w-]{1,63}"
            r"(?:\.[\w-]{1,63}){0,8}?\.(?:xn--[a-z0-9-]{2,30}|[^\W\d_]{2,24})(?:\.[^\W\d_]{2,24})*"
        ),
        checks.is_person_address,
        "email",
        hints=("@", "%40"),
        gate=r"(?:@|%40)\S*?\.[^\s0-9]",
        starts=re.compile(r"(?:@|%40)[\w.-]{1,600}?\.[^\W\d_]{2}"),
        lead=re.compile(r"[\w.+-]*"),
    ),
    Rule(
        "card-number",
        re.compile(
            r"(?P<secret>[2-6](?<![\w.-][2-6])[0-9]{3}(?:[ -]?[0-9]){9,15})(?!\w|-\w|\.[0-9])"
        ),
        checks.is_card_number,
        gate=r"(?:^|[^0-9A-Za-z_.-])[2-6][0-9]{3}(?:[ -]?[0-9]){9}",
    ),
    Rule(
        "iban",
        re.compile(rf"(?<![A-Za-z0-9])(?:{checks.iban_pattern()})(?![A-Za-z0-9])"),
        checks.is_iban,
        gate=rf"{gates.BEGUN}[A-Z]{{2}}[0-9]{{2}}(?: ?[A-Z0-9]){{11}}",
        starts=re.compile(r"[A-Z](?<![A-Za-z0-9][A-Z])[A-Z][0-9][0-9](?: ?[A-Z0-9]){11}"),
    ),
    *_keyed(
        "phone",
        _PHONES,
        "phone mobile tel msisdn fax",
        r"(?P<bare>\+?[0-9(][0-9 ()./-]{4,22}[0-9])",
    ),
    *_keyed("personal-data", _PERSONAL, "ssn social passport national tax birth dob"),
    *_keyed("user-name", _NAMES, "name", pseudonym="user"),
    Rule(
        "user-name",
        re.compile(
            r"(?:/home/|/Users/|[A-Za-z]:\\{1,4}Users\\{1,4})(?P<secret>[^/\\\s\"':]{1,64})"
        ),
        pseudonym="user",
        hints=("home", "users"),
        starts=re.compile(r"/home/[^/\\\s\"':]|/Users/[^/\\\s\"':]|:\\{1,4}Users\\"),
        lead=re.compile("[A-Za-z]?"),
        gate=r"/home/|/Users/|[A-Za-z]:\\{1,4}Users\\",
    ),
    Rule(
        "ip",
        re.compile(r"[0-9](?<![\w.][0-9])[0-9]{0,2}(?:\.[0-9]{1,3}){3}(?!\w|\.[0-9])"),
        checks.is_outside_address,
        "ip",
        hints=(".",),
        gate=_OUTSIDE_IPV4,
    ),
    Rule(
        "ip",
        _compiled(r"[23](?<![\w:.][23])[0-9a-f]{3}:[0-9a-f:]{2,35}(?![\w:])"),
        checks.is_outside_address,
        "ip",
        hints=(":",),
        gate=r"(?:^|[^0-9A-Za-z_:.])[23][0-9A-Fa-f]{3}(?:[0-9A-Fa-f:]*::|(?::[0-9A-Fa-f]{1,4}){7})",
    ),
)
