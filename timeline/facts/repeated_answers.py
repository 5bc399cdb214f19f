"""Whether somebody says the same of one piece of work again: the mark of one that is asked again.

A client that gave up waiting asks the same once more, under the same id, and the server that was
too slow for it answers each time with the same line. Only how long it took differs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

_TOOK = re.compile(r"\b\d+(?:\.\d+)? ?(?:ns|[µu]s|ms|s|sec|seconds)\b")


def answers_alike(
    answer: Mapping[str, Any], lines: Iterable[Mapping[str, Any]], until: int
) -> bool:
    """Whether any of the `lines` (LINE_SCHEMA) up to the instant `until` (ns UTC) says what
    `answer` says, but for how long the work took."""
    plain = _TOOK.sub("", answer["body"])
    earlier = (line["body"] for line in lines if line["timestamp"] <= until)
    return any(_TOOK.sub("", body) == plain for body in earlier)
