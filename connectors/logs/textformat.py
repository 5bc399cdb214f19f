r"""What one text format is, and the spellings of time that the patterns of all formats share.

A pattern is one regular expression anchored at the start of the line, in the syntax that Python's
`re` and Rust's `regex` share (no look-around, `[0-9]` instead of `\d`). Standard library only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property


def words(text: str) -> tuple[str, ...]:
    """The words of a text; reads better than a column of quoted names."""
    return tuple(text.split())


CLOCK = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
FRACTION = r"(?:[.,](?P<fraction>[0-9]{1,9})[0-9]*)?"
HOURS = "[+-](?:0[0-9]|1[0-4])"
ZONE = rf"(?P<zone> ?(?:Z|UTC|GMT|{HOURS}:?(?:00|15|30|45))\b|{HOURS}\b)"
"""After a space only a full `+hh:mm` is a zone: `02:07:29 -05 items` may be a message."""
DATE = r"(?P<year>[0-9]{4})[-/](?P<month>[0-9]{2})[-/](?P<day>[0-9]{2})"
MONTH = r"(?P<month>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"

ISO = rf"{DATE}[T ]{CLOCK}{FRACTION}{ZONE}?"
CLF_LOCAL = rf"(?P<day>[0-9]{{2}})/{MONTH}/(?P<year>[0-9]{{4}}):{CLOCK}{FRACTION}"
CLF = rf"{CLF_LOCAL} (?P<zone>[+-][0-9]{{4}})"
CALLER = r'(?:-(?: [^\s\["]\S*)+|[^\s-]\S* \S+|-\S+ \S+)'
"""Identity and user of an access log. Servers write a user's name as the client sent it, with its
blanks (RFC 7617 allows them); nobody has asked for an identity (`-`) for decades. At each character
one way alone goes on, which engines read faster."""
EPOCH = r"(?P<epoch>[0-9]{9,11}(?:\.[0-9]{1,9})?|[0-9]{12,14}(?:\.[0-9]{1,9})?|[0-9]{15,19})"
CTIME = (
    rf"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) {MONTH} {{1,2}}(?P<day>[0-9]{{1,2}}) {CLOCK}{FRACTION}"
    r" (?P<year>[0-9]{4})"
)
RFC_DATE = rf"(?P<day>[0-9]{{1,2}}) {MONTH} (?P<year>[0-9]{{4}}) {CLOCK}{FRACTION}"


@dataclass(frozen=True)
class TextFormat:
    """One line format. `sides` are extra patterns with one group for parts of no fixed place."""

    name: str
    pattern: str
    example: str
    sides: tuple[tuple[str, str], ...] = ()
    weak: str = ""
    """Empty when a match is proof enough. Otherwise at least half of the sample's `records` (lines
    that some format claims) or of all its `lines` must match before the format is believed."""
    opens: str = ""
    """Characters a line may begin with; spares compiling patterns that cannot match."""
    holds: str = ""
    """A text that must stand in the line, for the same reason."""
    labelled: tuple[tuple[str, str], ...] = ()
    """Like `sides`: parts that follow the message on lines of their own, after their label."""
    doubled_quotes: bool = False
    """Whether the sides are quoted as CSV does it (`""`), not with backslashes."""
    repeats: str = ""
    """A pattern with one group: lines that repeat the stamp but belong to the record above. What
    stands before the group is left out of the body."""

    def match(self, line: str) -> re.Match[str] | None:
        """The match of a line that begins a record of this format."""
        if (self.opens and line[:1] not in self.opens) or self.holds not in line:
            return None
        return self.compiled.match(line)

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern)

    @cached_property
    def groups(self) -> frozenset[str]:
        return frozenset(self.compiled.groupindex)

    @cached_property
    def repeating(self) -> re.Pattern[str] | None:
        return re.compile(self.repeats) if self.repeats else None

    @property
    def with_head(self) -> str:
        """The pattern with all that it matched in a group of its own, `head`."""
        return f"^(?P<head>{self.pattern.removeprefix('^')})"

    @cached_property
    def compiled_sides(self) -> tuple[tuple[str, re.Pattern[str]], ...]:
        return tuple((role, re.compile(pattern)) for role, pattern in self.sides)

    @cached_property
    def compiled_labelled(self) -> tuple[tuple[str, re.Pattern[str]], ...]:
        return tuple((label, re.compile(pattern)) for label, pattern in self.labelled)
