"""The table `[redact]`: its settings and what makes one of them unusable."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from halfawake.redact_config import LEAST_KEPT, NAME, Redaction
from halfawake.redact_patterns import problem_of
from halfawake.setting_types import Strict
from timeline.export.rule import Rule


def _usable(pattern: str) -> str:
    if problem := problem_of(pattern):
        raise ValueError(problem)
    return pattern


def _telling(kept: str) -> str:
    if len(kept.replace("*", "").replace("?", "")) < LEAST_KEPT:
        raise ValueError(f"{kept!r} would keep too much; name at least {LEAST_KEPT} signs of it")
    return kept


class RuleConfig(Strict):
    """`[redact.rules.NAME]`: one kind of secret that only this team has."""

    pattern: Annotated[str, AfterValidator(_usable)]
    """A regular expression; the group `secret` is replaced, all of it when there is none."""
    label: Annotated[str, Field(pattern=rf"^{NAME}$")] = ""
    """As printed and counted: `{redacted:LABEL}`; the rule's name when empty."""
    numbered: bool = False
    """Equal values get one stand-in (`patient#1`), so that they can still be joined."""


class RedactConfig(Strict):
    """`[redact]`: rules beyond the built-in ones, and values that stay."""

    keep: tuple[Annotated[str, AfterValidator(_telling)], ...] = ()
    """Values that a rule would take and that are none: `support@shop.example`, `*@shop.example`."""
    rules: dict[Annotated[str, Field(pattern=rf"^{NAME}$")], RuleConfig] = Field(
        default_factory=dict
    )

    def redaction(self) -> Redaction:
        """The rules as redaction applies them."""
        rules = (
            Rule(
                rule.label or name,
                re.compile(rule.pattern),
                pseudonym=(rule.label or name) if rule.numbered else "",
            )
            for name, rule in self.rules.items()
        )
        return Redaction(tuple(rules), self.keep)
