"""A Slack export as Slack's own export writes it: a folder a channel, a JSON array a day."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

JsonValue: TypeAlias = (
    "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
)
Message: TypeAlias = dict[str, JsonValue]


def ts(clock: str, number: int = 200, day: str = "2026-03-14") -> str:
    """`1773454460.000200` of `02:14:20`."""
    return f"{int(datetime.fromisoformat(f'{day}T{clock}+00:00').timestamp())}.{number:06d}"


def said(clock: str, text: str, user: str = "U1", **more: JsonValue) -> Message:
    return {"type": "message", "ts": ts(clock), "user": user, "text": text, **more}


USERS: list[JsonValue] = [
    {"id": "U1", "name": "ann", "profile": {"display_name": "Ann", "real_name": "Ann Other"}},
    {"id": "U2", "name": "bo", "profile": {"display_name": "", "real_name": "Bo Jung"}},
]
NIGHT: list[JsonValue] = [
    said("02:00:00", "<@U1> has joined the channel", subtype="channel_join"),
    {
        "type": "message", "subtype": "bot_message", "ts": ts("02:13:41"), "bot_id": "B1",
        "username": "Pager", "text": "",
        "attachments": [{"title": "HighErrorRate on web", "text": "5xx above 2 %"}],
    },
    said("02:14:20", "ack, looking at user_id=4711 &amp; <https://grafana.example/d/1|graph>"),
    said("02:16:05", "<@U1> may I pause <#C9|mailers>?", "U2", thread_ts=ts("02:14:20"),
         edited={"user": "U2", "ts": ts("02:17:00")}),
    said("02:20:00", "rolled back web to v411\nand restarted mailers"),
    said("02:21:00", "\x1b[31mred\u202e text survives, order_id=815"),
]  # fmt: skip


def written_zip(path: Path, days: Mapping[str, object], users: object = USERS) -> Path:
    """An export; a day that is a text is written as it is."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("users.json", json.dumps(users))
        archive.writestr("channels.json", "[]")
        for name, content in days.items():
            raw = content if isinstance(content, str) else json.dumps(content)
            archive.writestr(name, raw)
    return path


def night_zip(folder: Path) -> Path:
    return written_zip(folder / "slack-export.zip", {"incident-42/2026-03-14.json": NIGHT})
