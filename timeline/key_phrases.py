"""Ids that stand in a sentence instead of a field: `Task shop.mail[4f0e…] received`, `Order 88`.

Queue libraries and frameworks name a job or a request in a shape of their own in every line they
write. Each phrase is that shape, as the library prints it, with its id as the only group; bare
numbers are taken only behind the word that says what they number. Things of one's own (`Order 88`,
`GET /orders/88`) are read for configured types alone: any capitalised word may stand before a
number.

Patterns keep to the common ground of both engines (`timeline.key_patterns`); a line is searched
only when it contains one of a phrase's literal marks, for patterns cost ten times as much.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from timeline.key_fields import any_of
from timeline.key_patterns import PortablePattern, portable

if TYPE_CHECKING:
    import polars as pl

UUID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
HEX = "[0-9a-f]{16,32}"
NUMBER = "[0-9]{1,19}"
ENDS = r"(?:[ ,;:!?)'\"\]/&]|\.(?: |$)|$)"
"""What may stand behind an id: a date, a fraction or a longer word is none."""
_OWN_ID = rf"(?:{UUID}|[0-9][0-9A-Z]*|[A-Za-z]+[_-][0-9A-Za-z]*[0-9][0-9A-Za-z]*)"
"""A UUID, a number or an upper-case ULID, or one with a prefix: `GC-7F21`, `ord_9k2`."""


@dataclass(frozen=True)
class Phrase:
    """One shape of a spoken id: the type it names, its pattern, literals a match contains.

    With `opens`, a match begins its line with the one mark.
    """

    kind: str
    pattern: str
    marks: tuple[str, ...]
    opens: bool = False

    @cached_property
    def compiled(self) -> PortablePattern:
        return portable(self.pattern)

    def values(self, text: str) -> Iterator[str]:
        """The ids in one text, in order of appearance."""
        if any(mark in text for mark in self.marks):
            yield from self.compiled.values(text)

    def column_values(self, lines: pl.DataFrame) -> pl.DataFrame:
        """Frame `row`, `value` for a frame `row`, `text`, in text order."""
        import polars as pl

        marked = lines.filter(_marked((self,)))
        if marked.is_empty():
            return pl.DataFrame(schema={"row": pl.UInt32, "value": pl.String})
        return self.compiled.column_values(marked)


SPOKEN: tuple[Phrase, ...] = (
    # RQ: "job <id> failed", "Job OK (<id>)"; Hangfire: "job '42'"; anybody: "job #42", "Job ID: 42"
    Phrase(
        "job",
        rf"\b[Jj]ob (?:OK |ID:? |id:? |with ID |with id )?[#('\"]?({UUID}|{NUMBER}){ENDS}",
        ("job ", "Job "),
    ),
    # RQ: "mails: shop.jobs.welcome(1) (<id>)"
    Phrase("job", rf"\) \(({UUID})\)", (") (",)),
    # Celery: "Task shop.mail[<id>] received", "Received task: shop.mail[<id>]"
    Phrase("job", rf"\b(?:Task|task:) [0-9A-Za-z_.:-]+\[({UUID})\]", ("Task ", "task: ")),
    # Procrastinate: "Starting job shop.mail[42](user=7)"
    Phrase("job", rf"\b[Jj]ob [0-9A-Za-z_.]+\[({NUMBER})\]", ("job ", "Job ")),
    # Delayed Job: "Job MailJob (id=42) (queue=mails) COMPLETED"
    Phrase("job", rf"\bJob [^ ]+ \(id=({NUMBER})\)", ("(id=",)),
    # Active Job's tags: "[ActiveJob] [MailJob] [<id>] Performed"
    Phrase("job", rf"\[ActiveJob\] \[[0-9A-Za-z_:]+\] \[({UUID})\]", ("[ActiveJob]",)),
    # GoodJob: "Executed GoodJob <id> in 12.3ms"
    Phrase("job", rf"\bGoodJob ({UUID})", ("GoodJob ",)),
    # Sidekiq 4 and older: "MailWorker JID-<24 hex> INFO: start"
    Phrase("job", r"\bJID-([0-9a-f]{24})\b", ("JID-",)),
    # Dramatiq: "Received message mail(7) with id '<id>'."
    Phrase("job", rf"\bmessage .+ with id '({UUID})'", ("with id '",)),
    Phrase("message", rf"\b[Mm]essage (?:id |ID )?['\"]?({UUID})\b", ("essage ",)),
    Phrase(
        "request", rf"\b[Rr]equest (?:id |ID )?['\"]?({UUID}|[0-9a-f]{{16,32}})\b", ("equest ",)
    ),
    # Rails with tagged logging: "[<id>] Started GET /orders"
    Phrase("request", rf"^\[({UUID})\] ", ("[",), opens=True),
)
"""As printed by RQ 1-3, Celery 4-5, Procrastinate 2-3, delayed_job 4, Active Job 5-8, GoodJob 3-4,
Sidekiq 3-4, Dramatiq 1-2 and Rails 5-8, by their sources."""


def phrases_for(name: str, table: str) -> Iterator[Phrase]:
    """How a thing of one's own is spoken of: `Order 88`, `order #88`, `/orders/88`."""
    words = re.escape(name).replace("_", "[ _-]?")
    both = f"(?:{words}|{words[:1].upper()}{words[1:]})"
    marks = (_stem(name), _stem(name[:1].upper() + name[1:]))
    yield Phrase(name, rf"\b{both} (?:with id |id |ID )?#?['\"]?({_OWN_ID}){ENDS}", marks)
    if table:
        bare = table.rpartition(".")[2]
        yield Phrase(name, rf"/{re.escape(bare)}/({_OWN_ID})(?:[ /?\"')]|$)", (f"/{bare}/",))


def _stem(name: str) -> str:
    """The part of a name that every spelling of it contains."""
    return re.split(r"[_ -]", name)[0]


def _marked(phrases: Iterable[Phrase]) -> pl.Expr:
    """Whether a line contains a mark of any of `phrases`."""
    import polars as pl

    text, inside, opening = pl.col("text"), dict[str, None](), dict[str, None]()
    for phrase in phrases:
        (opening if phrase.opens else inside).update(dict.fromkeys(phrase.marks))
    asked = [text.str.starts_with(mark) for mark in opening]
    asked += [text.str.contains(any_of(inside))] if inside else []
    return pl.any_horizontal(asked)


def spoken(phrases: Iterable[Phrase], text: str) -> Iterator[str]:
    """The keys of one text, phrase by phrase."""
    for phrase in phrases:
        yield from (f"{phrase.kind}:{value}" for value in phrase.values(text))


def spoken_column(phrases: Iterable[Phrase], lines: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The same over a frame `row`, `text`: one frame `row`, `key` for each phrase."""
    import polars as pl

    phrases = tuple(phrases)
    marked = lines.filter(_marked(phrases))
    for phrase in phrases if marked.height else ():
        values = phrase.column_values(marked)
        if values.is_empty():
            continue
        yield values.select("row", (pl.lit(f"{phrase.kind}:") + pl.col("value")).alias("key"))
