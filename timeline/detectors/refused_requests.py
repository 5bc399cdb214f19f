"""What is said of refused requests: the finding of `rejected-by-limit` and its evidence.

Part of that detector. Owns the words; decides nothing about which requests belong together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import polars as pl

from timeline.facts.limits import CSRF, Refusal
from timeline.facts.requests import REQUEST_SCHEMA
from timeline.facts.words import capital, counted, instant
from timeline.finding import Finding, Stage, Step
from timeline.order import Verdict, before

if TYPE_CHECKING:
    from timeline.incident import Incident

URL, BODY, HEADER, FIELDS = "URL", "body", "header", "fields"
PACKET, MESSAGE, TOKEN = "packet", "message", "token"
"""What was too large, or what was missing."""


@dataclass(frozen=True, kw_only=True)
class RejectedByLimit(Finding):
    """Refused requests of one route of one service. Times are ns UTC, sizes bytes or fields.

    `what` was too large, or `token` for a security check. `largest_success` and `smallest_failure`
    bracket the limit where sizes are told; `known_limit` is what the server itself named.
    `after` is the method that was refused for its size on the same route before.
    """

    term: ClassVar[str] = "rejected-by-limit"
    stage: ClassVar[Stage] = Stage.TRIGGER
    remedy: ClassVar[str] = (
        "Let the server select, or send ids in parts and in the body, and carry the security token "
        "in the new form; never raise a limit blindly or switch the check off."
    )

    service: str
    route: str
    methods: tuple[str, ...]
    statuses: tuple[int, ...]
    what: str
    failures: int
    successes: int
    largest_success: int | None
    smallest_failure: int | None
    known_limit: str
    after: str

    def sentence(self) -> str:
        where = f" on {self.route}" if self.route else ""
        told = f"{capital(self.service)} refused {counted(self.failures, 'request')}{where} "
        told += f"{_when(self.began, self.ended)}{self._because()}"
        if self.smallest_failure is not None and self.largest_success is not None:
            unit = "fields" if self.what == FIELDS else "bytes"
            told += (
                f"; {self.largest_success} {unit} still passed and {self.smallest_failure} did not"
            )
        elif self.smallest_failure is not None and self.what != TOKEN:
            told += f"; the smallest of them had {self.smallest_failure} bytes"
        if self.known_limit:
            told += f" (its limit: {self.known_limit})"
        if self.after:
            told += f"; {self.after} had been refused there for its size before"
        return f"{told}."

    def clause(self) -> str:
        where = f" on {self.route}" if self.route else ""
        if self.what == TOKEN:
            return f"{self.service} refused requests{where} without a security token"
        return f"{self.service} refused requests{where} as too large"

    def _because(self) -> str:
        status = f" with {' and '.join(map(str, self.statuses))}" if self.statuses else ""
        if self.what == TOKEN:
            return f"{status} because its check against forged requests did not pass"
        names = {
            URL: "the URL",
            BODY: "the body",
            HEADER: "the header",
            FIELDS: "the form",
            PACKET: "the statement",
            MESSAGE: "the message",
        }
        return f"{status} because {names[self.what]} was too large"


def _when(began: int, ended: int) -> str:
    if began == ended:
        return f"at {instant(began)}"
    return f"from {instant(began)} to {instant(ended)}"


class Bracket(NamedTuple):
    """Sizes on both sides of the limit; None where nobody tells one."""

    successes: int
    largest: int | None
    smallest: int | None

    @property
    def parted(self) -> bool:
        return (
            self.largest is not None
            and self.smallest is not None
            and (self.largest < self.smallest)
        )


def as_requests(words: Sequence[Refusal]) -> pl.DataFrame:
    rows = [
        {
            "row": one.row,
            "timestamp": one.timestamp,
            "source": one.source,
            "actor": one.actor,
            "client": "",
            "method": one.method,
            "target": one.route,
            "route": one.route,
            "status": one.status,
            "line_bytes": None,
            "body_bytes": one.size,
        }
        for one in words
    ]
    return pl.DataFrame(rows, schema=REQUEST_SCHEMA)


def refused(
    incident: Incident,
    part: pl.DataFrame,
    what: str,
    bracket: Bracket,
    words: Sequence[Refusal],
    named: bool,
    *,
    route: str | None = None,
    statuses: tuple[int, ...] = (),
    methods: tuple[str, ...] = (),
) -> RejectedByLimit:
    told = {one.what for one in words} - {CSRF}
    what = told.pop() if len(told) == 1 and what != TOKEN else what
    route = str(part["route"][0]) if route is None else route
    own = tuple(sorted({code for code in part["status"].to_list() if code}))
    asked = tuple(sorted({name for name in part["method"].to_list() if name}))
    keys = incident.snapshot.keys_of(part.get_column("row")).get_column("key").unique().sort()
    verdict = Verdict.CERTAIN if named else Verdict.LIKELY
    return RejectedByLimit(
        verdict=verdict,
        weakest_link=(
            "the server that refused says so itself"
            if named
            else "the status does not say why; size alone parts what failed from what passed"
        ),
        began=part["timestamp"][0],
        ended=part["timestamp"][-1],
        steps=_steps(incident, part, words),
        keys=tuple(keys.to_list()),
        would_decide=_would_decide(what, bracket),
        alternatives=() if named else ("what was sent was wrong for a reason of its own",),
        next_action=_next(what, route),
        service=str(part["actor"][0] or part["source"][0]),
        route=route,
        methods=methods or asked,
        statuses=statuses or own,
        what=what,
        failures=part.height,
        successes=bracket.successes,
        largest_success=bracket.largest if bracket.parted else None,
        smallest_failure=bracket.smallest,
        known_limit=next((one.limit for one in words if one.limit), ""),
        after="",
    )


def _would_decide(what: str, bracket: Bracket) -> tuple[str, ...]:
    if what == TOKEN:
        return ("Send the same request once with the token of a fresh session.",)
    if bracket.parted:
        return ("Look up the configured limit and compare it with the two sizes.",)
    return ("Look up the configured limit, and how large the refused requests were.",)


def _next(what: str, route: str) -> str:
    where = f" to {route}" if route else ""
    if what == TOKEN:
        return f"Put the security token into the request{where}; do not press again before."
    return f"Send what was refused{where} in smaller parts; the same request fails again."


def _steps(incident: Incident, part: pl.DataFrame, words: Sequence[Refusal]) -> tuple[Step, ...]:
    """The first refusal, the server's words about one, and the last refusal."""
    rows = part.get_column("row").to_list()
    told = {rows[-1]: ("refused again", f"{len(rows)} in all")}
    told |= (
        {words[0].row: ("the server's words", "it names the limit or the check")} if words else {}
    )
    told |= {rows[0]: ("refused", "the first one")}
    events = sorted(
        zip(incident.snapshot.events_at(list(told)), told.values(), strict=True),
        key=lambda pair: (pair[0].timestamp, pair[0].seq),
    )
    steps: list[Step] = []
    for event, (role, why) in events:
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        steps.append(Step(role, event, why, order))
    return tuple(steps)
