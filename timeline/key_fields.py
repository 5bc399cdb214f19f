"""Where keys stand in a line of text: the field rules, in a syntax Python and Rust read alike.

Owns the patterns of `name` + separator + `value` for JSON, logfmt, Ruby hashes, nested JSON
strings and EDN, and the two engines that run them: `re` over one text, Polars over a column.
Every class is written out in ASCII, and every rule is its own scan, so that both engines find
the same pairs. Decides nothing about types: `timeline.keys` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

QUOTE = r"""\\{0,3}["']"""
"""A quotation mark, escaped once or twice when the object is itself a JSON string."""
SEPARATOR = rf"(?:{QUOTE})? {{0,2}}[:=]>? {{0,2}}(?:{QUOTE})?"
VALUE = "[A-Za-z0-9](?:[0-9A-Za-z_.+/=-]{0,62}[0-9A-Za-z_=])?(?::[0-9A-F]{8}\\b)?"
"""At most 64 characters; a full stop or dash that ends a sentence is no part of it. Kestrel numbers
the requests of one connection behind a colon: `0HMVD2A5K3R1P:00000002`."""
NOT_VALUES = ("null", "Null", "NULL", "none", "None", "nil", "undefined", "true", "false", "NaN")
"""What serialisers print instead of an id."""

WORD_EDGE = r"\b"
_NAME_ENDS = "[:=]"
_AROUND_NAME = ":\"'\\ "
_BEFORE_VALUE = ":=>-\"'\\ "


def bare_name(name: str) -> str:
    """The name without the quotation marks, spaces and colons around it."""
    return name.strip(_AROUND_NAME)


@dataclass(frozen=True)
class FieldRule:
    """One shape of a named value. `name`, `joint` and `value` follow each other in the text.

    Patterns without a literal in front cost ten times as much as literals, so a column is first
    reduced: a match contains one of the literal `marks` (when there are any) and `only_if` (when
    set). `name_ends` and `value_follows` find, inside a match, the first character after the
    name and the last before the value.
    """

    name: str
    joint: str = SEPARATOR
    value: str = VALUE
    marks: tuple[str, ...] = ()
    only_if: str = ""
    name_ends: str = _NAME_ENDS
    value_follows: str = _NAME_ENDS
    starts: str = WORD_EDGE

    @cached_property
    def python(self) -> re.Pattern[str]:
        return re.compile(rf"{self.starts}({self.name}){self.joint}({self.value})", re.ASCII)

    @property
    def rust(self) -> str:
        starts = r"(?-u:\b)" if self.starts == WORD_EDGE else self.starts
        return f"{starts}{self.name}{self.joint}{self.value}"

    def covers(self, field: str) -> bool:
        """Whether a field of this name is found by the rule."""
        return re.fullmatch(self.name, field) is not None

    def pairs(self, text: str) -> Iterator[tuple[str, str]]:
        """(name, value) pairs of one text."""
        if self.marks and not any(mark in text for mark in self.marks):
            return
        if self.only_if and re.search(self.only_if, text) is None:
            return
        for match in self.python.finditer(text):
            yield match.group(1), match.group(2)

    def column_pairs(self, lines: pl.DataFrame) -> pl.DataFrame:
        """Frame `row`, `name`, `value` for a frame `row`, `text`, in text order.

        A name may still have quotation marks around it; `bare_name` takes them off.
        """
        import polars as pl

        for needed in (any_of(self.marks), self.only_if):
            if needed and lines.height:
                lines = lines.filter(lines.get_column("text").str.contains(needed))
        if lines.is_empty():  # even a search in nothing reads its pattern first
            return lines.select("row", name="text", value="text")
        found = matches(lines, self.rust)
        match, same = pl.col("match"), self.value_follows == self.name_ends
        return found.with_columns(match.str.find(self.name_ends).alias("end")).select(
            "row",
            match.str.head(pl.col("end")).alias("name"),
            match.str.slice(pl.col("end") if same else match.str.find(self.value_follows))
            .str.strip_chars_start(_BEFORE_VALUE)
            .alias("value"),
        )


def any_of(literals: Iterable[str]) -> str:
    """A pattern of literal alternatives, in the order given."""
    return "|".join(re.escape(literal) for literal in literals)


def matches(lines: pl.DataFrame, pattern: str) -> pl.DataFrame:
    """Frame `row`, `match` of every match of a Rust pattern in a frame `row`, `text`."""
    import polars as pl

    listed = lines.get_column("text").str.extract_all(pattern).alias("match")
    found = pl.DataFrame([lines.get_column("row"), listed])
    return found.explode("match", empty_as_null=False, keep_nulls=False)


_WORD = "[A-Za-z]{1,20}"
NAMED_IDS: tuple[FieldRule, ...] = (
    # user_id
    FieldRule("[A-Za-z]{2,31}_id"),
    # provider_job_id
    FieldRule(rf"{_WORD}(?:_{_WORD}){{1,3}}_id", only_if=f"_{_WORD}_id"),
    # userId, userID
    FieldRule("[a-z]{2,31}I[dD]", marks=("Id", "ID")),
    # providerJobId, UserId
    FieldRule(
        "(?:[a-z]{1,20}(?:[A-Z][a-z]{1,20}){1,3}|(?:[A-Z][a-z]{1,20}){1,4})I[dD]",
        marks=("Id", "ID"),
        only_if="[A-Z][a-z]{1,20}I[dD]",
    ),
    # X-Request-Id, USER_ID
    FieldRule(
        rf"{_WORD}(?:[_-]{_WORD}){{0,3}}(?:-[iI][dD]|_ID)", marks=("-id", "-Id", "-ID", "_ID")
    ),
)
"""Fields whose name says that they hold an id, in the spellings of the usual languages."""

_OPENINGS = ('{"id', "{'id", '{ "id', '{\\"id', '{\\\\\\"id')
NESTED_ID = FieldRule(
    rf"{_WORD}(?:_{_WORD}){{0,3}}",
    joint=rf"{QUOTE} {{0,2}}: {{0,2}}(?:{any_of(_OPENINGS)}){QUOTE} {{0,2}}: {{0,2}}(?:{QUOTE})?",
    marks=_OPENINGS,
    name_ends="[\"'\\\\]",
    value_follows=":[^:]*$",
)
"""`"user": {"id": 4711`: an object named after the thing, whose first member is its id."""

EDN_ID = FieldRule(
    rf"{_WORD}(?:-{_WORD}){{0,3}}-id",
    starts=":",
    joint=' "?',
    marks=("-id ",),
    name_ends=" ",
    value_follows=" ",
)
"""`:user-id 4711`, as Clojure prints its maps."""


def literal_rules(fields: Iterable[str]) -> list[FieldRule]:
    """Rules for exactly these field names, longest first; none for no names."""
    ordered = sorted(set(fields), key=lambda field: (-len(field), field))
    words = [field for field in ordered if re.match(r"\w", field, re.ASCII)]
    others = [field for field in ordered if field not in words]
    return [
        FieldRule("(?:" + any_of(names) + ")", marks=tuple(names), starts=starts)
        for names, starts in ((words, WORD_EDGE), (others, ""))
        if names
    ]


TRACEPARENT = FieldRule(
    "traceparent",
    joint=SEPARATOR + "[0-9a-f]{2}-",
    value="[0-9a-f]{32}",
    marks=("traceparent",),
    value_follows="-",
)
"""The trace id inside a W3C `traceparent` header (version-traceid-parent-flags)."""


def uncovered(fields: Iterable[str]) -> list[str]:
    """The field names that no rule of this module finds by itself."""
    return [
        field
        for field in fields
        if not any(rule.covers(field) for rule in (*NAMED_IDS, TRACEPARENT))
    ]


_ID_SUFFIX = re.compile(r"[_.-][iI][dD]$|(?<=[a-z])I[dD]$")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def snake(name: str) -> str:
    """`orderItem`, `order-item` and `Order::Item` all become `order_item`."""
    return _HUMP.sub("_", re.sub(r"::|[.-]", "_", name)).lower()


def thing_named_by(field: str) -> str:
    """What the id in a field names: `user` for `user_id`, `userId`, `User-ID`; "" for `id`."""
    return snake(_ID_SUFFIX.sub("", field)) if field.lower() != "id" else ""
