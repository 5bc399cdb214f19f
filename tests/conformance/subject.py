"""What a connector's author tells the conformance suite about one connector and its test data."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from connectors.contract import Connector
from timeline.event import Event
from timeline.keys import KeyRules
from timeline.window import Window

VOLATILE = frozenset({"seen_at"})
"""Attributes that say when we looked; they differ between two looks at an unchanged record."""


def says_now(event: Event) -> bool:
    """Whether the event describes the present: its attributes hold `"now": true`.

    Only such events may lie outside the window, and only they may differ between two fetches.
    """
    return event.attributes is not None and json.loads(event.attributes).get("now") is True


@dataclass(frozen=True)
class Subject:
    """One connector with a source that already holds records (at least five, two with keys).

    Nothing may change in the source while the suite runs.
    """

    connector_class: type[Connector]
    options: Mapping[str, object]
    """Options that work, as they would stand in the configuration file."""
    window: Window
    """Holds every planted record, and at least two on either side of its pin."""
    known_keys: tuple[str, ...] = ()
    """Keys that a look-up finds at least one record of the window for."""
    absent_key: str = ""
    """A key of a type that the system holds, which no record has; empty when it holds no keys."""
    key_rules: KeyRules = field(default_factory=KeyRules)
    drivers: tuple[str, ...] = ()
    """Modules that importing the connector must not import."""
    secrets: tuple[str, ...] = ()
    """Texts (passwords) that must never appear anywhere."""
    hostile: str = ""
    """A visible piece of a planted record that also held control and bidirectional characters."""
    page_option: str = ""
    """Name of the option that sets how many records are asked for at once."""
    at_port: Callable[[int], Mapping[str, object]] | None = None
    """Options for the same system on another loopback port; None when it has no port."""
    connections: Callable[[], int] | None = None
    """Counts the connector's connections as the server sees them."""
    is_present: Callable[[Event], bool] = says_now
    """Which events describe the present rather than the window."""

    def connector(self, **changes: object) -> Connector:
        """A fresh connector with these options changed."""
        return self.with_options({**self.options, **changes})

    def with_options(self, options: Mapping[str, object]) -> Connector:
        validated = self.connector_class.Options.model_validate(dict(options))
        return self.connector_class("subject", validated, self.key_rules)


def settled(event: Event) -> Event:
    """The event without what says when we looked."""
    if event.attributes is None:
        return event
    content = {k: v for k, v in json.loads(event.attributes).items() if k not in VOLATILE}
    return replace(event, attributes=json.dumps(content, sort_keys=True))
