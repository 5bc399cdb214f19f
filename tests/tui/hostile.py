"""What hostile systems write into their logs, jobs and rows, and an incident full of it."""

from __future__ import annotations

from tests.tui import story
from timeline.event import Event, Kind, Lane
from timeline.incident import Incident

HOSTILE = (
    "\x1b[2J\x1b[H cleared your screen",
    "\x1b]52;c;cm0gLXJmIC8=\x07 wrote your clipboard",
    "\x1b]0;owned\x07 renamed your window",
    "\x1b]8;;javascript:alert(1)\x1b\\ a link \x1b]8;;\x1b\\",
    "\x9b31m eight bit escape \x9d52;c;eA==\x9c",
    "\x1bP+q544e\x1b\\ asked your terminal",
    "carriage\rreturn and back\b\b\bspace and bell\x07",
    "right to left \u202eresu\u202c and \u2066isolated\u2069 \u200fmark",
    "zero\u200bwidth\u200djoined\ufeff and soft\u00adhyphen",
    "[bold red]markup[/bold red] [link=https://x]y[/link] [@click=app.quit]quit[/]",
    "\\[escaped] [/] [[nested]] [#ff0000]colour[/]",
    "\u5bbd\u5b57\u7b26\u8d85\u5bbd \uff21\uff22\uff23 \U0001f469\u200d\U0001f469\u200d\U0001f467",
    "combining e\u0301\u0302\u0303\u0304\u0305" + "\u0336" * 40 + " stacked",
    "tags \U000e0041\U000e0042 and line\u2028separator and null\x00byte",
    "long " + "x" * 1_000_000,
    "wide and long " + "\u5bbd" * 20_000,
)
"""One body each; every class of what `timeline/clean.py` names, and length."""


def hostile_events() -> list[Event]:
    """Every hostile text as log line, job and row around T, uncleaned: the last line holds, too."""
    events: list[Event] = []
    for number, body in enumerate(HOSTILE):
        stamp = story.T - (number + 1) * story.SECOND
        name = body[:60]
        events += [
            Event(stamp, "web", Lane.LOG, Kind.LOG, body, f"web.log@{number}", number, 17,
                  actor=name, keys=(f"request:{name}",), attributes='{"message": "[red]x[/]"}'),
            Event(stamp + 1, "jobs", Lane.QUEUE, Kind.JOB_FAILED, body, f"rq:job:{number}", number,
                  actor=name, keys=(f"job:{name}",)),
            Event(stamp + 2, "shop", Lane.DATABASE, Kind.ROW_UPDATED, body, f"users/{number}",
                  number, actor=name, keys=(f"row:users/{number}",)),
        ]  # fmt: skip
    return events


def hostile_incident() -> Incident:
    """The story's sources, telling nothing but hostile texts."""
    return story.incident(hostile_events())
