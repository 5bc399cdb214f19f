"""What might be there: every connector is asked for candidates, and each server is met once.

Imports every registered connector (their modules import no driver). One that cannot be imported,
or whose `candidates` fails, is a note and stops nothing.
"""

from __future__ import annotations

import re
from collections.abc import ItemsView, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from connectors.discovery import Candidate, Discoverable
from halfawake import plugins
from halfawake.discovery.places import Origin

LOCAL = "local"
"""The environment of everything found in a file that describes a developer's machine."""
_ADDRESS = re.compile(r"_(?:URL|URI|DSN)$")
"""Variables that hold an address; one that is set and fits no connector deserves a word."""
_REFERENCE = re.compile(r"\$\{(\w+)\}")
_UNNAMEABLE = re.compile(r"[^A-Za-z0-9_-]+")


WALKED = frozenset(["DATABASE_URL"])
"""What connectors that go through all names are after: a walk by itself asks for no name."""


class _LookedAt(Mapping[str, str]):
    """Variables that remember which names one connector asked for."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._names: set[str] = set()
        self._walked = False

    @property
    def names(self) -> frozenset[str]:
        return WALKED if self._walked else frozenset(self._names)

    def __getitem__(self, name: str) -> str:
        self._names.add(name)
        return self._variables[name]

    def __iter__(self) -> Iterator[str]:
        self._walked = True
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)

    def items(self) -> ItemsView[str, str]:
        self._walked = True
        return self._variables.items()


@dataclass(frozen=True)
class Proposal:
    """One candidate with its environment, ready to be proved."""

    connector: str
    name: str
    options: Mapping[str, object]
    """As they are written: secrets as `${NAME}`."""
    found_in: str
    environment: str
    filled: Mapping[str, object] = field(repr=False)
    """With every `${NAME}` replaced: for the connector alone."""
    unset: Mapping[str, str] = field(default_factory=dict)
    """Variables the shell does not export yet -> the file in which they stand."""


@dataclass(frozen=True)
class Proposed:
    """All proposals, names of the variables that were looked at, and what could not be used."""

    proposals: tuple[Proposal, ...]
    looked_at: frozenset[str]
    notes: tuple[str, ...]


def propose(origins: Iterable[Origin], environment: str, shell: Mapping[str, str]) -> Proposed:
    """Ask every discoverable connector about every origin, the shell first."""
    classes, notes = _discoverable()
    asked = _Asked()
    proposals: list[Proposal] = []
    for origin in origins:
        for name, cls in classes.items():
            for candidate in asked.candidates(name, cls, origin):
                proposal = _proposal(candidate, origin, environment, shell)
                if not _known(proposal, proposals):
                    proposals.append(proposal)
    names = frozenset(asked.looked_at)
    return Proposed(tuple(proposals), names, (*notes, *asked.failed, *asked.not_understood()))


class _Asked:
    """What was learnt while asking: names that were looked at, names that led somewhere."""

    def __init__(self) -> None:
        self.looked_at: dict[str, str] = {}
        """Name -> where it is set, or "" where it is not."""
        self.failed: dict[str, None] = {}
        self._used: set[str] = set()

    def candidates(self, name: str, cls: Discoverable, origin: Origin) -> list[Candidate]:
        """What one connector proposes; a failure of it is noted and proposes nothing."""
        variables = _LookedAt(origin.place.variables)
        try:
            found = list(cls.candidates(replace(origin.place, variables=variables)))
        except Exception as error:  # noqa: BLE001, RUF100  # a plugin may raise anything
            self.failed[f"The connector {name} could not look: {type(error).__name__}."] = None
            return []
        self._used.update(used for one in found for used in _names_in(one.options))
        if not origin.inlined:
            set_here = variables.names & origin.place.variables.keys()
            self.looked_at |= dict.fromkeys(variables.names - self.looked_at.keys(), "")
            self.looked_at |= dict.fromkeys(set_here, origin.name or "your shell")
        return found

    def not_understood(self) -> list[str]:
        """Addresses that are set and fit no connector. Their values stay unsaid."""
        return [
            f"{name} of {where} begins like nothing that a connector knows "
            "(redis://, postgresql://, https:// …); it was left out."
            for name, where in sorted(self.looked_at.items())
            if where and name not in self._used and _ADDRESS.search(name)
        ]


def named_apart(proposals: Iterable[Proposal]) -> list[str]:
    """A bare TOML key for each, unique in its environment: `queue`, `queue-2`."""
    taken: set[tuple[str, str]] = set()
    names = []
    for proposal in proposals:
        wanted = _UNNAMEABLE.sub("-", proposal.name).strip("-") or proposal.connector
        name, number = wanted, 1
        while (proposal.environment, name) in taken:
            number += 1
            name = f"{wanted}-{number}"
        taken.add((proposal.environment, name))
        names.append(name)
    return names


def _discoverable() -> tuple[dict[str, Discoverable], list[str]]:
    """Classes by name: `candidates` is static, so a class has it as an instance would."""
    classes: dict[str, Discoverable] = {}
    notes = []
    for name in plugins.names(plugins.CONNECTORS):
        try:
            cls: object = plugins.connector_class(name)
        except Exception as error:  # noqa: BLE001, RUF100  # whatever importing a plugin raises
            missing = f" {error.name}" if isinstance(error, ImportError) and error.name else ""
            kind = type(error).__name__
            notes.append(f"The connector {name} cannot be loaded: {kind}{missing}.")
            continue
        if isinstance(cls, Discoverable):
            classes[name] = cls
    return classes, notes


def _proposal(
    candidate: Candidate, origin: Origin, environment: str, shell: Mapping[str, str]
) -> Proposal:
    variables = {**origin.place.variables, **origin.secrets}
    options: Mapping[str, object] = dict(candidate.options)
    if origin.inlined:
        options = _mapped(options, origin.place.variables)
    needed = _names_in(options)
    return Proposal(
        connector=candidate.connector,
        name=candidate.name,
        options=options,
        found_in=_placed(candidate.found_in, origin),
        environment=LOCAL if candidate.local or origin.local else environment,
        filled=_mapped(options, variables),
        unset={name: origin.files.get(name, "") for name in needed if name not in shell},
    )


def _placed(found_in: str, origin: Origin) -> str:
    """Where it was found; of a file, the file (and the variable in it)."""
    if not origin.name:
        return found_in
    return origin.name if origin.inlined else found_in.replace("the variable", f"{origin.name},")


def _known(proposal: Proposal, others: Iterable[Proposal]) -> bool:
    """Whether the same server was met before, by the same words or under another name."""
    return any(
        other.connector == proposal.connector
        and (other.options == proposal.options or other.filled == proposal.filled)
        for other in others
    )


def _mapped(options: Mapping[str, object], values: Mapping[str, str]) -> dict[str, object]:
    return {name: _replaced(value, values) for name, value in options.items()}


def _replaced(value: object, values: Mapping[str, str]) -> object:
    """`value` with the `${NAME}`s that `values` knows replaced."""
    if isinstance(value, str):
        return _REFERENCE.sub(lambda match: values.get(match[1], match[0]), value)
    if isinstance(value, Mapping):
        return {name: _replaced(item, values) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_replaced(item, values) for item in value]
    return value


def _names_in(value: object) -> list[str]:
    """Names of all `${NAME}` in options."""
    if isinstance(value, str):
        return _REFERENCE.findall(value)
    if isinstance(value, Mapping):
        return [name for item in value.values() for name in _names_in(item)]
    if isinstance(value, (list, tuple)):
        return [name for item in value for name in _names_in(item)]
    return []
