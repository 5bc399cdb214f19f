"""What a sentence for the person at the keyboard quotes of a system, without its secrets.

Errors of drivers, answers of servers and lines of a configuration come with passwords, tokens and
headers in them. Those are taken out by the rules of every export; what the person needs to find the
place stays: host, port, database, user name. Nothing here is numbered or counted.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

from timeline.export.redact import Redactor
from timeline.export.rule import Rule
from timeline.export.rules import DATABASES, RULES

SECRETS = frozenset(
    (
        *("private-key", "authorization", "cookie", "url-userinfo", "secret", "session"),
        *("signed-url", "bearer", "basic", "jwt", "provider-key", "webhook"),
    )
)
"""Names of the rules for what lets somebody in. Persons, addresses and numbers stay: they are said
to the one who configured them."""
_PASSWORD_OF_A_DATABASE = Rule(
    "secret",
    re.compile(rf"{DATABASES}://[^\s:@/\"'<>␊]{{0,128}}:(?P<secret>[^\s\"'<>␊]{{1,512}})@", re.I),
    hints=("://",),
)
"""Before the rule that takes all in front of the `@`: the user name tells which account it was. In
an address of the web it may be a token itself, so there it goes."""
_CUT_ADDRESS = Rule(
    "secret",
    re.compile(r"://[^\s:@/\[\"'<>␊]{0,128}:(?P<secret>(?![0-9]{1,5}\Z)[^\s@/\"'<>␊]{1,512})\Z"),
    hints=("://",),
)
"""At the end of a quotation that was cut before its `@`: what stands there is no port."""
_DATABASE = re.compile(rf"{DATABASES}\Z", re.I)
SCHEME = 40
"""Signs of the longest scheme, with the name of a driver in it."""


def without_secrets(text: str) -> str:
    """`text` as it may be said; the same text when nothing in it is secret."""
    return _redactor().text(text)


@cache
def _redactor() -> Redactor:
    kept = (
        replace(rule, accept=_lets_in) if rule.name == "url-userinfo" else rule
        for rule in RULES
        if rule.name in SECRETS
    )
    return Redactor((_PASSWORD_OF_A_DATABASE, *kept, _CUT_ADDRESS))


def _lets_in(match: re.Match[str]) -> bool:
    """Whether what stands before the `@` is more than the user of a database."""
    before = match["secret"]
    if ":" in before:
        return ":{redacted:" not in before
    return not _DATABASE.search(match.string, max(match.start() - SCHEME, 0), match.start())
