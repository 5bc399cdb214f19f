"""What the header says of what is next and what was blind, made to fit without losing its point.

A sentence is given whole where there is room; else ids are abridged, lists become counts, and only
then is it cut. Blind spots are told phrase by phrase, and how many are left to `s`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.cells import cell_len

from tui.pieces import cut, wrap

_ASIDE = re.compile(r" \([^()]*\)")
"""What stands in parentheses explains: the items of a count, a moment."""
_LIST = re.compile(r"(?P<first>[\w:./-]+)(?P<others>(?:, [\w:./-]+)+) and (?P<more>[0-9]+) more")
_CLAUSE_ENDS = re.compile(r"; | \(|, ")
_UNBROKEN = "\N{NO-BREAK SPACE}"
SHORTEST_CLAUSE = 12
"""Cells of a blind spot's reason that still say something."""


def action_pieces(action: str, width: int, room: int) -> list[str]:
    """`action` on at most `room` lines of `width` cells; the proof names every id in full."""
    room = max(room, 1)
    pieces = _whole(action, width, room)
    if len(pieces) <= room:
        return pieces
    return [*pieces[: room - 1], cut(" ".join(pieces[room - 1 :]), width)]


def action_fits(action: str, width: int, room: int) -> bool:
    """Whether nothing of it but ids and lists would have to go."""
    return not action or len(_whole(action, width, room)) <= room


def _whole(action: str, width: int, room: int) -> list[str]:
    """The longest wording that fits, else the shortest."""
    pieces = wrap(action, width)
    if len(pieces) <= room:
        return pieces
    from timeline.facts.words import abridged

    short = _LIST.sub(_counted, abridged(action))
    for shorter in (abridged(action), short, _ASIDE.sub("", short)):
        pieces = wrap(shorter, width)
        if len(pieces) <= room:
            break
    return pieces


def _counted(listed: re.Match[str]) -> str:
    more = listed["others"].count(",") + int(listed["more"])
    return f"{listed['first']} and {more} more"


def blind_pieces(phrases: Sequence[str], width: int, room: int) -> list[str]:
    """As many whole phrases as fit on `room` lines, and how many there are for whoever presses s.

    A first phrase that does not fit ends with one of its clauses.
    """
    whole = wrap("; ".join(phrases), width)
    if len(whole) <= room or not phrases:
        return whole[:room]
    total = len(phrases)
    told = f"s tells all {total}" if total > 1 else "s tells more"
    rest = " " + f"\N{MIDDLE DOT} {told}".replace(" ", _UNBROKEN)
    return [piece.replace(_UNBROKEN, " ") for piece in _beginning(phrases, rest, width, room)]


def _beginning(phrases: Sequence[str], rest: str, width: int, room: int) -> list[str]:
    kept: list[str] = []
    for phrase in phrases:
        if len(wrap(f"{'; '.join([*kept, phrase])}{rest}", width)) > room:
            break
        kept.append(phrase)
    if kept:
        return wrap(f"{'; '.join(kept)}{rest}", width)
    first = _first_clauses(phrases[0], width * room - cell_len(rest) - (room - 1) * 8)
    return wrap(f"{first}{rest}", width)[:room]


def _first_clauses(phrase: str, width: int) -> str:
    """The longest beginning of `phrase` that ends where a clause does; cut where none fits."""
    ends = [found.start() for found in _CLAUSE_ENDS.finditer(phrase)]
    fitting = [end for end in ends if SHORTEST_CLAUSE <= cell_len(phrase[:end]) <= width]
    return phrase[: fitting[-1]] if fitting else cut(phrase, width)
