"""Where `init` looks, in order: the shell's variables, env files, compose files of this folder.

Each place is a `Place` of its own, so that what stands in a file is never taken for what the shell
exports: a source found in a file is local to this machine until the person says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from connectors.discovery import Place
from halfawake.discovery import env_files
from halfawake.discovery.compose import FILES, OVERRIDES, read_compose


@dataclass(frozen=True)
class Origin:
    """One place to look at, and what its findings need later."""

    place: Place
    name: str = ""
    """The file, or "" for the shell."""
    local: bool = False
    files: Mapping[str, str] = field(default_factory=dict)
    """Variable -> file in which its value stands, for variables that the shell does not export."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Values of variables that the place's own values refer to."""
    inlined: bool = False
    """Whether values hold no secret and are written as they are: addresses made from compose."""


@dataclass(frozen=True)
class Origins:
    """Everything that is looked at."""

    found: tuple[Origin, ...]
    notes: tuple[str, ...]


def origins(
    shell: Mapping[str, str],
    folder: Path,
    home: Path,
    named_files: Sequence[Path] = (),
    *,
    named_are_local: bool = True,
) -> Origins:
    """The places. `named_files` are read instead of the usual env files; one must be readable.

    Raises OSError for a named file that is not.
    """
    for path in named_files:
        with path.open("rb"):
            pass
    paths = named_files or [folder / name for name in env_files.NAMES]
    env = env_files.read_env_files(paths)
    notes = [
        *env.notes,
        *(
            f"{file} gives another {name} than your shell does; the shell's was looked at."
            for name, file in env.files.items()
            if shell.get(name, env.variables[name]) != env.variables[name]
        ),
    ]
    found = [Origin(Place(shell, folder, home))]
    if env.variables:
        local = named_are_local or not named_files
        files = {name: file for name, file in env.files.items() if name not in shell}
        place = Place(env.variables, folder, home)
        found.append(Origin(place, ", ".join(sorted(set(env.files.values()))), local, files))
    composed, more = _composed(folder, home, {**env.variables, **shell}, shell)
    return Origins((*found, *composed), (*notes, *more))


def _composed(
    folder: Path, home: Path, variables: Mapping[str, str], shell: Mapping[str, str]
) -> tuple[list[Origin], list[str]]:
    """One origin for each service of the compose file that can be reached from here."""
    base = Place({}, folder, home)
    file = next((name for name in FILES if base.text(folder / name)), "")
    if not file:
        return [], []
    override = next((text for name in OVERRIDES if (text := base.text(folder / name))), "")
    try:
        services, notes = read_compose(base.text(folder / file), override, variables)
    except ValueError as problem:
        return [], [f"{file} is not understood ({problem}); it was left out."]
    return [
        Origin(
            Place(service.variables, folder, home),
            f"{file}, service {service.name}",
            local=True,
            files={name: file for name in service.secrets if name not in shell},
            secrets=service.secrets,
            inlined=True,
        )
        for service in services
    ], [f"{file}: {note}." for note in notes]
