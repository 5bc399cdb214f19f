"""The JSON that Sentry and Datadog give out, described in the words of `jsonshape`.

Their records hold the usual parts under names of their own, or one level deeper. A description is
believed only where its marks stand in every sampled record, so that a program's own log with a
field called `attributes` stays what it is. Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from connectors.logs.jsonshape import JsonShape, JsonValue, Path, decode, value_at

STAMPS = ("iso", "epoch")


@dataclass(frozen=True, slots=True)
class Export:
    """One vendor's record. `marks`: of each group, at least one path must lead to a value."""

    name: str
    marks: tuple[tuple[Path, ...], ...]
    time: tuple[Path, ...]
    level: tuple[Path, ...]
    message: tuple[Path, ...]
    service: tuple[Path, ...] = ()
    host: tuple[Path, ...] = ()

    def marked(self, record: Mapping[str, JsonValue]) -> bool:
        """Whether a record is one of this vendor's."""
        return all(
            any(value_at(record, path) is not None for path in group) for group in self.marks
        )


def _datadog(root: str) -> Export:
    inside = {
        name: ((root, name),) for name in ("timestamp", "status", "message", "service", "host")
    }
    return Export(
        f"datadog {root}",
        marks=(
            (("id",),),
            inside["timestamp"],
            inside["message"],
            (*inside["status"], *inside["service"]),
        ),
        time=inside["timestamp"],
        level=inside["status"],
        message=inside["message"],
        service=inside["service"],
        host=inside["host"],
    )


EXPORTS: tuple[Export, ...] = (
    Export(
        "sentry",
        marks=(
            (("dateCreated",), ("dateReceived",)),
            (("eventID",), ("groupID",), ("event.type",)),
            (("title",), ("message",)),
        ),
        time=(("dateCreated",), ("dateReceived",)),
        level=(("level",),),
        message=(("title",), ("message",)),
        service=(("culprit",),),
        host=(("server_name",),),
    ),
    Export(
        "sentry event",
        marks=((("event_id",),), (("timestamp",), ("datetime",)), (("title",), ("culprit",))),
        time=(("datetime",), ("timestamp",)),
        level=(("level",),),
        message=(("title",), ("message",), ("logentry", "formatted")),
        service=(("culprit",),),
        host=(("server_name",),),
    ),
    _datadog("attributes"),
    _datadog("content"),
)
"""Sentry: the events of an issue (API, "List an Issue's Events") and the JSON of one event.
Datadog: logs of API v2 (`attributes`) and v1 (`content`). A Sentry level that stands among `tags`
alone is no field of its own and is not read."""


def shape_of_export(sample: Iterable[str]) -> JsonShape | None:
    """The shape of the sampled objects when all of them are one vendor's; else None."""
    records = [record for line in sample if (record := decode(line)) is not None]
    export = next((one for one in EXPORTS if records and all(map(one.marked, records))), None)
    return None if export is None else _shape(export, records)


def _shape(export: Export, records: Sequence[Mapping[str, JsonValue]]) -> JsonShape:
    def present(paths: tuple[Path, ...]) -> tuple[Path, ...]:
        return tuple(path for path in paths if any(_scalar(value_at(r, path)) for r in records))

    return JsonShape(
        present(export.time),
        STAMPS,
        level=present(export.level),
        message=present(export.message),
        service=present(export.service),
        host=present(export.host),
    )


def _scalar(value: JsonValue) -> bool:
    return value is not None and not isinstance(value, dict | list)
