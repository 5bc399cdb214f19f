"""The recorded incidents that come with the package: `halfawake demo [STORY] [--list]`."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "demos"
DEFAULT_STORY = "night-hiccup"


class Story(NamedTuple):
    """One recorded night."""

    name: str
    summary: str


STORIES: tuple[Story, ...] = (
    Story("night-hiccup", "a network hiccup between web and Redis, and the race that followed"),
    Story("signup-race", "sign-ups overtaken by their mail jobs, and receipts unsafe to replay"),
    Story("friday-batch", "a batch five times as large, pressed four times, a mailer that leaks"),
    Story("kicked-can", "nightly backups by a message that carries itself on: forked, then lost"),
    Story("quiet-hour", "nothing is wrong: a nightly job, a rolling restart, idle resets"),
)


class NoSuchStory(ValueError):
    """The message names the stories there are."""


def story_path(name: str) -> Path:
    """The bundle of a story. Raises `NoSuchStory`."""
    if all(story.name != name for story in STORIES):
        known = ", ".join(story.name for story in STORIES)
        raise NoSuchStory(f"There is no demo {name!r}; there is {known}.")
    return FOLDER / f"{name}.halfawake"


def listing() -> str:
    """One line a story, for `--list`."""
    width = max(len(story.name) for story in STORIES)
    return "".join(f"{story.name:<{width}}  {story.summary}\n" for story in STORIES)
