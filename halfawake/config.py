"""The TOML configuration: sources per environment, keys, clocks. Made to live in a team's git.

Secrets never stand in it: `${NAME}` takes an environment variable and `password_command` runs a
command of the engineer's own. Unknown keys are refused with the file, the line and the nearest
name. Imported after the first frame only (pydantic is not needed to paint).
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from halfawake.knowledge_config import (
    ContractConfig,
    ExpectedConfig,
    SanityConfig,
    ScheduleConfig,
)
from halfawake.link_settings import LinkConfig
from halfawake.redact_settings import RedactConfig
from halfawake.setting_types import DurationMs, Strict
from timeline.clock import MILLISECOND_NS, ClockBound, ClockTable
from timeline.keys import KeyRules, KeyType

FILE_NAME = "halfawake.toml"


class ConfigProblem(Exception):
    """The configuration cannot be used; the message names file, line, key and remedy.

    A value that a check quotes loses its password or token: the screen and stderr show this.
    """

    def __init__(self, message: str) -> None:
        from timeline.export.redact_messages import without_secrets

        super().__init__(without_secrets(message))


class KeyConfig(Strict):
    """`[keys.NAME]`: where keys of one type stand, and which table holds their rows."""

    fields: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    table: str = ""
    pk: str = "id"
    public_id: str = ""


class ClockConfig(Strict):
    """`[clocks.NAME]`: how far the clock of a host or source may be off."""

    error: DurationMs


class SourceConfig(BaseModel):
    """`[env.E.sources.NAME]`: the connector, how to reach it, and the connector's own options."""

    model_config = ConfigDict(extra="allow", frozen=True)

    connector: str
    via: str | None = None
    tls_server_name: str | None = None
    password_command: str | tuple[str, ...] | None = None
    timeout: DurationMs | None = None

    @property
    def options(self) -> dict[str, object]:
        """What is handed to the connector's own options model."""
        return dict(self.model_extra or {})


class EnvironmentConfig(Strict):
    """`[env.NAME]`: one environment. Two are never mixed on one screen.

    All but the sources is what a team knows beyond them; see `halfawake.knowledge_config`.
    """

    title: str = ""
    expected_services: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    sources: dict[str, SourceConfig] = Field(default_factory=dict)
    schedules: dict[str, ScheduleConfig] = Field(default_factory=dict)
    expected: dict[str, ExpectedConfig] = Field(default_factory=dict)
    contracts: dict[str, ContractConfig] = Field(default_factory=dict)
    sanity: dict[str, SanityConfig] = Field(default_factory=dict)


class Config(Strict):
    """A whole configuration file."""

    default_env: str = ""
    before: DurationMs | None = None
    after: DurationMs | None = None
    keys: dict[str, KeyConfig] = Field(default_factory=dict)
    clocks: dict[str, ClockConfig] = Field(default_factory=dict)
    env: dict[str, EnvironmentConfig] = Field(default_factory=dict)
    redact: RedactConfig = Field(default_factory=RedactConfig)
    links: dict[str, LinkConfig] = Field(default_factory=dict)

    def key_rules(self) -> KeyRules:
        """The configured key types, before the well-known ones."""
        return KeyRules(
            tuple(KeyType(name=name, **key.model_dump()) for name, key in self.keys.items())
        )

    def clock_table(self) -> ClockTable:
        """The declared clock bounds."""
        bounds = {
            name: ClockBound(
                int(clock.error * MILLISECOND_NS), int(clock.error * MILLISECOND_NS), "declared"
            )
            for name, clock in self.clocks.items()
        }
        return ClockTable(bounds)

    def environment(self, name: str | None) -> tuple[str, EnvironmentConfig]:
        """The environment asked for, the default one, or the only one there is."""
        if name is None:
            name = self.default_env or (next(iter(self.env)) if len(self.env) == 1 else None)
        if name is None:
            known = ", ".join(self.env) or "none"
            raise ConfigProblem(f"Which environment? Say -e NAME; configured: {known}.")
        if name not in self.env:
            near = difflib.get_close_matches(name, self.env, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ConfigProblem(
                f"No environment {name!r} is configured; there is {', '.join(self.env) or 'none'}."
                + hint
            )
        return name, self.env[name]


def find_config(explicit: Path | None, start: Path, user_folder: Path) -> Path | None:
    """The file to use: the named one, else ./halfawake.toml, else the user's; None if neither."""
    if explicit is not None:
        if not explicit.is_file():
            raise ConfigProblem(f"There is no configuration file {explicit}.")
        return explicit
    return next((p for p in (start / FILE_NAME, user_folder / FILE_NAME) if p.is_file()), None)


def load_config(
    path: Path, environ: Mapping[str, str] | None = None, environment: str | None = None
) -> Config:
    """Read and validate one file. Raises `ConfigProblem` with file, line, key and remedy.

    Variables that only other environments than `environment` (or the default one) need may be
    unset: who looks at prod need not export what a developer's machine uses.
    """
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigProblem(f"{path} cannot be read: {error}.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigProblem(f"{path} is not valid TOML: {error}.") from None
    variables = os.environ if environ is None else environ
    filled = _filled(_asked_for(data, environment), variables, path, text, ())
    try:
        return Config.model_validate(filled)
    except ValidationError as error:
        raise ConfigProblem(explain(error, path, text, Config)) from None


def _asked_for(data: dict[str, object], environment: str | None) -> dict[str, object]:
    """`data` with the variables of every other environment than the chosen one made harmless."""
    chosen = environment or data.get("default_env")
    environments = data.get("env")
    if not isinstance(environments, dict) or not isinstance(chosen, str):
        return data
    if chosen not in environments:
        return data
    others = {name: _unread(one) for name, one in environments.items() if name != chosen}
    return {**data, "env": {**environments, **others, chosen: environments[chosen]}}


def _unread(value: object) -> object:
    """`value` without its `${NAME}`s: what stands there will not be used."""
    if isinstance(value, dict):
        return {name: _unread(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_unread(item) for item in value]
    return _VARIABLE.sub("", value) if isinstance(value, str) else value


_VARIABLE = re.compile(r"\$\{(\w+)\}")


def _filled(
    value: object, environ: Mapping[str, str], path: Path, text: str, place: tuple[str, ...]
) -> object:
    """`value` with every `${NAME}` replaced; an unset name is refused with its line."""
    if isinstance(value, dict):
        return {k: _filled(v, environ, path, text, (*place, str(k))) for k, v in value.items()}
    if isinstance(value, list):
        return [_filled(item, environ, path, text, place) for item in value]
    if not isinstance(value, str):
        return value
    missing = [name for name in _VARIABLE.findall(value) if name not in environ]
    if missing:
        raise ConfigProblem(
            f"{path}, line {line_of(text, place)}: {'.'.join(place)} needs the environment "
            f"variable {missing[0]}, which is not set."
        )
    return _VARIABLE.sub(lambda match: environ[match.group(1)], value)


def line_of(text: str, place: tuple[str, ...]) -> int:
    """1-based line on which the key at `place` (table names, then the key) most likely stands."""
    lines = text.splitlines()
    for depth in range(len(place), 0, -1):
        key = re.escape(place[depth - 1])
        table = r"\.".join(rf'"?{re.escape(part)}"?' for part in place[: depth - 1])
        header = re.compile(rf"\s*\[\[?\s*{table}\s*\]\]?") if table else None
        assignment = re.compile(rf'\s*"?{key}"?\s*(=|\.)')
        parent = rf"{table}\." if table else ""
        whole = re.compile(rf'\s*\[\[?\s*{parent}"?{key}"?\s*[\].]')
        inside = header is None
        for number, line in enumerate(lines, 1):
            if whole.match(line):
                return number
            if line.lstrip().startswith("["):
                inside = bool(header and header.match(line))
            elif inside and assignment.match(line):
                return number
    return 1


def explain(
    error: ValidationError,
    path: Path,
    text: str,
    model: type[BaseModel],
    prefix: tuple[str, ...] = (),
) -> str:
    """One sentence for the first validation error: file, line, key, what is wrong, nearest name."""
    found = error.errors()
    # a misspelt key is also a missing one: the misspelling is what the person can see
    first = next((item for item in found if item["type"] == "extra_forbidden"), found[0])
    place = (*prefix, *(str(part) for part in first["loc"] if not str(part).startswith("function")))
    where = f"{path}, line {line_of(text, place)}"
    name = ".".join(place)
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(place[-1], _names(model, place[len(prefix) : -1]), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        return f"{where}: there is no setting {name}.{hint}"
    if first["type"] == "missing":
        return f"{where}: {name} is missing."
    return f"{where}: {name}: {first['msg'].removeprefix('Value error, ')}."


def _names(model: type[BaseModel], place: tuple[str, ...]) -> list[str]:
    """Setting names that are known where `place` leads, dictionaries skipped."""
    for part in place:
        annotation = model.model_fields[part].annotation if part in model.model_fields else None
        for inner in (annotation, *getattr(annotation, "__args__", ())):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                model = inner
    return list(model.model_fields)
