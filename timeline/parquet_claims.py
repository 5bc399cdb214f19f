"""What a Parquet file says it unpacks to, before anything of it is unpacked.

Reads the footer and the header of every page (Thrift's compact protocol, as the Parquet format
lays them out) and decodes no value. A page unpacks into as much memory as its header says, so the
sum of those is the price of reading the file. Counts that contradict each other are refused here: a
decoder that believes them asks for any amount of memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

MAGIC = b"PAR1"
MOST_PAGES = 100_000
"""Of one column chunk, which has one for each mebibyte of its values."""
MOST_COLUMNS = 1_000
MOST_NESTING = 16

Value: TypeAlias = "int | bytes | list[Value] | dict[int, Value]"
Struct: TypeAlias = "dict[int, Value]"

_BOOLEANS = (1, 2)
_BYTE, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 3, 7, 8, 9, 10, 12
_INTEGERS = (4, 5, 6)
_DATA, _DICTIONARY, _DATA_V2 = 5, 7, 8
"""Fields of a page header that describe what kind of page follows."""


class Unreadable(ValueError):
    """The file is not laid out as Parquet."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Rows of the table, and bytes of all its pages once they are unpacked."""

    rows: int
    unpacked: int


def claims_of(packed: bytes) -> Claims:
    """Raises `Unreadable`. Field numbers are those of parquet.thrift (Parquet format 2.11)."""
    if len(packed) < 12 or packed[:4] != MAGIC or packed[-4:] != MAGIC:
        raise Unreadable("it is no Parquet file")
    footer = len(packed) - 8 - int.from_bytes(packed[-8:-4], "little")
    if footer < 4:
        raise Unreadable("its footer is longer than the file")
    try:
        about = _Reader(packed, footer).struct()
        rows = _integer(about, 3)
        groups = _structs(about, 4)
        if rows < 0 or sum(_integer(group, 3) for group in groups) != rows:
            raise Unreadable("its row groups do not hold the rows that it claims")
        unpacked = sum(_group(packed, group) for group in groups)
    except (IndexError, KeyError) as error:
        raise Unreadable(f"its footer or a page is cut short ({error})") from None
    return Claims(rows, unpacked)


def _group(packed: bytes, group: Struct) -> int:
    """Bytes that one row group unpacks to."""
    rows = _integer(group, 3)
    columns = _structs(group, 1)
    if rows < 0 or not columns or len(columns) > MOST_COLUMNS:
        raise Unreadable("a row group is of no possible size")
    return sum(_pages(packed, _struct(column, 3), rows) for column in columns)


def _pages(packed: bytes, column: Struct, rows: int) -> int:
    """Bytes that the pages of one column chunk unpack to; they must hold a value for each row."""
    first = _integer(column, 9)
    if 11 in column:
        first = min(first, _integer(column, 11))
    end = first + _integer(column, 7)
    if not 4 <= first <= end <= len(packed) or _integer(column, 5) != rows:
        raise Unreadable("a column lies outside the file or has other rows")
    total = values = 0
    at = first
    for _ in range(MOST_PAGES):
        if at >= end:
            break
        reader = _Reader(packed, at)
        header = reader.struct()
        size, length = _integer(header, 2), _integer(header, 3)
        if size < 0 or length < 0:
            raise Unreadable("a page is of no possible size")
        values += _values(header, size)
        total += size
        at = reader.at + length
    if at != end or values != rows:
        raise Unreadable("the pages of a column do not hold its rows")
    return total


def _values(header: Struct, size: int) -> int:
    """Values of a data page; 0 for a dictionary, whose values no row counts."""
    for field in (_DATA, _DATA_V2):
        if field in header:
            values = _integer(_struct(header, field), 1)
            if values < 0:
                raise Unreadable("a page is of no possible size")
            return values
    if not 0 <= _integer(_struct(header, _DICTIONARY), 1) <= size:
        raise Unreadable("a dictionary is of no possible size")
    return 0


def _struct(struct: Struct, field: int) -> Struct:
    value = struct[field]
    if not isinstance(value, dict):
        raise Unreadable(f"field {field} should be a structure")
    return value


def _integer(struct: Struct, field: int) -> int:
    value = struct[field]
    if not isinstance(value, int):
        raise Unreadable(f"field {field} should be a number")
    return value


def _structs(struct: Struct, field: int) -> list[Struct]:
    values = struct.get(field, [])
    if not isinstance(values, list):
        raise Unreadable(f"field {field} should be a list")
    return [value for value in values if isinstance(value, dict)]


@dataclass(slots=True)
class _Reader:
    """Values of Thrift's compact protocol from `at` on; IndexError past the end."""

    data: bytes
    at: int

    def struct(self, level: int = 0) -> Struct:
        if level > MOST_NESTING:
            raise Unreadable("its footer is nested too deep")
        found: Struct = {}
        field = 0
        while (head := self._byte()) != 0:
            step, kind = head >> 4, head & 15
            field = field + step if step else self._signed()
            found[field] = self._value(kind, level)
        return found

    def _value(self, kind: int, level: int) -> Value:
        if kind in _BOOLEANS:  # of a field: the value is its kind
            return int(kind == 1)
        if kind == _BYTE:
            return self._byte()
        if kind in _INTEGERS:
            return self._signed()
        if kind == _DOUBLE:
            return self._take(8)
        if kind == _BINARY:
            return self._take(self._unsigned())
        if kind in (_LIST, _SET):
            return self._list(level)
        if kind == _STRUCT:
            return self.struct(level + 1)
        raise Unreadable(f"its footer holds a value of the unknown kind {kind}")

    def _list(self, level: int) -> list[Value]:
        head = self._byte()
        count, kind = head >> 4, head & 15
        if count == 15:
            count = self._unsigned()
        if count > len(self.data):
            raise Unreadable("a list is longer than the file")
        if kind in _BOOLEANS:  # of a list: one byte each
            return list(self._take(count))
        return [self._value(kind, level) for _ in range(count)]

    def _byte(self) -> int:
        value = self.data[self.at]
        self.at += 1
        return value

    def _take(self, length: int) -> bytes:
        if self.at + length > len(self.data):
            raise IndexError("a text ends past the file")
        taken = self.data[self.at : self.at + length]
        self.at += length
        return taken

    def _unsigned(self) -> int:
        value = shift = 0
        while True:
            part = self._byte()
            value |= (part & 0x7F) << shift
            if part < 0x80:
                return value
            shift += 7
            if shift > 63:
                raise Unreadable("a number is too long")

    def _signed(self) -> int:
        value = self._unsigned()
        return (value >> 1) ^ -(value & 1)
