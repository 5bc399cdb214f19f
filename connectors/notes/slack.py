"""Messages of a Slack export as notes: who wrote what, when Slack's servers took it.

The shape is that of Slack's own export (a folder per channel, a JSON array per day, `users.json`
beside them); tools that wrap the array as `messages` are understood too. `ts` is the message's
number within its channel: its seconds are a time, and its further digits only keep two messages
apart, so that nothing finer than a second is claimed. An edited message shows its later text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from connectors.logs.jsonshape import JsonValue
from connectors.logs.stamps import LAST_SECOND, Stamp
from connectors.notes.reading import MOST_LINES, Reading, Wanted, Written
from connectors.notes.slack_files import Export, opened
from connectors.notes.written import Moment, Note
from timeline.event import Precision
from timeline.window import SECOND_NS

CLOCK = "slack"
NO_MESSAGE = frozenset(
    {
        "channel_join", "channel_leave", "channel_name", "channel_archive", "channel_unarchive",
        "channel_convert_to_private", "group_join", "group_leave", "pinned_item", "unpinned_item",
        "bot_add", "bot_remove", "bot_enable", "bot_disable", "tombstone", "reminder_add",
    }
)  # fmt: skip
"""Subtypes that tell of the channel, not of the incident; they are counted."""
_TS = re.compile(r"([0-9]{9,11})\.([0-9]{1,6})")
_MENTION = re.compile(r"<(?P<sign>[@#!])(?P<id>[^>|]{1,200})(?:\|(?P<label>[^>]{0,200}))?>")
_LINK = re.compile(
    r"<(?P<url>[a-z][a-z0-9+.-]{1,10}:[^>|\s]{1,2000})(?:\|(?P<label>[^>]{0,500}))?>"
)
_MOST_FILES_NAMED = 5
_LONGEST_FACT = 300
"""Characters of what is told besides the text."""


def read_export(path: Path, wanted: Wanted, reading: Reading) -> None:
    """Add the wanted messages of an export. What cannot be read is said, what can is kept."""
    with opened(path, reading) as export:
        names = _names(export.users())
        for channel, member in export.days(wanted.day):
            reading.files += 1
            _add_day(channel, member, export, names, wanted, reading)


def _add_day(
    channel: str,
    member: str,
    export: Export,
    names: Mapping[str, str],
    wanted: Wanted,
    reading: Reading,
) -> None:
    for record in export.messages(member):
        if not isinstance(record, dict):
            reading.broken += 1
            continue
        ts, text = record.get("ts"), _text(record.get("text"))
        found = _TS.fullmatch(ts) if isinstance(ts, str) else None
        if found is None:
            reading.broken += 1
        elif _text(record.get("subtype")) in NO_MESSAGE:
            reading.told["messages about the channel itself (joined, left, pinned), not told"] += 1
        elif int(found[1]) <= LAST_SECOND:
            ns = int(found[1]) * SECOND_NS + int(found[2].ljust(9, "0"))
            if wanted.message(ns, text):
                reading.notes.append(_written(record, text, found, ns, channel, member, names))
                _count(record, reading)


def _written(
    record: Mapping[str, JsonValue],
    text: str,
    ts: re.Match[str],
    ns: int,
    channel: str,
    member: str,
    names: Mapping[str, str],
) -> Written:
    lines = _readable(text or _attached(record), names).splitlines() or [""]
    first, further = lines[0], [line for line in lines[1:] if line.strip()]
    kept = further[:MOST_LINES]
    if len(further) > MOST_LINES:
        kept.append(f"… [{len(further) - MOST_LINES} more lines, see the source]")
    who, is_bot = _author(record, names)
    note = Note("", "", "", first, who, whole=ts[0], told=_besides(record, channel, is_bot, names))
    stamp = Stamp(ns, Precision.SECOND)
    number = int(ts[1]) * 1_000_000 + int(ts[2].ljust(6, "0"))
    return Written(member, number, note, Moment(stamp), tuple(kept), clock=CLOCK)


def _besides(
    record: Mapping[str, JsonValue], channel: str, is_bot: bool, names: Mapping[str, str]
) -> dict[str, str]:
    """What is known of a message besides its text."""
    thread, edited = record.get("thread_ts"), record.get("edited")
    is_reply = isinstance(thread, str) and thread != record.get("ts")
    files = record.get("files")
    named = [_text(one.get("name")) for one in files if isinstance(one, dict)] if isinstance(
        files, list
    ) else []  # fmt: skip
    reactions = record.get("reactions")
    told = {
        "channel": channel,
        "thread": _text(thread) if is_reply else "",
        "bot": "yes" if is_bot else "",
        "edited": _text(edited.get("ts")) if isinstance(edited, dict) else "",
        "files": ", ".join(name for name in named[:_MOST_FILES_NAMED] if name),
        "reactions": _reactions(reactions) if isinstance(reactions, list) else "",
    }
    return {name: value[:_LONGEST_FACT] for name, value in told.items() if value}


def _reactions(reactions: Sequence[JsonValue]) -> str:
    """`eyes 2, white_check_mark 1`: how a team says that it has seen or done something."""
    counted = [
        f"{_text(one.get('name'))} {_text(one.get('count'))}"
        for one in reactions[:_MOST_FILES_NAMED]
        if isinstance(one, dict)
    ]
    return ", ".join(counted)


def _count(record: Mapping[str, JsonValue], reading: Reading) -> None:
    if isinstance(record.get("edited"), dict):
        reading.told["messages edited after they were sent, told with their later text"] += 1
    if _text(record.get("subtype")) == "bot_message" or "bot_id" in record:
        reading.told["messages of bots, told under the bot's name"] += 1


def _author(record: Mapping[str, JsonValue], names: Mapping[str, str]) -> tuple[str, bool]:
    """The name a person or bot goes by, and whether it is a bot."""
    user = _text(record.get("user"))
    profile, bot = record.get("user_profile"), record.get("bot_profile")
    is_bot = "bot_id" in record or _text(record.get("subtype")) == "bot_message"
    own = (
        _first(profile, ("display_name", "real_name", "name")) if isinstance(profile, dict) else ""
    )
    of_bot = _first(bot, ("name",)) if isinstance(bot, dict) else ""
    named = _text(record.get("username"))
    if is_bot:
        return of_bot or named or names.get(user) or "bot", True
    return names.get(user) or own or named or user, False


def _names(users: JsonValue) -> dict[str, str]:
    """Id to name of `users.json`."""
    found: dict[str, str] = {}
    for user in users if isinstance(users, list) else ():
        if not isinstance(user, dict) or not (known := _text(user.get("id"))):
            continue
        profile = user.get("profile")
        name = ""
        if isinstance(profile, dict):
            name = _first(profile, ("display_name", "real_name"))
        found[known] = name or _first(user, ("real_name", "name")) or known
    return found


def _readable(text: str, names: Mapping[str, str]) -> str:
    """Slack's markup as a person reads it: `<@U1>` is `@ann`, `<url|label>` both of them."""

    def mention(found: re.Match[str]) -> str:
        sign, known, label = found["sign"], found["id"], found["label"] or ""
        if sign == "@":
            return f"@{names.get(known) or label or known}"
        if sign == "#":
            return f"#{label or known}"
        return label or f"@{known.partition('^')[0]}"

    def link(found: re.Match[str]) -> str:
        label, url = found["label"] or "", found["url"]
        return url if not label or label in url else f"{label} ({url})"

    return html.unescape(_LINK.sub(link, _MENTION.sub(mention, text)))


def _attached(record: Mapping[str, JsonValue]) -> str:
    """What a message without a text of its own says: bots often put all of it in attachments."""
    attachments = record.get("attachments")
    said: list[str] = []
    for one in attachments if isinstance(attachments, list) else ():
        if isinstance(one, dict):
            title, text = _first(one, ("title", "pretext")), _first(one, ("text", "fallback"))
            said += [part for part in (title, text) if part and part not in said]
    files = record.get("files")
    for one in files if isinstance(files, list) and not said else ():
        if isinstance(one, dict):
            said.append(f"(file) {_first(one, ('title', 'name'))}".strip())
    return "\n".join(said)


def _first(record: Mapping[str, JsonValue], names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := _text(record.get(name)).strip())), "")


def _text(value: JsonValue) -> str:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""
