"""A filter as one typed line, and back.

    level:error source:web -source:cache key:order:4711 lane:queue "some words" /re.*x/

Conditions stand side by side and all must hold; a dash before one hides what meets it. A word
alone, or words in quotes, are searched in the text as they are; between slashes stands a regular
expression. What names none of our fields (`status:500`) is text like any other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from timeline.event import Lane, Precision
from timeline.filter_terms import LEVELS, Field, Filter, Part, named
from timeline.words import LANE_WORDS, day, wall_time

EXAMPLE = 'level:warn source:web -actor:cron "some words" /re.*x/'
"""What may be typed, for an empty line."""

_Known = TypeVar("_Known", str, Lane)

_TOKEN = re.compile(
    r"""(?P<hides>-(?=\S))?
    (?:
        (?P<name>[A-Za-z]+):(?:"(?P<value>(?:\\.|[^"\\])*)"(?=\s|$)|(?P<word>[^\s"]\S*)|(?=\s|$))
      | "(?P<quoted>(?:\\.|[^"\\])*)"(?=\s|$)
      | /(?P<regex>(?:\\.|[^\\/])+)/(?=\s|$)
      | (?P<bare>\S+)
    )""",
    re.VERBOSE,
)
_NAMED = {field.value: field for field in Field if field not in (Field.TEXT, Field.REGEX)}
_LEVELS = {
    **{name: name for name in LEVELS},
    "warning": "warn",
    "err": "error",
    "critical": "fatal",
}
_LANES = {
    **{lane.value: lane for lane in Lane},
    **{word: lane for lane, word in LANE_WORDS.items()},
}


class FilterProblem(ValueError):
    """The line cannot be meant; the message says where and what can be written."""


def parse_filter(
    line: str,
    *,
    sources: Sequence[str] = (),
    instant: Callable[[str], int] | None = None,
) -> Filter:
    """Understand a typed line.

    `sources` are the names there are, so that a slip is told; `instant` reads a time (ns UTC) or
    raises ValueError. Raises `FilterProblem` with one sentence.
    """
    wanted = Filter()
    for token in _TOKEN.finditer(line):
        wanted = wanted.adding(_part(token, sources, instant))
    return wanted


def _part(
    token: re.Match[str], sources: Sequence[str], instant: Callable[[str], int] | None
) -> Part:
    hides = token["hides"] is not None
    if token["regex"] is not None:
        return _regex(token["regex"].replace(r"\/", "/"), hides)
    if token["quoted"] is not None:
        return Part(Field.TEXT, _unquoted(token["quoted"]), hides)
    name = (token["name"] or "").lower()
    if name not in _NAMED:
        return Part(Field.TEXT, token.group().removeprefix("-" if hides else ""), hides)
    value = token["word"] if token["value"] is None else _unquoted(token["value"])
    if not value:
        raise FilterProblem(f"{name}: needs a value, as in {_SAMPLES[_NAMED[name]]}.")
    return _named(_NAMED[name], value, hides, sources, instant)


_SAMPLES = {
    Field.LEVEL: "level:error",
    Field.SOURCE: "source:web",
    Field.LANE: "lane:queue",
    Field.ACTOR: "actor:worker-*",
    Field.KEY: "key:order:4711",
    Field.LIKE: 'like:"took * ms"',
    Field.FROM: "from:02:07",
    Field.TO: "to:02:08",
}


def _regex(pattern: str, hides: bool) -> Part:
    from timeline.filters import pattern_problem  # its engine is not needed for plain words

    if problem := pattern_problem(pattern):
        raise FilterProblem(f"{problem}.")
    return Part(Field.REGEX, pattern, hides)


def _named(
    field: Field,
    value: str,
    hides: bool,
    sources: Sequence[str],
    instant: Callable[[str], int] | None,
) -> Part:
    match field:
        case Field.LEVEL:
            return Part(field, _one_of(field, value, _LEVELS, list(LEVELS)), hides)
        case Field.LANE:
            lane = _one_of(field, value, _LANES, list(LANE_WORDS.values()))
            return Part(field, lane.value, hides)
        case Field.SOURCE:
            if sources and not named(value, sources):
                raise FilterProblem(f"source:{value} is none of the sources: {', '.join(sources)}.")
        case Field.KEY if ":" not in value:
            raise FilterProblem(f"key:{value} needs its type, as in {_SAMPLES[field]}.")
        case Field.FROM | Field.TO:
            if hides:
                other = Field.TO if field is Field.FROM else Field.FROM
                raise FilterProblem(f"-{field}: cannot be; write {other}:{value}.")
            return _instant(field, value, instant)
        case _:
            pass
    return Part(field, value, hides)


def _one_of(field: Field, value: str, known: Mapping[str, _Known], words: list[str]) -> _Known:
    if value.lower() not in known:
        raise FilterProblem(f"{field}:{value} is none of {', '.join(words)}.")
    return known[value.lower()]


def _instant(field: Field, value: str, instant: Callable[[str], int] | None) -> Part:
    if instant is None:
        raise FilterProblem(f"{field}: needs an open window.")
    try:
        return Part(field, at=instant(value))
    except ValueError as problem:
        raise FilterProblem(f"{field}: {problem}") from None


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def spelt(wanted: Filter) -> str:
    """The line that `parse_filter` understands as this filter."""
    return " ".join(_word(part) for part in wanted.parts)


def _word(part: Part) -> str:
    dash = "-" if part.hides else ""
    match part.field:
        case Field.TEXT:
            return f"{dash}{_quoted(part.value, text=True)}"
        case Field.REGEX:
            slashes = re.sub(
                r"\\.|/", lambda m: r"\/" if m.group() == "/" else m.group(), part.value
            )
            return f"{dash}/{slashes}/"
        case Field.FROM | Field.TO:
            stamp = wall_time(part.at, Precision.NANOSECOND).rstrip("0").rstrip(".")
            return f"{part.field}:{day(part.at)}T{stamp}Z"
        case _:
            return f"{dash}{part.field}:{_quoted(part.value)}"


def _quoted(value: str, *, text: bool = False) -> str:
    """`value` as it is where that reads back the same, else in quotes."""
    plain = re.fullmatch(r"[^\s\"]\S*", value) is not None
    if plain and text:
        plain = not re.match(r"[-/]|[A-Za-z]+:", value)
    if plain:
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
