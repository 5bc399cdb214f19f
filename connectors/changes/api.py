"""GET requests to a forge's API: the allow-list, the pages, and what its refusals mean."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Mapping
from urllib.parse import urlencode, urlsplit

from connectors.changes.options import ChangesOptions
from connectors.clock_sampling import ClockSample, reading_from
from connectors.logs.jsonshape import JsonValue
from connectors.queues.account import Account
from connectors.web import Answer, Reach, Web
from timeline.clean import clean
from timeline.clock import ClockReading
from timeline.problems import (
    AccessRefused,
    BadAnswer,
    Misconfigured,
    Overloaded,
    SourceProblem,
    quoted,
)
from timeline.window import SECOND_NS

MOST_PAGES = 10
"""Of one list: a thousand deployments at the usual page size."""
REASON_CHARACTERS = 200
CLOCK_SAMPLES = 3
"""Each costs one request of the rate limit, and the Date header has whole seconds only."""
AGENT = "halfawake (read-only)"


class ForgeAPI:
    """Reads one project. `paths` are the only ones asked, as regular expressions."""

    def __init__(
        self,
        system: str,
        options: ChangesOptions,
        headers: Mapping[str, str],
        paths: tuple[str, ...],
    ) -> None:
        self.system = system
        self._base = options.address
        self._headers = {"accept": "application/json", "user-agent": AGENT, **headers}
        self._paths = tuple(re.compile(path) for path in paths)
        self._page_size = options.page_size
        parts = urlsplit(self._base)
        self.where = clean(f"{parts.netloc.rpartition('@')[2]}{parts.path}")
        self._web = Web(
            Reach(
                system,
                "changes",
                options.connect_timeout_s,
                options.read_timeout_s,
                options.ca_file,
                options.tls_server_name,
            )
        )

    async def answer(self, path: str, deadline: float | None = None, **parameters: str) -> Answer:
        """One answer of 200. Raises `SourceProblem` for every other."""
        if not any(allowed.fullmatch(path) for allowed in self._paths):
            raise ValueError(f"{path} is not among what is ever asked")
        query = f"?{urlencode(parameters)}" if parameters else ""
        url = f"{self._base}{path}{query}"
        answer = await self._web.send("GET", url, self.where, self._headers, deadline=deadline)
        if answer.status != 200:
            raise refusal(self.system, answer)
        return answer

    async def pages(
        self, path: str, account: Account, what: str, **parameters: str
    ) -> AsyncIterator[list[JsonValue]]:
        """Page by page until one is not full. What is left unread is said as a cut."""
        for number in range(1, self.most_pages + 1):
            if account.late:
                account.cut(f"{what}: the time was used up after {number - 1} pages")
                return
            answer = await self.answer(
                path,
                account.deadline,
                **parameters,
                per_page=str(self._page_size),
                page=str(number),
            )
            page = answer.content()
            if not isinstance(page, list):
                raise BadAnswer(
                    f"{self.system} answered with something that is no list",
                    where=self.where,
                    remedy="Check url: it is the API's address, not the web page's.",
                )
            yield page
            if len(page) < self._page_size:
                return
        account.cut(f"{what}: more than {self.most_pages} pages; the rest was not read")

    @property
    def most_pages(self) -> int:
        """As many as hold what `MOST_PAGES` of the largest size do."""
        return MOST_PAGES * 100 // self._page_size

    async def clock(self, source: str, path: str) -> ClockReading | None:
        """The Date header against our clock; None where a cache answers."""
        samples = []
        for _ in range(CLOCK_SAMPLES):
            before = time.time_ns()
            stamp = (await self.answer(path)).stamp
            if stamp is not None:
                samples.append(ClockSample(before, stamp, time.time_ns(), SECOND_NS))
        return reading_from(source, samples) if samples else None

    def unreported(self) -> int:
        return self._web.unreported()

    async def close(self) -> None:
        await self._web.close()


def refusal(system: str, answer: Answer) -> SourceProblem:
    """What an answer other than 200 means. GitHub says 403 where its rate limit is used up."""
    said = _reason(answer)
    status, where = answer.status, answer.where
    limited = "0" in (
        answer.headers.get("x-ratelimit-remaining"),
        answer.headers.get("ratelimit-remaining"),
    )
    if status == 429 or (status == 403 and (limited or "rate limit" in said.lower())):
        return Overloaded(
            f"{system} turns the request away: the rate limit is used up (HTTP {status}){said}",
            where=where,
            remedy="Set a token, which is allowed more, or wait.",
        )
    if status in (502, 503, 504):
        return Overloaded(
            f"{system} is not able to answer (HTTP {status}){said}",
            where=where,
            remedy="See its status page; that is evidence too.",
        )
    if status in (401, 403):
        return AccessRefused(
            f"{system} refuses the token, or wants one (HTTP {status}){said}",
            where=where,
            remedy="Set token to one that may read deployments.",
        )
    if status == 404 or 300 <= status < 400:
        return Misconfigured(
            f"{system} knows no such project, or the token may not see it (HTTP {status}){said}",
            where=where,
            remedy="Check the project's name, url, and what the token may read.",
        )
    return BadAnswer(f"{system} answered HTTP {status}{said}", where=where, remedy="Try again.")


def _reason(answer: Answer) -> str:
    try:
        content = answer.content()
    except BadAnswer:
        return ""
    message = content.get("message") if isinstance(content, dict) else None
    return f": {quoted(message, REASON_CHARACTERS)}" if isinstance(message, str) else ""
