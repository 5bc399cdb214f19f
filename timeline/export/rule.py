"""What one redaction rule is. The built-in ones are listed in `timeline.export.rules`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass


def always(_match: re.Match[str]) -> bool:
    """The pattern alone decides."""
    return True


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of secret.

    The named group `secret` (or `bare`) of `pattern` is replaced, the whole match when there is
    neither, so that the words around a secret still tell the story.
    """

    name: str
    """As printed with its count, and inside `{redacted:NAME}`."""
    pattern: re.Pattern[str]
    accept: Callable[[re.Match[str]], bool] = always
    """Asked for every match; False leaves the text alone."""
    pseudonym: str = ""
    """When set, equal values get one numbered stand-in (`email#1`), so that joins survive."""
    field: re.Pattern[str] | None = None
    """Names of structured fields (JSON attributes) whose whole value is such a secret."""
    hints: tuple[str, ...] = ()
    """Lower-case texts; one without any of them cannot match and is not searched at all."""
    gate: str = ""
    """What `timeline.export.gates` asks of whole columns; empty: the rule is tried on all texts."""
