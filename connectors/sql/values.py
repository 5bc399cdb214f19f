"""The values that travel to and from a database, and the two ways a reader may ask for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias, TypeVar

Cell: TypeAlias = str | int | float | None
Row: TypeAlias = tuple[Cell, ...]
Parameter: TypeAlias = str | int | float
Select: TypeAlias = Callable[[str, Sequence[Parameter]], list[Row]]
"""Runs one statement inside the transaction that is open, on the connection's own thread."""
T = TypeVar("T")


class Session(Protocol):
    """One connection; every call is one short read-only transaction. Raises `SourceProblem`."""

    async def read(self, statement: str, parameters: Sequence[Parameter] = ()) -> list[Row]:
        """The rows of one statement."""
        ...

    async def timed(
        self, statement: str, parameters: Sequence[Parameter] = ()
    ) -> tuple[list[Row], float]:
        """The same, and about how many seconds the database spent on it."""
        ...

    async def together(self, work: Callable[[Select], T], statements: int) -> T:
        """What `work` makes of at most `statements` small statements, in one transaction."""
        ...
