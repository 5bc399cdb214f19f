"""Every story by name: the scene it is played in, how it is played, and how long when recorded."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from tests.lab.backup_scene import BackupScene
from tests.lab.friday_batch import BATCH_RECORDED, USERS, friday_batch
from tests.lab.friday_scene import FridayScene
from tests.lab.kicked_can import APPS, CAN_RECORDED, kicked_can
from tests.lab.scene import Scene
from tests.lab.signup_race import RUSH_RECORDED, signup_race
from tests.lab.stories import RECORDED, Timing, night_hiccup, quiet_hour


class Stage(Protocol):
    """What running a story needs of the scene it is played in."""

    @property
    def folder(self) -> Path: ...

    def write_configuration(self) -> Path: ...


class Played(Protocol):
    """What running a story needs of its truth, whatever else it holds. Instants in ns UTC."""

    @property
    def pin_ns(self) -> int: ...

    @property
    def began_ns(self) -> int: ...

    def to_json(self) -> str: ...


S = TypeVar("S", bound=Stage)


@dataclass(frozen=True)
class Story(Generic[S]):
    """`scene` starts everything in a folder, at the pace of a timing; `play` may be `Unlucky`."""

    scene: Callable[[Path, Timing], AbstractContextManager[S]]
    play: Callable[[S, Timing], Played]
    recorded: Timing = RECORDED


def _shop(folder: Path, timing: Timing) -> Scene:
    return Scene(folder, timing.cycle_s)


def _office(folder: Path, timing: Timing) -> FridayScene:
    return FridayScene(folder, USERS)


def _backups(folder: Path, timing: Timing) -> BackupScene:
    return BackupScene(folder, APPS, period_s=timing.before_s)


STORIES: dict[str, Story[Any]] = {
    "night-hiccup": Story(_shop, night_hiccup),
    "quiet-hour": Story(_shop, quiet_hour),
    "signup-race": Story(_shop, signup_race, RUSH_RECORDED),
    "friday-batch": Story(_office, friday_batch, BATCH_RECORDED),
    "kicked-can": Story(_backups, kicked_can, CAN_RECORDED),
}
