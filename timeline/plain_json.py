"""Small dataclasses as JSON values and back, for the manifest of a bundle.

`to_plain` and `from_plain` know whole numbers, texts, enumerations, tuples, string-keyed
mappings and dataclasses of these. Reading is strict about types and lenient about additions: an
unknown field is ignored, a missing one takes its default. Texts are cleaned, because a bundle
comes from outside. Imports no Polars.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, TypeVar, Union, get_args, get_origin, get_type_hints

from timeline.clean import clean

if TYPE_CHECKING:
    from timeline.finding import JsonValue

T = TypeVar("T")


class Mismatch(ValueError):
    """A JSON value that is not what the field wants; the message names the field."""


def to_plain(value: object) -> JsonValue:
    """`value` as JSON; derived fields (`init=False`) are left out."""
    if isinstance(value, Enum):
        return str(value.value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [field.name for field in dataclasses.fields(value) if field.init]
        return {name: to_plain(getattr(value, name)) for name in fields}
    if isinstance(value, Mapping):
        return {str(key): to_plain(value[key]) for key in sorted(value)}
    if isinstance(value, tuple):
        return [to_plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"{type(value).__name__} has no place in a manifest")


def from_plain(cls: type[T], value: JsonValue, where: str) -> T:
    """An instance of the dataclass `cls`; `where` names the value in error messages."""
    if not isinstance(value, Mapping):
        raise Mismatch(f"{where} should be an object")
    kinds = _kinds(cls)
    given = {
        name: _value(kinds[name], value[name], f"{where}.{name}") for name in kinds if name in value
    }
    try:
        return cls(**given)
    except (TypeError, ValueError) as error:
        raise Mismatch(f"{where}: {error}") from None


def tuple_from(cls: type[T], value: JsonValue, where: str) -> tuple[T, ...]:
    """A tuple of dataclass instances from a JSON array."""
    if not isinstance(value, list):
        raise Mismatch(f"{where} should be a list")
    return tuple(from_plain(cls, item, f"{where}[{n}]") for n, item in enumerate(value))


_KINDS: dict[type, dict[str, object]] = {}


def _kinds(cls: type) -> dict[str, object]:
    """The annotated type of every field; resolved once, because resolving takes long."""
    if cls not in _KINDS:
        if not dataclasses.is_dataclass(cls):
            raise TypeError(f"{cls.__name__} is no dataclass")
        hints = get_type_hints(cls)
        fields = [field.name for field in dataclasses.fields(cls) if field.init]
        _KINDS[cls] = {name: hints[name] for name in fields}
    return _KINDS[cls]


def _value(kind: object, value: JsonValue, where: str) -> object:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        kind = next(argument for argument in arguments if argument is not type(None))
        return _value(kind, value, where)
    if origin is tuple:
        if not isinstance(value, list):
            raise Mismatch(f"{where} should be a list")
        return tuple(_value(arguments[0], item, f"{where}[{n}]") for n, item in enumerate(value))
    if origin in (Mapping, dict):
        if not isinstance(value, Mapping):
            raise Mismatch(f"{where} should be an object")
        return {
            clean(str(key)): _value(arguments[1], item, f"{where}.{clean(str(key))}")
            for key, item in value.items()
        }
    if isinstance(kind, type):
        return _one(kind, value, where)
    raise TypeError(f"{where}: {kind} cannot be read back")


def _one(kind: type, value: JsonValue, where: str) -> object:
    if dataclasses.is_dataclass(kind):
        return from_plain(kind, value, where)
    if issubclass(kind, Enum):
        try:
            return kind(value)
        except ValueError:
            raise Mismatch(f"{where}: {value!r} is not one of its values") from None
    if kind is float and isinstance(value, int):
        value = float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise Mismatch(f"{where} should be {_NAMES.get(kind, kind.__name__)}")
    return clean(value) if isinstance(value, str) else value


_NAMES = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
