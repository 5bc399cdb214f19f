"""Stand-ins for the ids of one's own customers and jobs, for readers outside of the team.

An id is what some key of the incident names (`user:4711`). Wherever it stands, in a key, in a field
or in a sentence, it becomes the same stand-in (`user#1`), so that rows can still be joined. Times,
counts and the labels of evidence are no ids: a short or plain word is taken for one only where its
name stands before it (`user 7`, `users/7`, `user_id=7`). Machines keep their names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeAlias

from timeline.keys import KeyRules, split_key

StandIn: TypeAlias = Callable[[str, str], str]
"""The stand-in of a kind's value: `("user", "4711")` gives `user#1`."""

_PARTS_OF_SYSTEMS = "peer host service pod node queue topic stream file stat metrics region table"
MACHINES = frozenset(_PARTS_OF_SYSTEMS.split())
"""Kinds of keys that name a part of the system; they identify nobody and tell where it broke."""
SHORT_SIDE = 4
"""Signs at either end by which a shortened id is known (`timeline.facts.words`)."""
LEAST_BARE = 4
"""Signs of an id that is recognised without its name before it. Shorter ones are mostly counts."""

OWN_ID = frozenset({"id", "pk", "primary_key", "uuid"})
"""Names of fields that hold the id of the record itself, whatever it is."""

_SHORT = re.compile(r"([0-9A-Za-z]{4,12})…([0-9A-Za-z]{4,12})")
"""A long id as a sentence shortens it: `0325…8a0b`."""
_TOKEN = re.compile(r"[0-9A-Za-z]+(?:[-_][0-9A-Za-z]+)*")
_PARTS = re.compile(r"[-_]")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9])")
_NAME_BEFORE = re.compile(
    r"([A-Za-z]{2,40}?)s?(?:[_-]?(?:id|ID|Id|uuid|no|number|pk|key))?[\"'\\]{0,4}"
    r"(?:\s{0,2}(?:=>|[:=#/(])\s{0,2}|\s)[\"'\\]{0,4}#?\Z"
)
"""The name of a thing right before its id: `user_id=`, `users/`, `"orderId": "`, `order #`."""
_WITHIN_A_NUMBER = re.compile(r"[0-9][.,:]\Z|#\Z|\.\Z")
_UNIT_AFTER = re.compile(r"[.,:][0-9]|\s?(?:ms|µs|us|ns|s|min|h|%|[kKMG]i?B|bytes?|rows?|lines?)\b")
_RULES = KeyRules()
_CONTEXT = 60
"""Signs before an id in which its name is looked for."""


class Pseudonyms:
    """Replaces the known ids in any text. `stand_in` numbers or derives the stand-ins."""

    def __init__(self, keys: Iterable[str], stand_in: StandIn) -> None:
        self._stand_in = stand_in
        self._kinds: dict[str, tuple[str, ...]] = {}
        for key in keys:
            for kind, value in _ids_in(key):
                known = self._kinds.get(value.casefold(), ())
                if kind not in known:
                    self._kinds[value.casefold()] = (*known, kind)
        self._short = {(v[:SHORT_SIDE], v[-SHORT_SIDE:]): v for v in sorted(self._kinds)}
        odd = [value for value in self._kinds if not _TOKEN.fullmatch(value)]
        longest_first = sorted(odd, key=lambda value: (-len(value), value))
        self._odd = (
            re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE) if odd else None
        )

    def text(self, text: str) -> str:
        """`text` with its ids replaced."""
        if self._odd is not None:
            text = self._odd.sub(lambda found: self._first(found.group()), text)
        if "…" in text:
            text = _SHORT.sub(self._shortened, text)
        told: list[str] = []
        done = 0
        for token in _TOKEN.finditer(text):
            replaced = self._token(text, token.start(), token.group())
            if replaced == token.group():
                continue
            told += (_without_kind(text[done : token.start()], replaced), replaced)
            done = token.end()
        return "".join((*told, text[done:])) if told else text

    def field(self, name: str, value: int) -> str | int:
        """A number that stands in the field `name`; only one that the name declares is an id."""
        said = self._context_kind(str(value), f"{name}=")
        if said is None and name.casefold() in OWN_ID:
            said = next(iter(self._kinds.get(str(value), ())), None)
        return value if said is None else self._stand_in(said, str(value))

    def _token(self, text: str, start: int, token: str) -> str:
        if _DATE.match(token):
            return token
        kind = self._kind(text, start, start + len(token), token)
        if kind is not None:
            return self._stand_in(kind, token)
        if not _PARTS.search(token):
            return token
        pieces = re.split("([-_])", token)
        place = start
        for number, piece in enumerate(pieces):
            kind = None if number % 2 else self._kind(text, place, place + len(piece), piece)
            pieces[number] = piece if kind is None else self._stand_in(kind, piece)
            place += len(piece)
        return "".join(pieces)

    def _kind(self, text: str, start: int, end: int, value: str) -> str | None:
        """What kind of id stands at `[start, end)`; None when it is none."""
        kinds = self._kinds.get(value.casefold())
        if kinds is None:
            return None
        before = text[max(start - _CONTEXT, 0) : start]
        said = self._context_kind(value, before)
        if said is not None:
            return said
        if not _stands_out(value) or _WITHIN_A_NUMBER.search(before[-2:]):
            return None
        return None if _UNIT_AFTER.match(text, end) and value.isdigit() else kinds[0]

    def _context_kind(self, value: str, before: str) -> str | None:
        """The kind that the word before names, if the value is known as one of it."""
        named = _NAME_BEFORE.search(before)
        if named is None:
            return None
        word = named.group(1).casefold()
        kinds = self._kinds.get(value.casefold(), ())
        return next((kind for kind in kinds if word.endswith(kind) or word == kind + "s"), None)

    def _shortened(self, found: re.Match[str]) -> str:
        begin, end = found.group(1).casefold(), found.group(2).casefold()
        value = self._short.get((begin[:SHORT_SIDE], end[-SHORT_SIDE:]), "")
        if not (value.startswith(begin) and value.endswith(end)):
            return found.group()
        return self._first(value)

    def _first(self, value: str) -> str:
        return self._stand_in(self._kinds[value.casefold()][0], value)


def _without_kind(before: str, stand_in: str) -> str:
    """`before` without the `user:` of a key: the stand-in says of what kind it is."""
    kind = stand_in.partition("#")[0]
    shorter = before.removesuffix(f"{kind}:")
    return before if shorter[-1:].isalnum() else shorter


def _stands_out(value: str) -> bool:
    """Whether it is seen to be an id without its name: long enough, and no plain word."""
    return len(value) >= LEAST_BARE and any(sign.isdigit() for sign in value)


def _ids_in(key: str) -> Iterable[tuple[str, str]]:
    """(kind, id) of a key. A row's key names its table, whose singular is the kind."""
    kind, value = split_key(key)
    if kind == "row":
        table, slash, primary = value.rpartition("/")
        if slash and primary:
            yield split_key(_RULES.row_keys(table, primary)[1])
    elif kind and value and kind not in MACHINES:
        yield kind, value
