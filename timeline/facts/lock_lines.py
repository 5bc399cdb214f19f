"""The lines in which PostgreSQL's log tells a lock wait, in whatever language the server speaks.

Owns their shape. Names of lock modes, numbers and their order within a list are never translated,
words around them are: the words below only tell a wait from an end of one. A server that writes its
DETAIL and STATEMENT as records of their own is put together again. Concludes nothing.

Reference: PostgreSQL 15 message catalogues (de, es, fr, it, ja, ko, ru, sv, uk, zh_CN).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from timeline.clean import LINE_BREAK
from timeline.facts.hinted_lines import LOCK_HINT, hinted_lines
from timeline.facts.words import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from timeline.incident import Incident

MAX_LINES = 5_000
"""Lines that are followed, the latest; a pile of thousands has the same root as its first
hundreds."""
DETAIL_AFTER_NS = 5 * SECOND_NS
"""A DETAIL of its own belongs to the line that the same server wrote just before."""

_MODE = re.compile(r"([A-Za-z]*(?:Share|Exclusive)Lock)(?![A-Za-z])")
_PID = re.compile(
    r"(?i)(?:\bpro[cz]e[a-z]*|\bпроцес\w*|プロセス|进程|行程)\s?(\d+)|(\d+) (?:PID )?프로세스"
)
_TOOK = re.compile(r"(?<![\d.,])(\d+)(?:[.,](\d{1,3}))? ?(?:ms|мс|ミリ秒|毫秒)")
_STILL = re.compile(
    r"still waiting|immer noch|aún espera|toujours en attente|ancora|ainda|wciąż|nadal|fortfarande"
    r"|продолжает ожидать|все ще|待機して|待機し続け|여전히|仍然|仍在|hâlâ"
)
_GOT = re.compile(
    r" acquired |erlangte|adquirió|a acquis|ha acquisito|adquiriu|uzyskał| fick |получил|отримав"
    r"|獲得し|취득|获取|取得|edindi"
)
_LISTS = re.compile(r"[:：] ?(\d[\d, ]*)[.;。]\s*[^\d:：]{2,40}[:：] ?(\d[\d, ]*)")
"""Holders and the wait queue, both as lists of process numbers behind a colon."""
_STATEMENT = re.compile(
    r"(?:STATEMENT|ANWEISUNG|SENTENCIA|INSTRUCTION|ISTRUZIONE|COMANDO|POLECENIE|WYRAŻENIE|SATS"
    r"|ОПЕРАТОР|ІНСТРУКЦІЯ|文|语句|陳述式|명령 구문|İFADE) ?[:：]\s*(.+)"
)
_RELATION = re.compile(
    r"\bin relation \"([^\"]+)\"|\(\d+, ?\d+\)[^\"«»␊\n]{1,30}[\"«»] ?([^\"«»]+?) ?[\"«»]"
    r"|(?:リレーション|关系)\"([^\"]+)\""
)
_ENGLISH_TARGET = re.compile(r"Lock on (.+?) after \d")
_EXTENDS = re.compile(r"(?i)exten|erweiter|estens|расшир|розшир|utök|拡張|扩展|확장")
_DATABASE_FIRST = re.compile(r"データベース|数据库|資料庫")
"""Languages that name the database before what lies in it."""
_BREAKS = re.compile(rf"[{LINE_BREAK}\n]")


class WaitLine(NamedTuple):
    """One line: `acquired` or still waiting. `waited` is ns; pids are texts as printed.

    `queue` are all who wait for the same lock when it is written, also those with lines before.
    """

    row: int
    timestamp: int
    source: str
    pid: str
    acquired: bool
    mode: str
    target: str
    relation: str
    waited: int
    holders: tuple[str, ...]
    queue: tuple[str, ...]
    statement: str


def wait_lines(incident: Incident) -> list[WaitLine]:
    """Every line of a lock wait, in time order, at most `MAX_LINES`, the latest."""
    shown = hinted_lines(incident, LOCK_HINT).select("row", "timestamp", "source", "body")
    found: list[WaitLine] = []
    for row, timestamp, source, body in shown.tail(MAX_LINES).iter_rows():
        line = wait_line(row, timestamp, str(source), body)
        if line is not None:
            found.append(line)
        elif found and (lists := _LISTS.search(body)) is not None:
            found[-1] = _completed(found[-1], timestamp, str(source), lists)
    return found


def wait_line(row: int, timestamp: int, source: str, body: str) -> WaitLine | None:
    """What one record says; None for one that tells no wait of one session for one lock."""
    message = _BREAKS.split(body, maxsplit=1)[0]
    mode, took = _MODE.search(message), _TOOK.search(message)
    got = _GOT.search(message) is not None
    if mode is None or took is None or not (got or _STILL.search(message)):
        return None
    process = _PID.search(message)
    if process is None:
        return None
    lists, statement = _LISTS.search(body, len(message)), _STATEMENT.search(body)
    return WaitLine(
        row=row,
        timestamp=timestamp,
        source=source,
        pid=_group(process),
        acquired=got,
        mode=mode[1],
        target=_target(message, process, mode, took),
        relation=next(_named(_RELATION, body), ""),
        waited=round(float(f"{took[1]}.{took[2] or 0}") * 1e6),
        holders=_numbers(lists, 1),
        queue=_numbers(lists, 2),
        statement=statement[1] if statement else "",
    )


def circle_of(body: str) -> tuple[str, ...]:
    """Sessions of the circle that a deadlock's DETAIL names, in its order; empty when it has none.

    Each sentence of it names who waits, the mode, what for, and at its end who blocks.
    """
    waiting: list[str] = []
    for sentence in re.split(rf"[{LINE_BREAK}\n]|(?<=[.。]) ", body):
        pids = list(_named(_PID, sentence))
        if len(pids) == 2 and _MODE.search(sentence) is not None:
            waiting.append(pids[0])
    return tuple(waiting)


def relations_of(body: str) -> tuple[str, ...]:
    """The tables in which a session was at work, as the CONTEXT of its error names them."""
    return tuple(dict.fromkeys(_named(_RELATION, body)))


def _completed(line: WaitLine, timestamp: int, source: str, lists: re.Match[str]) -> WaitLine:
    """`line` with the holders of a DETAIL that came as a record of its own."""
    close = timestamp - line.timestamp <= DETAIL_AFTER_NS
    if line.source != source or not close or line.holders or line.acquired:
        return line
    queue = _numbers(lists, 2)
    if line.pid not in queue:
        return line
    return line._replace(holders=_numbers(lists, 1), queue=queue)


def _named(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    """The group of `pattern` that matched, for each place."""
    return (_group(match) for match in pattern.finditer(text))


def _group(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group)


def _numbers(lists: re.Match[str] | None, group: int) -> tuple[str, ...]:
    return () if lists is None else tuple(re.findall(r"\d+", lists[group]))


def _target(message: str, process: re.Match[str], mode: re.Match[str], took: re.Match[str]) -> str:
    """What is locked, in PostgreSQL's English words, whatever words stand there."""
    if english := _ENGLISH_TARGET.search(message):
        return english[1]
    others = sorted([process.span(), mode.span(), took.span()])
    ends = [start for start, _ in others[1:]] + [len(message)]
    text = "|".join(message[end:start] for (_, end), start in zip(others, ends, strict=True))
    if bracket := re.search(r"\[[\d,]+\]", text):
        return f"advisory lock {bracket[0]}"
    if virtual := re.search(r"\d+/\d+", text):
        return f"virtual transaction {virtual[0]}"
    numbers = re.findall(r"\d+", text)
    if _DATABASE_FIRST.search(text):
        numbers = [*numbers[2:], numbers[1], numbers[0]] if len(numbers) > 1 else numbers
    extends = "extension of " if _EXTENDS.search(text) else ""
    match numbers:
        case [transaction]:
            return f"transaction {transaction}"
        case [relation, database]:
            return f"{extends}relation {relation} of database {database}"
        case [page, relation, database]:
            return f"page {page} of relation {relation} of database {database}"
        case [block, item, relation, database]:
            return f"tuple ({block},{item}) of relation {relation} of database {database}"
    return " ".join(["object", *numbers])
