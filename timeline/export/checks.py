"""Telling a secret from a look-alike where a pattern alone cannot: check digits, networks, names.

Pure functions of one regular-expression match or of one text; each answers "is this the real
thing?". A wrong yes hides evidence, a wrong no leaks: the tables here say which was chosen.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
import string
from functools import lru_cache

_STATES = (
    "null none nil true false undefined required missing invalid expired unset set empty "
    "filtered [filtered] redacted [redacted] <redacted> hidden ? %s"
)
NOT_SECRET = frozenset(_STATES.split())
"""Values of a secret's field that tell a state; hiding them would hide the fault."""

SERVICE_ACCOUNTS = frozenset({"git", "hg", "svn", "celery", "rabbit"})
"""Local parts that name a program: `git@host:path`, `celery@worker-3.prod.example.com`."""

_UNITS = "service socket timer target scope slice mount path device swap"
UNIT_SUFFIXES = frozenset(_UNITS.split())
"""systemd instance units read like addresses: `postgresql@15-main.service`."""

READABLE_NETWORKS = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::/127",
        "fc00::/7",
        "fe80::/10",
    )
)
"""Loopback, link-local and private networks (RFC 1918, RFC 4193): they say which machine of the
team's own spoke and identify nobody outside it. Every other address gets a stand-in."""

IBAN_LENGTHS: dict[int, str] = {
    15: "NO",
    16: "BE",
    18: "DK FI FO GL NL SD",
    19: "MK SI",
    20: "AT BA EE KZ LT LU XK",
    21: "CH CR HR LI LV",
    22: "BG BH DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "BI DJ FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HU LB NI PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU",
    31: "MT SC",
    32: "LC",
    33: "RU",
}
"""Length of an IBAN by country. Source: SWIFT IBAN Registry (ISO 13616)."""

_CARD = re.compile(
    r"4[0-9]{15}(?:[0-9]{3})?"  # Visa
    r"|5[1-5][0-9]{14}|2(?:22[1-9]|2[3-9][0-9]|[3-6][0-9]{2}|7[01][0-9]|720)[0-9]{12}"  # Mastercard
    r"|3[47][0-9]{13}"  # American Express
    r"|6(?:011|5[0-9]{2}|4[4-9][0-9])[0-9]{12}"  # Discover
    r"|3(?:0[0-5]|[68][0-9])[0-9]{11}"  # Diners Club
    r"|35(?:2[89]|[3-8][0-9])[0-9]{12}"  # JCB
    r"|62[0-9]{14}(?:[0-9]{3})?"  # UnionPay
)
"""Issuer ranges of ISO/IEC 7812 in use. Epoch milli-, micro- and nanoseconds of this century
before 2040 fall outside all of them."""

_GROUPED = re.compile(
    r"[0-9]+|[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}|[0-9]{4}([ -])[0-9]{6}\2[0-9]{4,5}"
)
_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")
"""Twice a digit, and the sum of the digits of that."""
_AS_NUMBERS = {ord(sign): str(int(sign, 36)) for sign in string.ascii_uppercase}
_AT = re.compile("@|%40")
_NO_VALUE = re.compile(r"\$[0-9]+|x{3,}")
_PROSE = re.compile("[a-z]{1,20}[.,:;!]?")
_VERSION_BEFORE = re.compile(
    r"(?:[A-Za-z]-|[\w.)]/|==|version[\"']?\s?[=:]?\s?[\"']?)\Z", re.IGNORECASE
)


def is_card_number(match: re.Match[str]) -> bool:
    """Issuer range, grouping and Luhn check digit of a payment card number (PAN)."""
    text = match.group("secret")
    digits = text.replace(" ", "").replace("-", "")
    return bool(_GROUPED.fullmatch(text) and _CARD.fullmatch(digits)) and luhn(digits)


def luhn(digits: str) -> bool:
    """Whether the last digit is the Luhn check digit of the others."""
    signs = digits.encode()
    total = sum(signs[-1::-2]) + sum(signs[-2::-2].translate(_DOUBLED))
    return (total - ord("0") * len(signs)) % 10 == 0


def is_iban(match: re.Match[str]) -> bool:
    """ISO 7064 mod 97-10 over the rearranged account number."""
    text = match.group().replace(" ", "")
    return int((text[4:] + text[:4]).translate(_AS_NUMBERS)) % 97 == 1


def iban_pattern() -> str:
    """Alternatives of country, check digits and as many signs as that country's IBAN has."""
    return "|".join(
        rf"(?:{'|'.join(countries.split())})[0-9]{{2}}(?: ?[A-Z0-9]){{{length - 4}}}"
        for length, countries in IBAN_LENGTHS.items()
    )


def is_person_address(match: re.Match[str]) -> bool:
    """Whether `local@domain` names a person rather than a program, a unit or a version."""
    local, domain = _AT.split(match.group(), maxsplit=1)
    return (
        local.lower() not in SERVICE_ACCOUNTS
        and domain.rpartition(".")[2].lower() not in UNIT_SUFFIXES
    )


def is_outside_address(match: re.Match[str]) -> bool:
    """Whether it is an IP address beyond the team's own networks, and no version number."""
    if _VERSION_BEFORE.search(match.string, max(match.start() - 12, 0), match.start()):
        scheme = match.string[max(match.start() - 2, 0) : match.start()]
        if scheme != "//":
            return False
    return _is_outside(match.group())


@lru_cache(maxsize=4_096)
def _is_outside(text: str) -> bool:
    """The few addresses of an incident stand in many of its lines."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not any(
        address in network for network in READABLE_NETWORKS if network.version == address.version
    )


def is_basic_credentials(match: re.Match[str]) -> bool:
    """Whether the Base64 text decodes to `user:password` (RFC 7617)."""
    text = match.group("secret")
    try:
        return b":" in base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_")
    except (binascii.Error, ValueError):
        return False


def looks_random(match: re.Match[str]) -> bool:
    """Whether a word after "Bearer" is a token rather than prose."""
    word = match.group("secret")
    return len(word) >= 24 or any(sign.isdigit() for sign in word) or not word[1:].islower()


def tells_a_value(match: re.Match[str]) -> bool:
    """Whether a secret's field holds a secret, not a state (`null`, `expired`, `$1`)."""
    value: str | None = match["bare" if "bare" in match.re.groupindex else "secret"]
    return is_secret_value((value or "").strip())


def is_secret_value(value: str) -> bool:
    """Whether `value` could be a secret at all."""
    bare = value.rstrip(".,;:!").lower()
    return bool(bare.strip("*[](){}<>")) and not (bare in NOT_SECRET or _NO_VALUE.fullmatch(bare))


def is_no_prose(match: re.Match[str]) -> bool:
    """For words common in sentences: in "Invalid token: user" the word is no secret."""
    if not tells_a_value(match):
        return False
    if "bare" not in match.re.groupindex:
        return True
    before = match.string[match.start() : match.start("bare")]
    return not (before.endswith(": ") and _PROSE.fullmatch(match["bare"]))
