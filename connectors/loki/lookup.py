"""The queries that find a key: its value in the line, and in the fields beside the line."""

from __future__ import annotations

import json
import re

from timeline.keys import KeyRules, split_key

_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def queries_for(query: str, key: str, rules: KeyRules) -> tuple[str, ...]:
    """`query` narrowed to lines with the key's value, and to structured metadata that holds it.

    A line filter does not see structured metadata; a label filter does (Loki 3, "Structured
    metadata"). The value is quoted as LogQL and JSON both quote.
    """
    kind, value = split_key(key)
    quoted = json.dumps(value, ensure_ascii=False)
    named = rules.named(kind)
    fields = named.fields if named is not None else (f"{kind}_id",)
    labels = [name for name in fields if _LABEL.fullmatch(name)]
    beside = " or ".join(f"{name}={quoted}" for name in labels)
    return (f"{query} |= {quoted}", *([f"{query} | {beside}"] if labels else []))
