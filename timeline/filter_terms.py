"""What a row must have to be shown: a filter as a value, part by part, and searched texts.

Standard library only, since a filter may be set before the first row has arrived. Which rows pass
is worked out in `timeline.filters`; how a filter is typed stands in `timeline.filter_line`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from timeline.event import SEVERITY_NAMES

LEVELS: dict[str, int] = {name.lower(): floor for floor, name in SEVERITY_NAMES}
"""`error` and its like: the least OpenTelemetry severity number of each."""

CASE_ASIDE = "(?i)"
"""Before a pattern that finds capitals and small letters alike."""

_ESCAPES = r"(?s)\\(?:[pP]\{[^}]*\}|[pP].|x\{[^}]*\}|.)"


class Field(StrEnum):
    """What a part of a filter looks at; the value is the word it is typed with."""

    TEXT = "text"
    REGEX = "regex"
    LEVEL = "level"
    SOURCE = "source"
    LANE = "lane"
    ACTOR = "actor"
    KEY = "key"
    LIKE = "like"
    FROM = "from"
    TO = "to"


@dataclass(frozen=True, slots=True)
class Needle:
    """A text that is searched in bodies: literally, or as a regular expression.

    Case counts only when a capital letter is written; the class in `\\S` is no capital.
    """

    text: str
    regex: bool = False

    @property
    def typed(self) -> str:
        """The line that `needle_of` understands as this."""
        if self.regex:
            return f"/{self.text}/"
        return f'"{self.text}"' if needle_of(self.text) != self else self.text

    @property
    def minds_case(self) -> bool:
        letters = re.sub(_ESCAPES, "", self.text) if self.regex else self.text
        return letters != letters.lower()

    def pattern(self) -> str:
        """The regular expression, in Rust's syntax, that `text` stands for."""
        pattern = self.text if self.regex else re.escape(self.text)
        return pattern if self.minds_case else CASE_ASIDE + pattern

    def in_literally(self, body: str) -> bool:
        """Whether `body` holds a literal text; a regular expression is never tried here."""
        if self.regex:
            return False
        return self.text in body if self.minds_case else self.text.lower() in body.lower()


def needle_of(line: str) -> Needle | None:
    """What a typed search means: a text as it stands, in quotes or not, or `/an expression/`."""
    text = line.strip()
    if len(text) > 2 and text[0] == text[-1] == "/":
        return Needle(text[1:-1], regex=True)
    if len(text) > 2 and text[0] == text[-1] == '"':
        text = text[1:-1]
    return Needle(text) if text else None


@dataclass(frozen=True, slots=True)
class Part:
    """One condition. `hides` turns it round: rows that meet it are not shown.

    `value` is a text, a regular expression, a level of `LEVELS`, a lane, a key, a shape
    (`timeline.shapes`), or a source or actor in which `*` stands for anything. `at` is the
    instant (ns UTC) of `FROM`, which counts itself, and `TO`, which does not.
    """

    field: Field
    value: str = ""
    hides: bool = False
    at: int = 0

    @property
    def needle(self) -> Needle:
        """What is searched in bodies; meant for `TEXT` and `REGEX`."""
        return Needle(self.value, self.field is Field.REGEX)


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions a row must meet; without any, every row passes.

    Of texts, expressions and instants each must hold. Of several levels, lanes, sources, actors,
    keys or shapes any will do. Of what hides, none may hold.
    """

    parts: tuple[Part, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.parts)

    def adding(self, part: Part) -> Filter:
        """With one more condition. The same, its opposite, and another level give way to it."""
        alike = {part, Part(part.field, part.value, not part.hides, part.at)}
        if part.field is Field.LEVEL:
            alike |= {one for one in self.wanted(Field.LEVEL) if not part.hides}
        return Filter((*(one for one in self.parts if one not in alike), part))

    def wanted(self, field: Field) -> tuple[Part, ...]:
        """Conditions of one kind that rows must meet."""
        return tuple(part for part in self.parts if part.field is field and not part.hides)

    @property
    def hidden(self) -> tuple[Part, ...]:
        """Conditions that hide rows."""
        return tuple(part for part in self.parts if part.hides)


def named(pattern: str, names: Iterable[str]) -> list[str]:
    """The names that `pattern` means: itself, in capitals or not, `*` standing for anything."""
    found = re.compile(".*".join(re.escape(piece) for piece in pattern.split("*")), re.IGNORECASE)
    return [name for name in names if found.fullmatch(name)]
