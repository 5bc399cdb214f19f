"""The `changes` connector: commits and deployments around T, from one place each source.

Owns what may be claimed: a commit's stamp is its committer's clock and no deployment; a table or
an API tells the deployments that somebody recorded. The places themselves do the reading.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

from pydantic import BaseModel  # noqa: TC002  # the class attribute names it at run time

from connectors import discovery
from connectors.changes.change import COMMIT_KEY, Origin, Place, Told, by_nearness, event_of
from connectors.changes.options import ChangesOptions
from connectors.contract import CheckReport
from connectors.discovery import Candidate
from connectors.queues.account import Account
from connectors.written_times import undated_frame
from timeline.batch import Batch, Remark
from timeline.clock import ClockReading
from timeline.coverage import Coverage, Sight
from timeline.event import Event, Lane
from timeline.keys import KeyRules
from timeline.window import Budget, Window

_HEXADECIMAL = re.compile(r"[0-9a-f]{7,64}")
"""What can be a commit's id: git itself never abbreviates to less than seven by default."""


class ChangesConnector:
    """One place that knows of changes. See `connectors.contract.Connector`."""

    system: ClassVar[str] = "changes"
    lane: ClassVar[Lane] = Lane.CHANGE
    Options: ClassVar[type[BaseModel]] = ChangesOptions

    def __init__(self, source: str, options: BaseModel, key_rules: KeyRules) -> None:
        if not isinstance(options, ChangesOptions):
            raise TypeError("ChangesConnector needs ChangesOptions")
        self.source = source
        self._place = _place_of(source, options)
        self._origin = Origin(source, self._place.name, self._place.service, key_rules)

    def __repr__(self) -> str:
        return f"ChangesConnector({self.source!r}, {self._place.name!r})"

    @staticmethod
    def candidates(place: discovery.Place) -> Iterator[Candidate]:
        """The checkout that the working directory is."""
        if (place.folder / ".git").exists():
            yield Candidate("changes", "commits", {"git": "."}, "the folder .git", local=True)

    async def check(self) -> CheckReport:
        """What the place is, how much it holds, and what it cannot tell."""
        return await self._place.check()

    async def fetch(self, window: Window, budget: Budget) -> AsyncIterator[Batch]:
        """The changes of the window, nearest T first, then what their silence is worth."""
        try:
            account = Account.opened(self.source, await self._place.now(), budget)
            told = await self._place.between(window, account)
            yield account.batch(by_nearness(self._events(told), window), bytes_read=told.bytes_read)
            yield self._closing(told, window, account)
        except BaseException:
            await self._place.close()
            raise

    async def lookup(
        self, keys: Sequence[str], span: Window, budget: Budget
    ) -> AsyncIterator[Batch]:
        """Everything about the commits among `keys`, whatever its time."""
        account = Account.opened(self.source, await self._place.now(), budget)
        commits = {
            key: key.removeprefix(COMMIT_KEY).lower()
            for key in keys
            if key.startswith(COMMIT_KEY)
            and _HEXADECIMAL.fullmatch(key.removeprefix(COMMIT_KEY).lower())
        }
        if commits:
            told = await self._place.of(tuple(commits.values()), span, account)
            events = [
                event
                for event in self._events(told)
                if any(_same(commit, event) for commit in commits.values())
            ]
            cuts = [Remark(self.source, "cut", cut) for cut in account.cuts]
            yield account.batch(events, bytes_read=told.bytes_read, remarks=(*told.remarks, *cuts))
            asked = [k for k, c in commits.items() if not any(_same(c, event) for event in events)]
        else:
            asked = [key for key in keys if key.startswith(COMMIT_KEY)]
        if asked:
            yield account.not_found(asked, f"not in what was read of {self._place.name}")

    async def clock(self) -> ClockReading | None:
        """The API's clock against ours; None for files and for git."""
        return await self._place.clock()

    async def close(self) -> None:
        """End every connection. Safe to call twice."""
        await self._place.close()

    def _events(self, told: Told) -> list[Event]:
        """The events, each once: a list that grows while it is paged tells some twice."""
        events = (event_of(change, self._origin) for change in told.changes)
        return list({event.ref: event for event in events}.values())

    def _closing(self, told: Told, window: Window, account: Account) -> Batch:
        cuts = "; ".join(account.cuts)
        sight = Sight.PARTIAL if cuts else told.sight
        reason = "; ".join(words for words in (cuts, told.reason) if words)
        seen = Coverage(self.source, window.start, window.end, sight, reason, told.remedy)
        remarks = [Remark(self.source, "cut", cut) for cut in account.cuts]
        batch = account.batch((), coverage=(seen,), remarks=(*remarks, *told.remarks))
        return replace(batch, undated=undated_frame(self.source, told.undated))


def _same(commit: str, event: Event) -> bool:
    """Whether an event is about a commit, of which fewer or more digits may be known."""
    own = next((key for key in event.keys if key.startswith(COMMIT_KEY)), "")
    digits = own.removeprefix(COMMIT_KEY)
    return bool(digits) and (digits.startswith(commit) or commit.startswith(digits))


def _place_of(source: str, options: ChangesOptions) -> Place:
    if options.git is not None:
        from connectors.changes.git import Checkout

        return Checkout(source, options)
    if options.deploys:
        from connectors.changes.table import DeployFiles

        return DeployFiles(source, options)
    if options.github:
        from connectors.changes.github import GitHub

        return GitHub(source, options)
    from connectors.changes.gitlab import GitLab

    return GitLab(source, options)
