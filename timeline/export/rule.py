"""What one redaction rule is. The built-in ones are listed in `timeline.export.rules`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as worked_out


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
    starts: re.Pattern[str] | None = None
    """Found at every place where `pattern` can match, and quick to search: no assertion in front,
    no letter of either case, at most `redact_places.HEAD` signs. Searched in the text with its
    ASCII letters lowered where `pattern` ignores case. None: `pattern` is quick by itself."""
    lead: re.Pattern[str] | None = None
    """What stands between the begin of a match and its `starts`, read backwards."""
    run: re.Pattern[str] | None = None
    """A match that fails where it begins also fails at every later `starts` in the same run of
    these signs whose end is not more than `redact_places.LONGEST_RUN` away."""
    folds: bool = worked_out(init=False)
    """Whether `starts` is searched in lowered text."""
    group: str | int = worked_out(init=False)
    """What of a match is the secret."""

    def __post_init__(self) -> None:
        named = self.pattern.groupindex
        told = next((name for name in ("secret", "bare") if name in named), 0)
        object.__setattr__(self, "group", told)
        object.__setattr__(self, "folds", bool(self.pattern.flags & re.IGNORECASE))
