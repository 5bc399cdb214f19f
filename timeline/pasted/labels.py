"""What a stamp in running text is the stamp of, by the words before it; and relative phrases.

`Started: …` is the alert's start, `Resolved: …` its end, `Date: …` when it was sent. A stamp of
something else that is named (a deploy, an acknowledgement, a due date) is nobody's alert and is
left out; one without any such word is only mentioned.
"""

from __future__ import annotations

import re

from timeline.pasted.contract import Instant, Meaning, Relative, Stamp
from timeline.pasted.stamps import placed_in
from timeline.pin import length_of

REACH = 80
"""Characters before a stamp in which its label is looked for."""
MOST_RELATIVE = 20

_LABELS: tuple[tuple[Meaning | None, str], ...] = (
    (
        None,
        r"acknowledg|deploy|releas|built|updated|modified|due|until|expire|snooz|silenc|muted"
        r"|last ok|next|scheduled|joined|registered|posted|edited|assigned|escalat|notified"
        r"|(?<!started)(?<!starts)(?<!opened)(?<!triggered)(?<!fired)_at\b",
    ),
    (Meaning.SEEN, r"(?:first|last) (?:seen|event|triggered|occurrence)|last received"),
    (Meaning.RESOLVED, r"resolved|ended|ends ?at|end time|closed|recovered|behoben|beendet"),
    (Meaning.SENT, r"^date:|^sent:|\bsent\b|^gesendet|^datum:|^envoyé|^enviado|^fecha:"),
    (
        Meaning.STARTED,
        r"\bstart|since|firing|fired|trigger|opened|open at|created|began|begin|occurred|detected"
        r"|timestamp|state change|alarm(?:ed)? at|time of|seit|ausgelöst|depuis|desde|inici|début",
    ),
)
_LABEL = re.compile(
    "|".join(f"(?P<g{number}>{words})" for number, (_, words) in enumerate(_LABELS)), re.IGNORECASE
)
_RELATIVE = re.compile(
    r"\b(?:about |~ ?)?(?P<count>\d{1,5}|an?|one) ?"
    r"(?P<unit>seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?) ago\b"
    r"|\b(?:vor|hace|il y a) (?P<n>\d{1,5}|eine[rm]?|une?|una)"
    r" (?P<word>sekunde|minute|stunde|tag|woche|segundo|minuto|hora|día|seconde|heure|jour)"
    r"\w{0,2}\b"
    r"|\b(?P<loose>just now|moments? ago|yesterday|gestern|hier à|ayer)\b",
    re.IGNORECASE,
)
_FOREIGN = {
    "sekunde": "s",
    "segundo": "s",
    "seconde": "s",
    "minute": "m",
    "minuto": "m",
    "stunde": "h",
    "hora": "h",
    "heure": "h",
    "tag": "d",
    "día": "d",
    "jour": "d",
    "woche": "w",
}


def labelled(text: str) -> tuple[Instant, ...]:
    """Every stamp in the text with what it is the stamp of; those of other things left out."""
    found: list[Instant] = []
    previous_end = 0
    for start, stamp in placed_in(text):
        meaning = _meaning(text, max(previous_end, start - REACH), start)
        previous_end = start + len(stamp.text)
        if meaning is not None:
            found.append(Instant(stamp, meaning))
    return tuple(found)


def _meaning(text: str, since: int, start: int) -> Meaning | None:
    before = text[since:start]
    line = before.rpartition("\n")[2]
    if not line.strip(" -•*|:[\"'") and before.strip():
        line = before.rstrip(" -•*|:\n").rpartition("\n")[2]  # the label has its own line
    said = list(_LABEL.finditer(line))
    if not said:
        return Meaning.MENTIONED
    first = [match for match in said if match.lastgroup == "g0"]
    group = (first or said)[-1].lastgroup or "g0"
    return _LABELS[int(group[1:])][0]


def relative_in(text: str) -> tuple[Relative, ...]:
    """`2 hours ago` and its kind, in the order of the text; `yesterday` has no length."""
    found: list[Relative] = []
    for match in _RELATIVE.finditer(text):
        meaning = _meaning(text, max(0, match.start() - REACH), match.start())
        if meaning is None:
            continue
        if match["loose"]:
            found.append(Relative(match.group(), -1, -1, Meaning.MENTIONED))
        else:
            count = match["count"] or match["n"]
            unit = match["unit"] or _FOREIGN[match["word"].lower()]
            number = int(count) if count.isdigit() else 1
            one = length_of(f"1{unit.lower()}")
            if one is not None:
                found.append(Relative(match.group(), number * one, one, meaning))
        if len(found) == MOST_RELATIVE:
            break
    return tuple(found)


def found_in(values: list[tuple[Stamp | None, Meaning]]) -> tuple[Instant, ...]:
    """Instants of the stamps that could be read."""
    return tuple(Instant(stamp, meaning) for stamp, meaning in values if stamp is not None)
