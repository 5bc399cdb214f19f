"""The opened files of one source: what each is, how it is written, which time it covers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from connectors.logs.compressed import decompressed, head_of
from connectors.logs.csvhead import looks_like_csv
from connectors.logs.dialect import Dialect, decide
from connectors.logs.formats import CSV
from connectors.logs.locate import (
    WIDE_SAMPLE_BYTES,
    WIDE_SAMPLE_LINES,
    OpenLog,
    dialect_of,
    first_dated,
    last_dated,
    text_of,
)
from connectors.logs.members import SEQ_MEMBER_BITS, Member, members_of, stem_of
from connectors.logs.preview import open_log
from connectors.logs.record import Place
from connectors.logs.wholefile import ORDINARY, TextShape, sample_of_whole, shape_of_text
from connectors.logs.zones import ZoneRule
from timeline.problems import AccessRefused, SourceProblem, Unreachable

HEAD_BYTES = 64 * 1024
"""Decompressed bytes looked at to decide a compressed member's dialect and first stamp."""


class Sort(StrEnum):
    """How a member is read."""

    PLAIN = "plain"
    COMPRESSED = "compressed"
    CSV = "csv"
    WHOLE = "whole"
    """An array or UTF-16 text: read from the beginning, never bisected."""
    UNKNOWN = "unknown"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the configuration says of a source's files."""

    paths: tuple[str, ...]
    zone: ZoneRule
    service: str = ""
    format_name: str | None = None


@dataclass(frozen=True, slots=True)
class OpenMember:
    """One member of a source. `first`/`last` are its outermost dated lines, ns, when known."""

    member: Member
    place: Place
    sort: Sort
    dialect: Dialect
    log: OpenLog | None = None
    inode: int = 0
    first: int | None = None
    last: int | None = None
    shape: TextShape = ORDINARY

    def whole(self, most: int) -> tuple[bytes, bool]:
        """Up to `most` bytes of (decompressed) text from the beginning, and whether that is all.

        Raises `BadAnswer` for a damaged compressed file.
        """
        if self.log is not None:
            return self.log.read(0, most), self.log.size <= most
        parts, size = [], 0
        for block in decompressed(self.member.path):
            parts.append(block)
            size += len(block)
            if size > most:
                break
        return b"".join(parts)[:most], size <= most

    @property
    def name(self) -> str:
        return Path(self.member.path).name


@dataclass(frozen=True, slots=True)
class OpenSource:
    """All members, oldest first within a rotation set, and what could not be opened."""

    members: tuple[OpenMember, ...]
    problems: tuple[SourceProblem, ...] = ()

    def close(self) -> None:
        for member in self.members:
            if member.log is not None:
                os.close(member.log.fd)

    def newer(self, member: OpenMember) -> OpenMember | None:
        """The next younger member of the same rotation set."""
        same = [item for item in self.members if item.member.family == member.member.family]
        place = same.index(member) + 1
        return same[place] if place < len(same) else None


def open_source(
    source: str, settings: Settings, numbers: dict[str, int] | None = None
) -> OpenSource:
    """Open every member. Raises the first problem when nothing at all can be read.

    `numbers` remembers the number of each path, so that a file which appears between two
    questions does not shift the others' `seq`.
    """
    found = members_of(settings.paths)
    problems = list(found.problems)
    opened: list[OpenMember] = []
    numbers = {} if numbers is None else numbers
    for member in found.files:
        number = numbers.setdefault(member.path, len(numbers))
        place = Place(
            source,
            member.path,
            number << SEQ_MEMBER_BITS,
            settings.service,
            stem_of(member.path),
        )
        try:
            opened.append(_open(member, place, settings))
        except SourceProblem as problem:
            problems.append(problem)
        except OSError as error:
            problems.append(_refusal(member.path, error))
    if not opened and problems:
        raise problems[0]
    return OpenSource(tuple(opened), tuple(problems))


def _refusal(path: str, error: OSError) -> SourceProblem:
    if isinstance(error, PermissionError):
        return AccessRefused(
            "The file may not be read", where=path, remedy="Ask for read access to it."
        )
    if isinstance(error, FileNotFoundError):
        return Unreachable(
            "The file went away before it was opened", where=path, remedy="Run again."
        )
    return Unreachable(f"The file cannot be read: {error.strerror}", where=path)


def _open(member: Member, place: Place, settings: Settings) -> OpenMember:
    if member.compressed:
        return _open_compressed(member, place, settings)
    log, mtime = open_log(member.path)
    try:
        inode = os.fstat(log.fd).st_ino
        if log.size == 0:
            return OpenMember(member, place, Sort.EMPTY, Dialect(), log, inode)
        shape = shape_of_text(log.read(0, HEAD_BYTES))
        lines = (
            _lines(log.read(0, HEAD_BYTES))
            if shape.ordinary
            else sample_of_whole(log.read(0, WIDE_SAMPLE_BYTES), shape, WIDE_SAMPLE_LINES)
        )
        if settings.format_name == CSV or (settings.format_name is None and looks_like_csv(lines)):
            dialect = Dialect(None, (), settings.zone, mtime)
            return OpenMember(member, place, Sort.CSV, dialect, log, inode, shape=shape)
        if not shape.ordinary:
            dialect = decide(lines, settings.zone, mtime, settings.format_name)
            sort = Sort.WHOLE if dialect.known else Sort.UNKNOWN
            return OpenMember(member, place, sort, dialect, log, inode, shape=shape)
        dialect = dialect_of(log, settings.zone, mtime, settings.format_name)
        first = first_dated(log, dialect, 0, log.size) if dialect.known else None
        last = last_dated(log, dialect) if first is not None else None
        sort = Sort.PLAIN if dialect.known else Sort.UNKNOWN
        return OpenMember(
            member,
            place,
            sort,
            dialect,
            log,
            inode,
            first[1] if first else None,
            last[1] if last else None,
        )
    except BaseException:
        os.close(log.fd)
        raise


def _open_compressed(member: Member, place: Place, settings: Settings) -> OpenMember:
    mtime = int(Path(member.path).stat().st_mtime)
    head = head_of(member.path, HEAD_BYTES)
    if not head:
        return OpenMember(member, place, Sort.EMPTY, Dialect())
    shape = shape_of_text(head)
    if not shape.ordinary:
        lines = sample_of_whole(head, shape, WIDE_SAMPLE_LINES)
        dialect = decide(lines, settings.zone, mtime, settings.format_name)
        sort = Sort.WHOLE if dialect.known else Sort.UNKNOWN
        return OpenMember(member, place, sort, dialect, shape=shape)
    plain = _lines(head)
    dialect = decide(plain, settings.zone, mtime, settings.format_name)
    stamps = (dialect.stamp(line) for line in plain)
    first = next((stamp for stamp in stamps if stamp is not None), None)
    sort = Sort.COMPRESSED if dialect.known else Sort.UNKNOWN
    return OpenMember(member, place, sort, dialect, first=first)


def _lines(head: bytes) -> Sequence[str]:
    complete = head.rpartition(b"\n")[0] or head
    return [text_of(line) for line in complete.split(b"\n")] if head else []
