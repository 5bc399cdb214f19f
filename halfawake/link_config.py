"""`[links]` of the configuration: in which of the team's tools a cited record can be opened.

Read on its own, like `[redact]`, because a recorded incident is exported without any source being
configured. Only templates that a team wrote make links; nothing is guessed.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from timeline.export.links import LinkTemplate


class LinkProblem(ValueError):
    """The templates cannot be used; the message names file, line, key and remedy."""


def team_links(config: Path | None = None) -> tuple[LinkTemplate, ...]:
    """The templates of the configuration named, or of the usual one, in the order of the file.

    Raises `LinkProblem` with file, line, key and remedy. Without `[links]` nothing heavy is
    imported.
    """
    from platformdirs import user_config_path

    from halfawake.redact_config import usual_file

    path = usual_file(config, user_config_path("halfawake"))
    if path is None:
        return ()
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise LinkProblem(f"{path} cannot be read: {error}.") from None
    return _templates(data["links"], path, text) if "links" in data else ()


def _templates(table: object, path: Path, text: str) -> tuple[LinkTemplate, ...]:
    from pydantic import ValidationError

    from halfawake.config import explain
    from halfawake.link_settings import LinkConfig, templates_of

    if not isinstance(table, dict):
        raise LinkProblem(f"{path}: links is a table of tables: [links.kibana].")
    found = {}
    for name, one in table.items():
        try:
            found[name] = LinkConfig.model_validate(one)
        except ValidationError as error:
            place = ("links", name)
            raise LinkProblem(explain(error, path, text, LinkConfig, place)) from None
    return templates_of(found)
