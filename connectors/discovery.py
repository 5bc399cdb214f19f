"""Where a connector may be configured from: what `halfawake init` looks at, and what it proposes.

A connector class takes part by a static method `candidates(place)` (`Discoverable`). It only reads
what `Place` holds, reaches nothing, and may propose in vain: `init` proves each candidate by
`check()`, and one that raises `NothingHere` is dropped and only counted. A connector that can also
look at what it holds says so by `sample()` (`Samples`), which `init` asks after `check()`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

FILE_BYTES = 256 * 1024
"""Most that is read of one file: a compose file or a kubeconfig is far smaller."""


@dataclass(frozen=True, slots=True)
class Place:
    """What can be looked at: the environment's variables and files. Nothing is listed or walked."""

    variables: Mapping[str, str]
    folder: Path
    """The working directory, a checkout as a rule."""
    home: Path

    def text(self, path: Path) -> str:
        """The beginning of a file; empty when there is none or it cannot be read."""
        try:
            with path.open("rb") as file:
                return file.read(FILE_BYTES).decode("utf-8", "replace")
        except OSError:
            return ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One source that might be there."""

    connector: str
    name: str
    """Proposed name of the source: a word, made unique by `init`."""
    options: Mapping[str, object]
    """As they would stand in the file. A secret stands as `${NAME}` of a variable, never itself."""
    found_in: str
    """`the variable REDIS_URL`, `docker-compose.yml, service db`: where it was read."""
    local: bool = False
    """Whether it was found in a file that describes a developer's machine (`.env`, compose)."""


@runtime_checkable
class Discoverable(Protocol):
    """A connector class that proposes candidates."""

    @staticmethod
    def candidates(place: Place) -> Iterator[Candidate]: ...


@dataclass(frozen=True, slots=True)
class KeyHint:
    """One kind of thing that a system holds, as `[keys.NAME]` would describe it."""

    name: str
    fields: tuple[str, ...] = ()
    """Names of log fields, arguments or columns that carry its id."""
    table: str = ""
    pk: str = ""


@dataclass(frozen=True, slots=True)
class Sampled:
    """What a look at one system's own catalogue says about how to configure it."""

    keys: tuple[KeyHint, ...] = ()
    notes: tuple[str, ...] = ()
    """Sentences that stand as comments above the source."""
    options: Mapping[str, object] = field(default_factory=dict)
    """Options to write instead of the candidate's, now that the system has been seen."""
    services: tuple[str, ...] = ()
    """Who spoke there lately: proposed as `expected_services`."""


@runtime_checkable
class Samples(Protocol):
    """A connector that knows keys and fields from its system's catalogue."""

    async def sample(self) -> Sampled:
        """Bounded reads of the catalogue, never of rows. Raises `SourceProblem`."""
        ...
