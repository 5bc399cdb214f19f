"""A finding: a proof with actors, a shared key, ordered steps, a verdict and evidence.

A detector's finding is a dataclass whose own fields are the evidence; the sentence is rendered
from them, so text and data cannot disagree. The screen, the exports and the tests read the same
object. Nothing here draws.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeAlias

from timeline.event import Event
from timeline.order import Order, Verdict

if TYPE_CHECKING:
    from timeline.incident import Incident

JsonValue: TypeAlias = (
    "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
)


class Stage(StrEnum):
    """Where in a chain of events this class of fault usually stands; it decides reading order.

    It is a habit of the class, not a claim about this night: the claim is in the verdict.
    """

    TRIGGER = "trigger"
    PROPAGATION = "propagation"
    EFFECT = "effect"
    CONTEXT = "context"
    """Something changed or coincided. It steps back, as a qualifier, behind what explains more."""
    SIGHT = "sight"
    """What was not seen, or not seen as it was: it qualifies the others and is read last."""


@dataclass(frozen=True, slots=True)
class Step:
    """One row of a proof: an event in its role, and why it matters, in one sentence.

    `order` relates this step to the one before it; None for the first step.
    """

    role: str
    event: Event
    why: str
    order: Order | None = None


@dataclass(frozen=True, slots=True)
class Repair:
    """One line of the list that somebody works through afterwards.

    `state` is what became of the thing with the key `key` in few words: `never tried`, `failed`,
    `doubled`, `safe to replay`, `not safe to replay`; `note` says why, or what was done already.
    """

    key: str
    state: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Finding(ABC):
    """What a detector proved. Subclasses add evidence fields and render `sentence` from them."""

    term: ClassVar[str]
    """The field's name for it, as printed: `network-hiccup`."""
    remedy: ClassVar[str]
    """What engineers do about this class of fault, in one sentence."""
    stage: ClassVar[Stage] = Stage.PROPAGATION
    lists_work: ClassVar[bool] = False
    """Whether its `repairs` are worked through afterwards even where it only qualifies others."""

    verdict: Verdict
    weakest_link: str
    """Why the verdict is not stronger, or what makes it certain."""
    began: int
    ended: int
    """First and last instant of the finding, ns UTC."""
    steps: tuple[Step, ...] = ()
    keys: tuple[str, ...] = ()
    """Keys of everything affected (jobs, rows, requests), sorted."""
    would_decide: tuple[str, ...] = ()
    """What would confirm or refute it, one imperative sentence each."""
    alternatives: tuple[str, ...] = ()
    next_action: str = ""
    """What to do now about these very keys; empty when `remedy` says it all."""
    figures: tuple[str, ...] = ()
    """Figures to act by that would make the sentence too long, one short sentence each."""
    assumes: tuple[str, ...] = ()
    """What those figures take for granted although no record shows it, one clause each."""
    qualifier: bool = False
    """True for something routine that only colours other findings."""

    @abstractmethod
    def sentence(self) -> str:
        """The story with times and counts, one sentence."""

    def clause(self) -> str:
        """The story as one short sentence for the headline; the full sentence unless overridden."""
        return self.sentence()

    def repairs(self) -> Sequence[Repair]:
        """What to look at or to do again, key by key, in the order of work."""
        return [Repair(key, "affected") for key in self.keys]

    def evidence(self) -> dict[str, JsonValue]:
        """The subclass's own fields as JSON values."""
        own = {field.name for field in dataclasses.fields(self)} - _COMMON
        return {name: to_json(getattr(self, name)) for name in sorted(own)}


_COMMON = {field.name for field in dataclasses.fields(Finding)}


@dataclass(frozen=True, slots=True)
class NotEvaluated:
    """A detector that lacked a source. It must never look like a clean bill."""

    term: str
    needs: str

    def sentence(self) -> str:
        return f"not evaluated: {self.term} (needs {self.needs})"


class Detector(Protocol):
    """One detector. `detect` is vectorised where it reads logs and never scans bodies itself.

    Registered as an entry point of the group `halfawake.detectors`, built-in or not. While sources
    are still being read, only those are asked that declare `speaks_early = True`: their findings
    tell what records show and never what is not there (see `speaks_early`).
    """

    term: ClassVar[str]

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        """All findings in the incident, strongest first, or why it could not look."""
        ...


def speaks_early(detector: Detector) -> bool:
    """Whether it may be asked while sources are still being read.

    A detector that does not say so is not: a claim that something is missing must not be made
    before everything that would refute it was read.
    """
    return getattr(detector, "speaks_early", False) is True


def to_json(value: object) -> JsonValue:
    """Evidence values as JSON: dataclasses become objects, events become their reference."""
    if isinstance(value, Event):
        return {"id": value.id, "source": value.source, "ref": value.ref}
    if isinstance(value, Enum):
        return str(value.value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {field.name: to_json(getattr(value, field.name)) for field in fields}
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"{type(value).__name__} cannot be evidence")
