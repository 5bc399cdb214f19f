"""Applies redaction rules to text and to whole documents, and counts what each rule removed.

One `Redactor` serves one export: stand-ins (`email#1`, `ip#2`) are numbered by first appearance
and stay the same throughout, so that two rows about one address can still be seen to be about
one. No mapping is kept or written: a stand-in cannot be turned back. Redacting twice changes
nothing more.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import Enum
from functools import partial
from typing import TypeVar, cast

from timeline.export.checks import is_secret_value
from timeline.export.rule import Rule
from timeline.export.rules import RULES

T = TypeVar("T")

_ALREADY = re.compile(
    r"[\s`\"'(\[<]{0,6}(?:\{redacted:|(?:email|ip|user|session)#[0-9]+[`\"'\])>.,;:]{0,6}\Z)"
)
"""What an earlier pass left, possibly quoted or set as code by a renderer since."""


class Redactor:
    """Redacts one export. Give it every text that leaves, in the order it will be read."""

    def __init__(self, rules: Sequence[Rule] = RULES) -> None:
        self._rules = tuple(rules)
        self._counts: Counter[str] = Counter()
        self._stand_ins: dict[tuple[str, str], str] = {}
        self._numbers: Counter[str] = Counter()

    @property
    def counts(self) -> tuple[tuple[str, int], ...]:
        """How many texts each rule replaced so far, by name; without those that found nothing."""
        return tuple(sorted(self._counts.items()))

    def text(self, text: str) -> str:
        """`text` without its secrets."""
        lowered = text.lower()
        for rule in self._rules:
            if not rule.hints or any(hint in lowered for hint in rule.hints):
                text = rule.pattern.sub(partial(self._replaced, rule), text)
        return text

    def value(self, value: T) -> T:
        """`value` with every text in it redacted: dataclasses, mappings and sequences alike.

        The name of a mapping's field counts: `{"password": 1234}` has no secret text in it.
        """
        return cast("T", self._walked(value))

    def _walked(self, value: object) -> object:
        if isinstance(value, Enum) or value is None or isinstance(value, (bool, int, float)):
            return value
        if isinstance(value, str):
            return self.text(value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return self._dataclass(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self._field(str(key), item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(self._walked(item) for item in value)
        raise TypeError(f"{type(value).__name__} cannot leave in an export")

    def _dataclass(self, value: object) -> object:
        changed = {}
        for field in dataclasses.fields(value):  # type: ignore[arg-type]  # checked by the caller
            before = getattr(value, field.name)
            after = self._walked(before)
            if after != before:
                changed[field.name] = after
        return dataclasses.replace(value, **changed) if changed else value  # type: ignore[type-var]

    def _field(self, name: str, value: object) -> object:
        rule = next((r for r in self._rules if r.field is not None and r.field.search(name)), None)
        return self._walked(value) if rule is None else self._hidden(rule, value)

    def _hidden(self, rule: Rule, value: object) -> object:
        """Every leaf of a secret field's value replaced; states such as `null` stay."""
        if isinstance(value, Mapping):
            return {str(key): self._hidden(rule, item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._hidden(rule, item) for item in value]
        if value is None or isinstance(value, bool) or not is_secret_value(str(value)):
            return value
        return self._stand_in(rule, str(value))

    def _replaced(self, rule: Rule, match: re.Match[str]) -> str:
        found = match.groupdict()
        group: str | int = next((g for g in ("secret", "bare") if found.get(g) is not None), 0)
        secret = match.group(group)
        if not secret or _is_redacted(secret) or not rule.accept(match):
            return match.group()
        start, end = match.span(group)
        whole, offset = match.group(), match.start()
        return whole[: start - offset] + self._stand_in(rule, secret) + whole[end - offset :]

    def _stand_in(self, rule: Rule, secret: str) -> str:
        if _is_redacted(secret):
            return secret
        self._counts[rule.name] += 1
        if not rule.pseudonym:
            return f"{{redacted:{rule.name}}}"
        known = (rule.pseudonym, secret.replace("%40", "@").lower())
        if known not in self._stand_ins:
            self._numbers[rule.pseudonym] += 1
            self._stand_ins[known] = f"{rule.pseudonym}#{self._numbers[rule.pseudonym]}"
        return self._stand_ins[known]


def _is_redacted(secret: str) -> bool:
    return _ALREADY.match(secret) is not None
