"""Values that are built once for an object, by whichever thread asks first; others wait for it.

`functools.cached_property` had one lock for all objects of a class until Python 3.11 and has none
since 3.12, where two threads that ask at the same time both build the value.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock, RLock
from typing import TYPE_CHECKING, Generic, TypeVar, cast, overload

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    _Lock = AbstractContextManager[bool]

_Owner = TypeVar("_Owner")
_Value = TypeVar("_Value")

_LOCKS = "_locks of what is built once"
_making_locks = Lock()


class once(Generic[_Owner, _Value]):
    """An attribute built at its first reading and kept in the object's `__dict__`.

    The object may be a frozen dataclass without slots. What is built may read other such
    attributes as long as they do not read one another in a circle. A builder that raises is asked
    again at the next reading.
    """

    def __init__(self, build: Callable[[_Owner], _Value]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    def __set_name__(self, owner: type[_Owner], name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type[_Owner]) -> once[_Owner, _Value]: ...
    @overload
    def __get__(self, instance: _Owner, owner: type[_Owner]) -> _Value: ...
    def __get__(
        self, instance: _Owner | None, owner: type[_Owner]
    ) -> _Value | once[_Owner, _Value]:
        if instance is None:
            return self
        return built_once(instance, self._name, lambda: self._build(instance))


def built_once(instance: object, name: Hashable, build: Callable[[], _Value]) -> _Value:
    """What `build` gives, asked only the first time that `name` of `instance` is wanted.

    Kept in the object's `__dict__` under `name`, where an attribute of that name is found without
    this being asked again.
    """
    held = _built(instance)
    if name not in held:
        with _lock_of(instance, name):
            if name not in held:
                held[name] = build()
    return cast("_Value", held[name])


def hand_over(one: object, other: object) -> None:
    """Let `other` have all that has been built of `one`, as far as it has nothing by those names.

    Not while another thread is building.
    """
    held = _built(other)
    for name, value in _built(one).items():
        if name != _LOCKS:
            held.setdefault(name, value)


def _lock_of(instance: object, name: Hashable) -> _Lock:
    with _making_locks:
        locks = cast("dict[Hashable, _Lock]", _built(instance).setdefault(_LOCKS, {}))
        return locks.setdefault(name, RLock())


def _built(instance: object) -> dict[Hashable, object]:
    return cast("dict[Hashable, object]", vars(instance))
