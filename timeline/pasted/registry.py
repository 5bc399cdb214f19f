"""Every kind of paste in the order they are tried; the first that understands it has it.

A new kind is a module with `understood(text)`, one line here and its rows in the table of
`tests/timeline/test_pasted_table.py`. Links come first (a name in one is no mark of a kind),
Grafana's alerts before Alertmanager's, whose shape they share, and the most general last.
"""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import cast

from timeline.clean import clean
from timeline.pasted.contract import Kind, Pasted

KINDS: tuple[str, ...] = (
    "kibana_url",
    "grafana_url",
    "datadog_url",
    "grafana_alert",
    "alertmanager",
    "cloudwatch",
    "pagerduty",
    "opsgenie",
    "sentry",
    "datadog",
    "stack_trace",
    "log_line",
    "plain_text",
)

MOST_CHARACTERS = 160
"""Of a title, a service or a key as it is told; a link may be longer."""


def understand(text: str) -> Pasted | None:
    """What was pasted, cleaned on the way in and on the way out; None when it is nothing known."""
    tidy = "\n".join(clean(line) for line in text.replace("\r\n", "\n").split("\n")).strip("\n")
    for name in KINDS:
        kind = cast("Kind", import_module(f"timeline.pasted.{name}"))
        if (found := kind.understood(tidy)) is not None:
            return _cleaned(found)
    return None


def _cleaned(pasted: Pasted) -> Pasted:
    """Every text once more: JSON and links can carry control characters in their escapes."""
    instants = (
        replace(one, stamp=replace(one.stamp, text=_short(one.stamp.text)))
        for one in pasted.instants
    )
    return replace(
        pasted,
        title=_short(pasted.title),
        instants=tuple(instants),
        service=_short(pasted.service),
        environment=_short(pasted.environment),
        keys=tuple(map(_short, pasted.keys)),
        filters=tuple(map(_short, pasted.filters)),
        links=tuple(map(clean, pasted.links)),
        remarks=tuple(map(_short, pasted.remarks)),
        late_why=_short(pasted.late_why),
    )


def _short(text: str) -> str:
    text = clean(text)
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"
