"""Nothing from outside is active in `list`, `slack`, `jira` or `csv`, wherever it may reach.

What a place of pasting acts upon is written down here a second time, apart from the code that
defuses it; the first tests show that these judges find what they are to find.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given, settings

from tests.export.pasted import REFERENCES, page
from tests.export.test_injection import HOSTILE, MESSAGES, UNSEEN, rendered
from tests.tui.hostile import HOSTILE as TERMINAL
from timeline.export.contract import Exporter
from timeline.export.csv_ import CsvExporter
from timeline.export.injection import one_line
from timeline.export.jira import JiraExporter, noformat, wiki
from timeline.export.list_ import ListExporter
from timeline.export.slack import BETWEEN, MESSAGE_CHARACTERS, SlackExporter

LONGEST = 30_000
"""Of the longest texts made for terminals: enough to exceed every limit of a line."""
MORE = (
    "@here", "@channel", "@everyone now", "<!here>", "<!channel|channel>", "<!everyone>",
    "<@U024BE7LH>", "<@U024BE7LH|ann>", "<!subteam^SAZ94GDB8>", "<#C024BE7LR>",
    "<https://tracker.example.org|click>", "```\n<!channel>\n```", "`` ` `` ```` @here ````",
    "```", "-----", "*1/3* incident at T", "&lt;!channel&gt;", "/invite @ann", "*bold* _it_ ~no~",
    "{noformat}", "{noformat}{color:red}x{color}", "{NOFORMAT:title=x}", "{ noformat }",
    "{code:java}x{code}", "{quote}", "{panel:title=x}", "{{mono}}", "\\{color:red}x\\{color}",
    "\\\\{html}<b>x</b>{html}", "{include:page}", "{jql-table:jql=project=X}", "{{", "}",
    "[click|http://tracker.example.org]", "[~ann]", "[^file.txt]", "[#anchor]", "[mailto:a@b.c]",
    "\\[click|http://b]", "!http://tracker.example.org/x.png!", "!x.png|thumbnail!", "\\!x.png!",
    "|a|b|", "||a||b||", "a \\| b", "h1. heading", "bq. quote", "* item", "# item", "- item",
    "----", "a -- b --- c", ":) :( :D :P ;) (y) (n) (i) (/) (x) (!) (+) (-) (?) (on) (*) (*r)",
    "??cite?? ^up^ ~down~ +ins+ -del- _em_ *strong*", "ABC-123 fixes OPS2-7", "&#123;color&#125;",
    "https://tracker.example.org", "ftp://x file:///etc mailto:ann@example.org", "\\\\", "a\\",
    "=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://x","y")', "\t=1", "\r=1", "\n=1",
    "=cmd|' /C calc'!A0", ' =1+1', '"=1"', '","=1', "a,b;c\td", '"', '""', "'=1", "-2+3+cmd|'x'!A",
    "login ann@example.com password=hunter22secret", "postgres://u:s3cretpw@db/x?token=abcdef12345",
    '{"password": "hunter22x", "api_key": "abcd1234efgh"}', f"{'x ' * 42}password=hunter22secret",
    "Authorization: Bearer abcdef0123456789abcdef", "password={redacted:secret}}{color}",
)  # fmt: skip
TEXTS = (*HOSTILE, *(text[:LONGEST] for text in TERMINAL), *MORE)

ESCAPABLE = r"\\[-*_+?^~|%{}\[\]()!@]"
"""What a backslash makes plain in both of Atlassian's renderers; `#` in one of them only."""
WIKI = re.compile(
    r"[{}\[\]!|\\]"
    r"|://|www\.|mailto:"
    r"|(?<!\w)([*_+^~-])(?=\S).*?(?<=\S)\1(?!\w)|\?\?"
    r"|:[()DP](?!\w)|;\)|\((?:[yni/x!?+-]|on|off|\*[rgby]?)\)"
    r"|\b[A-Z][A-Z0-9_]+-[0-9]"
    r"|--"
)
WIKI_BLOCK = re.compile(r"\A\s*(?:h[1-6]\.|bq\.|[*#-]+\s|-{4})")


def active_in_jira(text: str) -> list[str]:
    """What Jira would act upon in `text`, outside of `{noformat}` and of our own frame."""
    found: list[str] = []
    inside = False
    for line in text.split("\n"):
        if line == "{noformat}":
            inside = not inside
        elif inside:
            found += re.findall(r"(?i)\{\s*noformat", line)
        else:
            found += _active_in(line)
    return [*found, "open noformat"] if inside else found


def _active_in(line: str) -> list[str]:
    if line == "||Time (UTC)||from T||Source||Event||":
        return []
    is_row = line.startswith("|")
    cells = line[1:-1].split("|") if is_row else [re.sub(r"\A(?:\* |h[23]\. )", "", line)]
    found = [f"{len(cells)} cells"] if is_row and len(cells) != 4 else []
    for cell in cells:
        plain = re.sub(ESCAPABLE, "\0", cell)
        found += [match.group() for match in WIKI.finditer(plain)]
        found += [block.group() for block in WIKI_BLOCK.finditer(plain)]
    return found


def active_in_slack(text: str) -> list[str]:
    """Pings anywhere, and anything but our own header outside of a fence."""
    found = re.findall(r"[<>]|@\w|://", text)
    messages = text.removesuffix("\n").split(f"\n{BETWEEN}\n")
    for number, message in enumerate(messages, 1):
        first, opening, *lines, closing = message.split("\n")
        if not re.fullmatch(rf"\*{number}/{len(messages)}\* incident at T [0-9TZ:.-]+", first):
            found.append(first)
        if (opening, closing) != ("```", "```"):
            found.append(f"{opening} {closing}")
        found += [line for line in lines if "```" in line]
        if len(message) >= MESSAGE_CHARACTERS:
            found.append(f"{len(message)} characters")
    return found


def cells_in(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def active_in_csv(text: str) -> list[str]:
    """Cells that a spreadsheet calculates, and lines of another width."""
    rows = cells_in(text)
    found = [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t"))]
    found += [cell for row in rows for cell in row if "\n" in cell or "\r" in cell]
    return found + [f"{len(row)} cells" for row in rows if len(row) != 10]


def active_in_list(text: str) -> list[str]:
    found = page(text)
    outside = [plain for plain in found.plain if REFERENCES.search(plain)]
    return [*found.forbidden, *found.commands, *found.headings, *found.fences, *outside]


JUDGES: dict[str, tuple[Exporter, Callable[[str], list[str]]]] = {
    "csv": (CsvExporter(), active_in_csv),
    "jira": (JiraExporter(), active_in_jira),
    "list": (ListExporter(), active_in_list),
    "slack": (SlackExporter(), active_in_slack),
}


def assert_nothing_added(name: str, text: str) -> None:
    exporter, judge = JUDGES[name]
    made = rendered(text, exporter)
    assert judge(made) == []
    if one_line(text):  # what is empty is left out
        assert shape(name, made) == harmless(name)
    assert not UNSEEN.search(made.replace("\r\n", "\n"))


def shape(name: str, text: str) -> tuple[object, ...]:
    """What no text from outside may add to: rows, bullets, fences, headings."""
    if name == "csv":
        return (len(cells_in(text)),)
    lines = text.split("\n")
    if name == "list":
        return (sum(line.startswith("- ") for line in lines), page(text).cells_by_row)
    if name == "jira":
        blocks = text.split("{noformat}\n")
        lines = "".join(blocks[::2]).split("\n")
        marks = ("h2. ", "h3. ", "* ", "|")
        return (len(blocks), *(sum(line.startswith(mark) for line in lines) for mark in marks))
    return (sum(bool(re.match(r"\d{4}-\d\d-\d\d \d\d", line)) for line in lines),)


@cache
def harmless(name: str) -> tuple[object, ...]:
    return shape(name, rendered("harmless", JUDGES[name][0]))


@pytest.mark.parametrize(
    "bad",
    [
        "{color:red}x", "[a|b]", "!x.png!", "|a|b|", "x|y", "http\\://b www.b.c", "*b*", "a :) b",
        "(x)", "OPS-1", "|h1. x|b|c|d|", "{noformat}\nx", "{noformat}\n{noformat:x}\n{noformat}",
        "\\\\{color}", "* - x", "??c??",
    ],
)  # fmt: skip
def test_the_judge_of_wiki_markup_sees_what_is_active(bad: str) -> None:
    assert active_in_jira(bad)


@pytest.mark.parametrize("bad", ["<!here>", "@here", "https://x", "``` x", "outside"])
def test_the_judge_of_messages_sees_what_is_active(bad: str) -> None:
    framed = "*1/1* incident at T 2026-03-14T02:13:40Z\n```\n{}\n```\n"
    assert active_in_slack(framed.format("plain")) == []
    assert active_in_slack(framed.format(bad) if bad != "outside" else f"x\n{framed}")


def test_the_judges_of_lists_and_tables_see_what_is_active() -> None:
    assert len(active_in_list("- [a](http://b)\n- <b>x</b>\n- @team\n\n# h\n\n/close\n")) >= 5
    assert len(active_in_csv("=1,+1,-1,@x\r\n")) == 5


def test_there_are_a_hundred_hostile_texts() -> None:
    assert len(set(TEXTS)) >= 100


@pytest.mark.parametrize("name", sorted(JUDGES))
@pytest.mark.parametrize("text", TEXTS, ids=[str(number) for number in range(len(TEXTS))])
def test_hostile_text_stays_text_everywhere(name: str, text: str) -> None:
    assert_nothing_added(name, text)


@pytest.mark.parametrize("name", sorted(JUDGES))
def test_no_text_adds_to_an_export(name: str) -> None:
    @settings(max_examples=25, deadline=None)
    @given(MESSAGES)
    def holds(text: str) -> None:
        assert_nothing_added(name, text)

    holds()


@settings(max_examples=300)
@given(MESSAGES)
def test_wiki_text_is_inert(text: str) -> None:
    assert active_in_jira(f"* {wiki(text)}") == []
    assert active_in_jira(noformat(text)) == []


@pytest.mark.parametrize(
    "sentence",
    [
        "Web lost redis:6379 for 2.1 s; 31 errors on 2 hosts (41 %).",
        "welcome_mail(user_id=4711) ran at 2026-11-22T06:39:32.776Z on worker-3.",
        "order:4711 and order_receipt, before T",
    ],
)
def test_ordinary_sentences_stay_readable_in_jira(sentence: str) -> None:
    assert wiki(sentence) == sentence
