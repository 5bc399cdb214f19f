"""Stack traces of Java, Clojure, Python, Ruby, Node, Go, Elixir and .NET below a stamped line."""

from __future__ import annotations

import re

from timeline.pasted.contract import Pasted
from timeline.pasted.fields import keys_in
from timeline.pasted.log_line import plain_lines

SEARCHED = 300_000

_LANGUAGES: tuple[tuple[str, str], ...] = (
    ("Python", r"^ *Traceback \(most recent call last\):|^ +File \"[^\"\n]+\", line \d+"),
    (
        "Clojure",
        r"\([^\s()]{0,200}\.clj[cs]?:\d+\)|^ ?:via\b|#error \{",
    ),
    (".NET", r"^ +at [\w.<>`\[\],]+\([^)\n]*\) in .{1,300}:line \d+|^ +at System\.[\w.`<>]+\("),
    (
        "Java",
        r"^[ \t]+at [\w.$/]+\((?:[\w$]+\.(?:java|kt|scala|groovy):\d+|Native Method)\)",
    ),
    ("Node", r"^ +at .{1,200}(?:\(|file://|/)[^()\n]{1,300}:\d+:\d+\)?$|\(node:internal/"),
    ("Go", r"^goroutine \d+ \[|^[ \t]+/\S{1,300}\.go:\d+ \+0x"),
    ("Elixir", r"^ *\(\w{1,80} \d+\.[\w.-]{1,40}\) \S{1,300}\.exs?:\d+:|^\*\* \(\w[\w.]*\)"),
    ("Ruby", r"\w\.rb:\d+:in [`'\"]"),
)


def understood(text: str) -> Pasted | None:
    language = _language(text[:SEARCHED])
    if language is None or text.lstrip()[:1] == "{":
        return None
    kind = f"{language} stack trace"
    told = plain_lines(kind, text)
    if told is not None:
        return told
    return Pasted(kind, keys=keys_in(text), remarks=("no line of it has a stamp",))


def _language(text: str) -> str | None:
    for name, pattern in _LANGUAGES:
        if re.search(pattern, text, re.MULTILINE):
            return name
    return None
