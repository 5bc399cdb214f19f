"""The table `[links.NAME]` of a configuration: where the team's own tools show a record.

Checked here and turned into `timeline.export.links.LinkTemplate`. Nothing is opened or asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, model_validator

from halfawake.setting_types import DurationMs, Strict
from timeline.clock import MILLISECOND_NS
from timeline.export.links import (
    AROUND_NS,
    PLACES,
    LinkTemplate,
    problem_with,
    unknown_places,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["kibana", "opensearch", "grafana", "url"]


def _address(text: str) -> str:
    """`text`, if links may begin with it. Raises ValueError."""
    if problem := problem_with(text):
        raise ValueError(problem)
    return text


def _places(text: str) -> str:
    """`text`, if a record fills every place in it. Raises ValueError."""
    if unknown := unknown_places(text):
        known = ", ".join(f"{{{name}}}" for name in PLACES)
        raise ValueError(f"{{{unknown[0]}}} is nothing a record has; there is {known}")
    return text


class LinkConfig(Strict):
    """`[links.NAME]`: one tool, and the sources whose records it shows."""

    kind: Kind = "url"
    base: Annotated[str, AfterValidator(_address)]
    """The tool's address; with `kind = "url"` the whole template."""
    sources: tuple[str, ...]
    query: Annotated[str, AfterValidator(_places)] = ""
    data_view: str = ""
    datasource: str = ""
    datasource_type: str = "loki"
    org: int = 1
    around: DurationMs = AROUND_NS / MILLISECOND_NS

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """What a kind cannot do without."""
        if self.kind in ("kibana", "opensearch") and not self.data_view:
            raise ValueError(f'kind = "{self.kind}" needs data_view, the id in its own addresses')
        if self.kind == "grafana" and not (self.datasource and self.query):
            raise ValueError('kind = "grafana" needs datasource (its uid) and query')
        if self.kind == "url":
            _places(self.base)
        return self


def templates_of(links: Mapping[str, LinkConfig]) -> tuple[LinkTemplate, ...]:
    """The tables as templates, in the order they are written."""
    return tuple(
        LinkTemplate(
            name=name,
            kind=link.kind,
            base=link.base,
            sources=link.sources,
            query=link.query,
            data_view=link.data_view,
            datasource=link.datasource,
            datasource_type=link.datasource_type,
            org=link.org,
            around=int(link.around * MILLISECOND_NS),
        )
        for name, link in links.items()
    )
