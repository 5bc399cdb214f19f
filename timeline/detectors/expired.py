"""expired: a certificate, a token, a secret or a licence ran out, and a peer says so.

Story: at midnight every call to the payment service fails. Nothing was deployed, the network is
well; the certificate was valid until 23:59:59.

Predicate: lines that say so in plain words, with the instant of expiry where the text tells it.
Certain when the words can mean nothing else; likely when they may also mean "not yet valid" or the
instant told lies after the line (one of two clocks is wrong). Tokens run out by design: they count
when a job or a call to a named peer was refused at least twice; without a peer they may be the
sessions of users, so only a sudden onset is told, as possible.

False positives: sessions, caches, locks and time-outs that expire, housekeeping ("purged 12 expired
tokens"), a token that is refreshed, users' tokens at a steady rate, certificates that are not valid
yet (all silent).

Reference: RFC 5280 (notAfter), RFC 7519 (exp); expired certificates as a class of outage of their
own, which no deploy explains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.event import Lane
from timeline.facts.entities import entity_pairs, pairs_of_type
from timeline.facts.expiries import CERTIFICATE, TOKEN, Expiry, expiries
from timeline.facts.sight import heard
from timeline.facts.words import capital, counted, instant, length, listed
from timeline.finding import Finding, NotEvaluated, Stage, Step
from timeline.order import Verdict, before

if TYPE_CHECKING:
    from timeline.incident import Incident

MIN_TOKEN_TIMES = 2
"""One refused token is renewed and forgotten; the second refusal says that it was not renewed."""
MIN_ONSET_TIMES = 3
QUIET_FOLD = 3
"""An onset: before it, nothing for at least three times as long as the usual pause after it."""
MIN_QUIET_NS = 60_000_000_000
MAX_STEPS = 5
DAY_NS = 86_400_000_000_000


@dataclass(frozen=True, kw_only=True)
class Expired(Finding):
    """One thing that ran out, as told by `services`, `times` times. `peer` is the other side or
    empty; `own` whether it was the services' own and the peer refused it; `expired_at` ns UTC."""

    term: ClassVar[str] = "expired"
    remedy: ClassVar[str] = (
        "Renew it by itself well before its end, and alert on the days that are left."
    )
    stage: ClassVar[Stage] = Stage.TRIGGER

    what: str
    peer: str
    own: bool
    services: tuple[str, ...]
    times: int
    expired_at: int | None

    def sentence(self) -> str:
        thing = self._thing if self.peer or self.own else f"a {self.what}"
        told = (
            f"{capital(thing)} has expired: {listed(self.services)} met it "
            f"{counted(self.times, 'time')} from {instant(self.began)} to {instant(self.ended)}"
        )
        if self.expired_at is None:
            return f"{told}; the text does not tell since when."
        if self.expired_at > self.began:
            return f"{told}; it names {_moment(self.expired_at)}, which is later than the line."
        ago = self.began - self.expired_at
        when = f"{length(ago)} before" if ago < DAY_NS else f"{ago // DAY_NS} days before"
        return f"{told}; it ran out at {_moment(self.expired_at)}, {when} that."

    def clause(self) -> str:
        return f"{self._thing} has expired"

    @property
    def _thing(self) -> str:
        if self.own:
            of = f" of {listed(self.services)}"
            return f"the {self.what}{of}" + (f" towards {self.peer}" if self.peer else "")
        if not self.peer:
            return f"a {self.what} that {listed(self.services)} met"
        return f"the {self.what} {'of' if self.what == CERTIFICATE else 'for'} {self.peer}"


def _moment(timestamp: int) -> str:
    from timeline.words import day

    return f"{day(timestamp)} {instant(timestamp)}"


class ExpiredDetector:
    """Finds what ran out; see the module."""

    term: ClassVar[str] = Expired.term
    speaks_early: ClassVar[bool] = True

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        if not heard(incident, Lane.LOG) and not heard(incident, Lane.QUEUE):
            return NotEvaluated(self.term, "a log, or a queue that keeps the errors of its jobs")
        told = expiries(incident)
        peers: dict[tuple[str, str], set[str]] = {}
        for one in told:
            peers.setdefault((one.what, one.actor), set()).update({one.peer} - {""})
        groups: dict[tuple[str, str, bool, bool], list[Expiry]] = {}
        for one in told:
            known = peers[one.what, one.actor]
            # Without a peer only one speaker's lines are surely about one thing.
            peer = one.peer or (next(iter(known)) if len(known) == 1 else f"\0{one.actor}")
            groups.setdefault((one.what, peer, one.own, one.plain), []).append(one)
        found = []
        for mine in groups.values():
            grade = _grade(incident, mine)
            if grade is not None:
                found.append(_finding(incident, mine, *grade))
        rank = list(Verdict).index
        return sorted(found, key=lambda one: (rank(one.verdict), one.began, one.what))


def _grade(incident: Incident, told: Sequence[Expiry]) -> tuple[Verdict, str] | None:
    """How sure it is that something that should be valid ran out; None when it is routine."""
    first = told[0]
    if first.what == TOKEN and not _refused_to_a_service(incident, told):
        if not _sudden(incident, told):
            return None
        return Verdict.POSSIBLE, "no peer is named: these may be the sessions of users"
    if first.what == TOKEN and len(told) < MIN_TOKEN_TIMES:
        return None
    if not first.plain:
        return Verdict.LIKELY, "the wording also stands for a certificate that is not yet valid"
    ends = [one.expired_at for one in told if one.expired_at is not None]
    bound = incident.clocks.bound(first.source)
    if ends and min(ends) > first.at + bound.ahead:
        return Verdict.LIKELY, "the end it names lies after the line: one of two clocks is wrong"
    return Verdict.CERTAIN, "the line says that it has expired"


def _refused_to_a_service(incident: Incident, told: Sequence[Expiry]) -> bool:
    """Whether it is a service's own token: a call to a peer, or the work of a job."""
    if any(one.peer for one in told):
        return True
    rows = pl.Series([one.event_row for one in told], dtype=pl.UInt32)
    jobs = pairs_of_type(incident.snapshot.keys_of(rows), "job")
    return jobs.get_column("row").n_unique() == len(told)


def _sudden(incident: Incident, told: Sequence[Expiry]) -> bool:
    if len(told) < MIN_ONSET_TIMES:
        return False
    usual = (told[-1].at - told[0].at) / (len(told) - 1)
    quiet = told[0].at - incident.window.start
    return quiet >= max(MIN_QUIET_NS, QUIET_FOLD * usual)


def _finding(incident: Incident, told: Sequence[Expiry], verdict: Verdict, link: str) -> Expired:
    first = next((one for one in told if one.peer), told[0])
    services = tuple(dict.fromkeys(one.actor for one in told))
    ends = [one.expired_at for one in told if one.expired_at is not None]
    rows = pl.Series([one.event_row for one in told], dtype=pl.UInt32)
    keys = incident.snapshot.keys_of(rows)
    harmed = {*entity_pairs(keys)["key"].to_list(), *pairs_of_type(keys, "job")["key"].to_list()}
    what = first.what
    return Expired(
        verdict=verdict,
        weakest_link=link,
        began=told[0].at,
        ended=told[-1].at,
        steps=_steps(incident, told),
        keys=tuple(sorted(harmed - set(incident.snapshot.broad_keys))),
        would_decide=_would_decide(what, first),
        alternatives=("the clock of the side that checks is wrong",),
        next_action=_next(what, listed(services) if first.own else first.peer),
        what=what,
        peer=first.peer,
        own=first.own,
        services=services,
        times=len(told),
        expired_at=min(ends, default=None),
    )


def _next(what: str, owner: str) -> str:
    if not owner:
        return f"Find out whose {what} it is and renew it."
    return f"Renew the {what} of {owner}, and restart what still holds the old one."


def _would_decide(what: str, first: Expiry) -> tuple[str, ...]:
    if what != CERTIFICATE:
        return (f"Read the end of the {what}'s validity where it is issued.",)
    if first.own or not first.peer:
        return ("Read the end of the certificate: openssl x509 -noout -enddate.",)
    port = "" if ":" in first.peer else ":443"
    return (
        f"Read its end: openssl s_client -connect {first.peer}{port} | openssl x509 -noout "
        "-enddate.",
    )


def _steps(incident: Incident, told: Sequence[Expiry]) -> tuple[Step, ...]:
    """The first line of every service."""
    firsts = list({one.actor: one for one in reversed(told)}.values())[::-1][:MAX_STEPS]
    steps: list[Step] = []
    events = incident.snapshot.events_at([one.event_row for one in firsts])
    for one, event in zip(firsts, events, strict=True):
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        why = f"{one.actor} says that the {one.what} has expired"
        steps.append(Step("expired", event, why, order))
    return tuple(steps)
