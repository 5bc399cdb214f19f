"""`[redact]` of the configuration: what a team takes out beyond the built-in rules, and keeps.

Read on its own, so that every way out has it whether or not sources are configured, and refused
with file, line and key: an export with a rule left out would be a leak.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from timeline.export.rule import Rule

NAME = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
LEAST_KEPT = 4
"""Signs that a value to keep must name: `*` alone would switch redaction off in silence."""


class RedactionProblem(ValueError):
    """What the team redacts is not known; the message names file, line, key and remedy."""


@dataclass(frozen=True, slots=True)
class Redaction:
    """The team's rules, in the order of the file, and the values that stay."""

    rules: tuple[Rule, ...] = ()
    keep: tuple[str, ...] = ()


def team_redaction(config: Path | None = None) -> Redaction:
    """What the configuration named, or the usual one, says of redaction.

    Raises `RedactionProblem` with file, line, key and remedy. Without a `[redact]` nothing heavy is
    imported.
    """
    from platformdirs import user_config_path

    path = usual_file(config, user_config_path("halfawake"))
    if path is None:
        return Redaction()
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RedactionProblem(
            f"{path} cannot be read ({error}), so what it redacts is not known; nothing leaves."
        ) from None
    return _redaction(data["redact"], path, text) if "redact" in data else Redaction()


def usual_file(config: Path | None, user_folder: Path) -> Path | None:
    """Like `halfawake.config.find_config`, which costs an import that most exports do not need."""
    if config is not None:
        return config
    usual = (Path.cwd() / "halfawake.toml", user_folder / "halfawake.toml")
    return next((path for path in usual if path.is_file()), None)


def _redaction(table: object, path: Path, text: str) -> Redaction:
    from pydantic import ValidationError

    from halfawake.config import explain
    from halfawake.redact_settings import RedactConfig

    try:
        found = RedactConfig.model_validate(table)
    except ValidationError as error:
        raise RedactionProblem(explain(error, path, text, RedactConfig, ("redact",))) from None
    return found.redaction()
