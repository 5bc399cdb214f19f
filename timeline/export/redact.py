"""Applies redaction rules to text and to whole documents, and counts what each rule removed.

One `Redactor` serves one export: stand-ins (`email#1`, `ip#2`) are numbered by first appearance
and stay the same throughout, so that two rows about one address can still be seen to be about
one. No mapping is kept or written: a stand-in cannot be turned back. Redacting twice changes
nothing more.

With a key, stand-ins are derived from it (`email#k3x7q2vd`) and equal over several exports; the key
is never written. Many texts are screened together (`timeline.export.gates`), so that clean ones
cost next to nothing.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from fnmatch import fnmatchcase
from typing import TypeVar, cast

from timeline.export.checks import is_secret_value
from timeline.export.gates import LONG_TEXT, Opened, opened_by_text
from timeline.export.pseudonyms import Pseudonyms
from timeline.export.redact_held import TEXTLESS, HeldTexts, field_names
from timeline.export.redact_places import Edit, Stretch, applied, edits_of, moved
from timeline.export.rule import Rule
from timeline.export.rules import RULES

T = TypeVar("T")

FEW_TEXTS = 16
"""So few texts, none of them long, are sooner redacted than screened."""
DERIVED_SIGNS = 8
"""Signs of a derived stand-in: 40 bits, so that ten thousand ids hardly ever share one."""
SYNTAX = re.compile("([`|]+)")
"""Signs that hold recorded text in code and in cells, in every format that is lines of text."""
IDS = "id"
"""Under which replaced ids are counted."""

_ALREADY = re.compile(
    r"[\s`\"'(\[<]{0,6}(?:\{redacted:|(?:email|ip|user|session)#[0-9]+[`\"'\])>.,;:]{0,6}\Z)"
)
"""What an earlier pass left, possibly quoted or set as code by a renderer since."""


class Redactor:
    """Redacts one export. Give it every text that leaves, in the order it will be read."""

    def __init__(
        self, rules: Sequence[Rule] = RULES, *, keep: Sequence[str] = (), key: bytes = b""
    ) -> None:
        """`keep` are values that stay though a rule knows them, `*` standing for any signs."""
        self._rules = tuple(rules)
        self._keep = tuple(pattern.lower() for pattern in keep)
        self._key = key
        self._ids: Pseudonyms | None = None
        self._whole = tuple(Opened(rule) for rule in self._rules)
        self._screened: dict[str, Sequence[Opened]] = {}
        self._clean: set[str] = set()
        self._plain_names: dict[str, bool] = {}
        self._fields: dict[str, Rule | None] = {}
        self._issued: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._stand_ins: dict[tuple[str, str], str] = {}
        self._numbers: Counter[str] = Counter()

    @property
    def rules(self) -> tuple[Rule, ...]:
        return self._rules

    @property
    def counts(self) -> tuple[tuple[str, int], ...]:
        """How many texts each rule replaced so far, by name; without those that found nothing."""
        return tuple(sorted(self._counts.items()))

    def with_ids(self, keys: Iterable[str]) -> None:
        """From now on replace the ids that `keys` name, wherever they stand."""
        self._ids = Pseudonyms(keys, self._id_stand_in)

    def without_ids(self) -> None:
        """Leave numbers alone from now on: in rendered text they may be coordinates."""
        self._ids = None

    def text(self, text: str) -> str:
        """`text` without its secrets, and without its ids where that was asked for."""
        if self._ids is None and self._screened.get(text) == ():
            return text
        if len(text) >= LONG_TEXT and text not in self._screened:
            self.screen([text])
        redacted = self._by(self._opened_for(text), text)
        return redacted if self._ids is None else self._ids.text(redacted)

    def texts(self, texts: Sequence[str]) -> list[str]:
        """What `text` makes of each of them, in their order."""
        if not self._rules and self._ids is None:
            return list(texts)
        redacted = list(texts)
        for row, opened in opened_by_text(texts, self._rules).items():
            redacted[row] = self._by(opened, texts[row])
        return redacted if self._ids is None else [self._ids.text(text) for text in redacted]

    def lines(self, text: str) -> str:
        """A finished text line by line, so that no replacement reaches into the next one's syntax.

        Where one would take a sign of `SYNTAX` with it, what stands between those is redacted.
        """
        before = text.split("\n")
        counts = self._counts.copy()
        after = self.texts(before)
        if not all(_same_syntax(a, b) for a, b in zip(before, after, strict=True)):
            self._counts = counts
            after = [self._between_syntax(line) for line in before]
        return "\n".join(after)

    def _between_syntax(self, line: str) -> str:
        counts = self._counts.copy()
        redacted = self.text(line)
        if _same_syntax(redacted, line):
            return redacted
        self._counts = counts
        parts = SYNTAX.split(line)
        return "".join(part if n % 2 else self.text(part) for n, part in enumerate(parts))

    def value(self, value: T) -> T:
        """`value` with every text in it redacted: dataclasses, mappings and sequences alike.

        The name of a mapping's field counts: `{"password": 1234}` has no secret text in it.
        """
        held = HeldTexts(value)
        self.screen(held.texts)
        return value if self._is_clean(held) else cast("T", self._walked(value))

    def suspects(self, texts: Iterable[str]) -> set[str]:
        """Those of `texts` that `text` could change; the others it would give back."""
        texts = tuple(texts)
        self.screen(texts)
        return set(texts) if self._ids is not None else set(texts) - self._clean

    def screen(self, texts: Iterable[str]) -> None:
        """Find out at once which rules could match which of `texts`; `text` is then fast."""
        new = [text for text in texts if text not in self._screened]
        if len(new) < FEW_TEXTS and all(len(text) < LONG_TEXT for text in new):
            return
        hits = opened_by_text(new, self._rules)
        self._screened.update((text, hits.get(row, ())) for row, text in enumerate(new))
        self._clean.update(text for row, text in enumerate(new) if row not in hits)

    def _opened_for(self, text: str) -> Iterable[Opened]:
        screened = self._screened.get(text)
        if screened is not None:
            return screened
        lowered = text.lower()
        return (
            one
            for one in self._whole
            if not one.rule.hints or any(hint in lowered for hint in one.rule.hints)
        )

    def _by(self, opened: Iterable[Opened], text: str) -> str:
        changes: list[list[Edit]] = []
        for one in opened:
            within: Sequence[Stretch] | None = one.within
            if within is not None:
                for change in changes:
                    within = moved(within, change, len(text))
            if edits := edits_of(one.rule, text, within, self._judged):
                text = applied(text, edits)
                changes.append(edits)
        return text

    def _walked(self, value: object) -> object:
        kind = type(value)
        if kind is str:  # nearly all there is, and no Enum
            return self.text(cast("str", value))
        if kind in TEXTLESS:
            return value
        if kind is dict:  # asked by type before what asks an abstract class
            return self._mapping(cast("dict[object, object]", value))
        if isinstance(value, (Enum, bool, int, float)):
            return value
        if isinstance(value, str):
            return self.text(value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return self._dataclass(value)
        if isinstance(value, Mapping):
            return self._mapping(value)
        if isinstance(value, (list, tuple)):
            return type(value)(
                item if self._is_spotless(item) else self._walked(item) for item in value
            )
        raise TypeError(f"{type(value).__name__} cannot leave in an export")

    def _is_spotless(self, value: object) -> bool:
        """Whether `value` is known to stay as it is: most records hold nothing to take out."""
        kind = type(value)
        if kind is str:
            return value in self._clean and self._ids is None
        return kind in TEXTLESS or self._is_clean(HeldTexts(value))

    def _is_clean(self, held: HeldTexts) -> bool:
        return (
            held.is_usual
            and self._ids is None
            and self._clean.issuperset(held.texts)
            and all(map(self._is_plain_name, held.names))
        )

    def _is_plain_name(self, name: str) -> bool:
        """Whether a field of that name is judged by its value alone, and the name says nothing."""
        known = self._plain_names.get(name)
        if known is None:
            ruled = any(r.field is not None and r.field.search(name) for r in self._rules)
            known = self._plain_names[name] = name in self._clean and not ruled
        return known

    def _mapping(self, value: Mapping[object, object]) -> dict[str, object]:
        names = ((key if type(key) is str else str(key), item) for key, item in value.items())
        return {self.text(name): self._field(name, item) for name, item in names}

    def _dataclass(self, value: object) -> object:
        changed = {}
        for name in field_names(type(value)):
            before = getattr(value, name)
            after = self._walked(before)
            if after != before:
                changed[name] = after
        return dataclasses.replace(value, **changed) if changed else value  # type: ignore[type-var]

    def _field(self, name: str, value: object) -> object:
        try:
            rule = self._fields[name]
        except KeyError:
            named = (r for r in self._rules if r.field is not None and r.field.search(name))
            rule = self._fields[name] = next(named, None)
        if rule is not None:
            return self._hidden(rule, value)
        if self._ids is not None and isinstance(value, int) and not isinstance(value, bool):
            return self._ids.field(name, value)
        return self._walked(value)

    def _hidden(self, rule: Rule, value: object) -> object:
        """Every leaf of a secret field's value replaced; states such as `null` stay."""
        if isinstance(value, Mapping):
            return {str(key): self._hidden(rule, item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._hidden(rule, item) for item in value]
        if value is None or isinstance(value, bool) or not is_secret_value(str(value)):
            return value
        return self._stand_in(rule, str(value))

    def _judged(self, rule: Rule, match: re.Match[str]) -> Edit | None:
        """What a match changes; None where it is no secret, or stays by the team's own word."""
        secret = match[rule.group]
        start, end = match.span(rule.group)
        if secret is None:
            secret, (start, end) = match[0], match.span()
        if not secret or self._is_redacted(secret) or not rule.accept(match):
            return None
        if self._keep and any(fnmatchcase(secret.lower(), pattern) for pattern in self._keep):
            return None
        return start, end, self._counted(rule, secret)

    def _stand_in(self, rule: Rule, secret: str) -> str:
        return secret if self._is_redacted(secret) else self._counted(rule, secret)

    def _counted(self, rule: Rule, secret: str) -> str:
        self._counts[rule.name] += 1
        if not rule.pseudonym:
            return f"{{redacted:{rule.name}}}"
        return self._numbered(rule.pseudonym, secret.replace("%40", "@").lower())

    def _id_stand_in(self, kind: str, value: str) -> str:
        self._counts[IDS] += 1
        return self._numbered(kind, value.casefold())

    def _numbered(self, kind: str, value: str) -> str:
        """The same stand-in for the same value: the next number, or derived from the key."""
        known = (kind, value)
        if known not in self._stand_ins:
            self._numbers[kind] += 1
            which = self._derived(kind, value) if self._key else str(self._numbers[kind])
            self._stand_ins[known] = f"{kind}#{which}"
            self._issued.add(self._stand_ins[known])
        return self._stand_ins[known]

    def _derived(self, kind: str, value: str) -> str:
        named = f"{kind}\0{value}".encode("utf-8", "surrogatepass")
        digest = hmac.digest(self._key, named, hashlib.sha256)
        return base64.b32encode(digest).decode().lower()[:DERIVED_SIGNS]

    def _is_redacted(self, secret: str) -> bool:
        if "#" not in secret and "{redacted:" not in secret:
            return False
        return _ALREADY.match(secret) is not None or secret.strip("`\"'()[]<>.,;: ") in self._issued


def _same_syntax(one: str, other: str) -> bool:
    return one == other or SYNTAX.findall(one) == SYNTAX.findall(other)
