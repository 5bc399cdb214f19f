"""An alert that arrives as text (chat, e-mail): what all such texts have in common.

Each kind says how it is recognised and what it is called; labels, stamps, keys and lateness are
read here.
"""

from __future__ import annotations

import re

from timeline.pasted.contract import Pasted
from timeline.pasted.fields import (
    ENVIRONMENT_NAMES,
    SEARCHED,
    SERVICE_NAMES,
    keys_in,
    lateness,
    links_in,
    named,
    pairs_in,
)
from timeline.pasted.labels import labelled, relative_in
from timeline.pasted.log_line import begins_stamped

_SUBJECT = re.compile(r"^(?:subject|betreff|objet|asunto): ?(.{1,200})$", re.IGNORECASE | re.M)


def alert_text(kind: str, text: str, title: str = "") -> Pasted:
    """The text of an alert of this kind."""
    text = text[:SEARCHED]
    pairs = pairs_in(text)
    late, why = lateness(text)
    return Pasted(
        kind,
        title=title or subject_of(text) or first_line(text),
        instants=labelled(text),
        relative=relative_in(text),
        service=named(pairs, SERVICE_NAMES),
        environment=named(pairs, ENVIRONMENT_NAMES),
        keys=keys_in(text),
        links=links_in(text),
        late=late,
        late_why=why,
    )


def subject_of(text: str) -> str:
    match = _SUBJECT.search(text[:20_000])
    return match[1] if match else ""


def first_line(text: str) -> str:
    return next((line.strip() for line in text[:5_000].split("\n") if line.strip()), "")


def is_message(text: str, mark: re.Pattern[str]) -> bool:
    """Whether the text is a message that carries the mark, and no log that happens to."""
    return bool(mark.search(text[:20_000])) and not begins_stamped(text)
