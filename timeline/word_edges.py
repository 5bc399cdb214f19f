r"""Edges of words that cost the same in every language.

`\b` of Unicode cannot be decided by the fast automaton of the `regex` crate: as soon as a text
holds one character beyond ASCII, the slow machine takes over, which needs two microseconds for
every byte. One `ü`, one line of Japanese or the sign that stands for a line break in a trace is
enough. Edges of ASCII are always fast. What is looked for at such edges is written in ASCII, so
both find the same, but for one thing: a letter beyond ASCII right beside the word is an edge too,
as it should be in languages that put no blanks between words.
"""

from __future__ import annotations

import re
from functools import cache

EDGE = r"(?-u:\b)"
"""An edge between ASCII letters, digits, underscores and everything else (dialect of `regex`)."""
_ESCAPED = re.compile(r"\\(.)(\{?)", re.DOTALL)


@cache
def plain_edges(pattern: str) -> str:
    r"""`pattern` (dialect of the `regex` crate) with every `\b` as an edge of ASCII.

    For Polars alone: Python's `re` does not know that spelling. `\b{start}` and its like stay.
    """
    return _ESCAPED.sub(
        lambda found: EDGE if found.group(1) == "b" and not found.group(2) else found.group(),
        pattern,
    )
