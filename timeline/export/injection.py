"""Makes text from outside harmless where an export is pasted: Markdown, issue trackers, chat.

Nothing from outside may become an image, a link, HTML, a heading, a table cell, a mention, an
issue reference or a command of the tracker. GitHub and GitLab look for mentions and references
after rendering, so a backslash protects nothing: only code does. Recorded lines therefore stand
in code spans or fences, and in sentences every word that is not plain prose becomes code.
"""

from __future__ import annotations

import re
from functools import lru_cache

from timeline.clean import LINE_BREAK, clean

ELLIPSIS = "…"

_PLAIN_WORD = re.compile(
    r"[(\"'“‘]{0,2}[^\W_](?:[^\W_]|[.,:;'’()/+×±–-])*[.,:;%?)\"'”’]{0,3}"
    r"|\(?[±+-][0-9][0-9.,]*[.,:;%)]{0,3}|[→⇢–±×%-][.,:;)]{0,2}"
)
_NOT_PROSE = re.compile(
    r":[^:]*[^\W\d_][^:]*:|::|://"  # an emoji's name, a qualified name, a link
    r"|\A(?:www\.|mailto:|xmpp:)|[^\W\d_]\.[^\W\d_]{2,}|[0-9]\.[^\W\d_]{2,}"  # a bare domain
    r"|\A[A-Z]{2,}-[0-9]"  # an issue of GitHub (GH-12) or of a tracker linked to it
    r"|\A(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{7,40}\Z",  # a commit
    re.IGNORECASE,
)
_QUOTED_CODE = re.compile(r"(?<!\S)(\(?)`([^`]+)`([).,;:]{0,3})(?!\S)")
"""What a sentence of ours sets as code itself: `kubectl logs`."""
_LIST_MARK = re.compile(r"[0-9]{1,9}[.)]|[+-]")
_BACKTICKS = re.compile("`+")


def clip(text: str, limit: int) -> str:
    """At most `limit` characters; a cut ends in an ellipsis. Redact first: half a secret leaks."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + ELLIPSIS


def one_line(text: str) -> str:
    """Cleaned text on one line; line breaks become U+240A and are thereby visible."""
    return " ".join(clean(text).split())


def code(text: str) -> str:
    """A code span that holds `text` whatever it contains."""
    text = one_line(text)
    if not text:
        return "(empty)"
    mark = "`" * (_longest_run(text) + 1)
    edge = " " if text[0] == "`" or text[-1] == "`" else ""
    return f"{mark}{edge}{text}{edge}{mark}"


@lru_cache(maxsize=4_096)  # names of sources, actors and clocks recur in every row
def prose(text: str) -> str:
    """A sentence in which every word that is not plain prose stands in a code span."""
    parts: list[str] = []
    pieces = _QUOTED_CODE.split(one_line(text))
    for start in range(0, len(pieces), 4):
        words, *quoted = pieces[start : start + 4]
        parts.extend(_words(words.split(), is_start=not parts))
        if quoted:
            before, content, after = quoted
            parts.append(f"{before}{code(content)}{after}")
    return " ".join(parts)


def _words(words: list[str], *, is_start: bool) -> list[str]:
    """Plain words as they are, runs of others as one code span each."""
    parts: list[str] = []
    risky: list[str] = []
    for index, word in enumerate(words):
        marks_a_list = is_start and index == 0 and _LIST_MARK.fullmatch(word)
        if _is_prose(word) and not marks_a_list:
            parts.extend(_flushed(risky))
            parts.append(word)
        else:
            if word.startswith("("):  # what a parenthesis holds is no part of the name before it
                parts.extend(_flushed(risky))
            risky.append(word)
    return [*parts, *_flushed(risky)]


def in_cell(markdown: str) -> str:
    """Finished inline Markdown made fit for one table cell.

    Renderers disagree about a backslash before an escaped pipe (one cell or two), so a pipe that
    follows a backslash becomes a broken bar; the evidence block below holds the exact text.
    """
    return markdown.replace("\\|", "\\¦").replace("|", "\\|")


def fenced(text: str) -> list[str]:
    """Lines of a fenced block that `text` cannot leave; U+240A becomes a line break again."""
    content = [clean(line) for line in re.split(rf"\r\n|\n|{LINE_BREAK}", text)]
    mark = "`" * max(3, *(_longest_run(line) + 1 for line in content))
    return [f"{mark}text", *content, mark]


def _longest_run(text: str) -> int:
    """Of backticks; most texts have none."""
    return max(map(len, _BACKTICKS.findall(text)), default=0) if "`" in text else 0


def chat_line(text: str, limit: int) -> str:
    """One line of plain text for a chat: no mention, no command, no link that gets fetched."""
    text = one_line(text).replace("://", "[:]//").replace("<", "‹").replace(">", "›")
    text = re.sub(r"@(?=\w)", "@ ", text).lstrip("/")
    return clip(text, limit)


def _is_prose(word: str) -> bool:
    return _PLAIN_WORD.fullmatch(word) is not None and _NOT_PROSE.search(word) is None


def _flushed(words: list[str]) -> list[str]:
    if not words:
        return []
    text = " ".join(words)
    words.clear()
    before, content, after = _without_punctuation(text)
    return [f"{before}{code(content)}{after}"]


def _without_punctuation(text: str) -> tuple[str, str, str]:
    """The sentence's own marks around `text`: its end, and a parenthesis it opens or closes."""
    content = text.rstrip(".,;:") or text
    after = text[len(content) :]
    if content.endswith(")") and content.count(")") > content.count("("):
        content, after = content[:-1], ")" + after
    before = "(" if content.startswith("(") and content.count("(") > content.count(")") else ""
    content = content.removeprefix(before)
    return (before, content, after) if content else ("", text, "")
