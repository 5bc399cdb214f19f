"""Asks connectors whether they can answer: bounded in number and time, whatever they raise.

Used by `check` for configured sources and by `init` for candidates. Holds no words for a terminal.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from timeline.problems import BadAnswer, NothingHere, SourceProblem, Unreachable

if TYPE_CHECKING:
    from connectors.contract import CheckReport, Connector

AT_ONCE = 16
"""Sources asked at the same time: more would be felt by a bastion or a small pooler."""
CLOSE_WITHIN_S = 1.0
"""What the contract grants a connector for letting go."""

T = TypeVar("T")


@dataclass(frozen=True)
class Answered:
    """What one source said: a report, or the problem that kept it from one."""

    report: CheckReport | None
    problem: SourceProblem | None
    seconds: float

    @property
    def nothing_there(self) -> bool:
        return isinstance(self.problem, NothingHere)


async def ask(connector: Connector, within_s: float) -> Answered:
    """`check()` within its time. Everything but an interruption becomes a problem."""
    began = time.monotonic()
    report, problem = await guarded(connector.check, within_s)
    return Answered(report, problem, time.monotonic() - began)


async def guarded(
    work: Callable[[], Awaitable[T]], within_s: float
) -> tuple[T | None, SourceProblem | None]:
    """The result of `work`, or why there is none. A bug of a connector is said, not shown."""
    try:
        async with asyncio.timeout(within_s):
            return await work(), None
    except SourceProblem as problem:
        return None, problem
    except TimeoutError:
        return None, Unreachable(
            f"No answer within {within_s:g} s", remedy="See whether others reach it; VPN, tunnel?"
        )
    except Exception as error:  # noqa: BLE001, RUF100  # its text may hold a secret: only its name
        return None, BadAnswer(
            f"The connector failed ({type(error).__name__})", remedy="That is a bug: report it."
        )


async def let_go(connector: Connector) -> None:
    """Close, whatever happens on the way."""
    await guarded(connector.close, CLOSE_WITHIN_S)


async def all_of(works: Sequence[Callable[[], Awaitable[T]]], at_once: int = AT_ONCE) -> list[T]:
    """Results in the order of `works`, at most `at_once` of them under way."""
    turn = asyncio.Semaphore(at_once)

    async def in_turn(work: Callable[[], Awaitable[T]]) -> T:
        async with turn:
            return await work()

    return await asyncio.gather(*(in_turn(work) for work in works))
