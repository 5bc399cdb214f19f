"""Refusals and failures of a search cluster as sentences. No credential ever enters one."""

from __future__ import annotations

import ssl

from connectors.elasticsearch.answers import Reply
from timeline.clean import clean
from timeline.problems import (
    AccessRefused,
    BadAnswer,
    Misconfigured,
    Overloaded,
    SourceProblem,
    Unreachable,
    quoted,
)


class ConnectionLost(Unreachable):
    """The server ended the connection, perhaps only because it had been idle for long."""


class TooLarge(BadAnswer):
    """An answer exceeded the bound of one body: ask for fewer records at once."""


REASON_CHARACTERS = 300
"""A server's own words are quoted up to here."""
CONTEXT_LOST = "search_context_missing_exception"
"""The reading context (PIT or scroll) expired or its node left."""


def lost_context(reply: Reply) -> bool:
    """Whether the reading context is gone and a new one would help."""
    return reply.status == 404 and CONTEXT_LOST in reply.error_types


def refusal(reply: Reply) -> SourceProblem:
    """What an answer that is no success means."""
    reason = quoted(reply.error_reason, REASON_CHARACTERS)
    types = reply.error_types
    said = f": {reason}" if reason else ""
    if reply.status == 401:
        return AccessRefused(
            "The cluster wants a login or refused the one it got",
            where=reply.where,
            remedy="Set username and password, api_key or bearer, or check them.",
        )
    if reply.status == 403:
        return AccessRefused(
            f"The account may not read this{said}",
            where=reply.where,
            remedy="It needs the index privileges read and view_index_metadata.",
        )
    if "index_not_found_exception" in types:
        return Misconfigured(
            f"The index does not exist{said}",
            where=reply.where,
            remedy="Correct the setting index.",
        )
    if reply.status == 406 or "media_type_header_exception" in types:
        return BadAnswer(
            f"The server does not take plain JSON (HTTP {reply.status}){said}",
            where=reply.where,
            remedy="Something between here and it rewrites headers; ask it directly.",
        )
    if reply.status == 429:
        return Overloaded(
            f"The cluster turns requests away (HTTP 429, {_kind(reply)}){said}",
            where=reply.where,
            remedy="That is evidence too: its memory or its search queue is full. Try again.",
        )
    if reply.status in (502, 503, 504):
        return Overloaded(
            f"The cluster cannot answer now (HTTP {reply.status}, {_kind(reply)}){said}",
            where=reply.where,
            remedy="See whether it is up and its shards are assigned; then try again.",
        )
    if 300 <= reply.status < 400:
        return Misconfigured(
            f"The server sends us elsewhere (HTTP {reply.status})",
            where=reply.where,
            remedy="Give the url of the API itself; a login page stands in front of this one.",
        )
    if reply.content is None:
        return not_json(reply)
    return BadAnswer(
        f"The cluster answered HTTP {reply.status}, {_kind(reply)}{said}", where=reply.where
    )


def not_json(reply: Reply) -> SourceProblem:
    """The answer of something that is no search cluster: a proxy's page, another service."""
    kind = clean(reply.headers.get("content-type", "")) or "no content type"
    return BadAnswer(
        f"The answer is not JSON but {kind[:80]} (HTTP {reply.status})",
        where=reply.where,
        remedy="Check the url: a proxy, a login page or another service answers there.",
    )


def failure(error: Exception, where: str) -> SourceProblem:
    """What an error of the HTTP client means. Holds neither the error nor its texts' secrets."""
    import httpx

    if isinstance(error, httpx.ConnectTimeout):
        return Unreachable(
            "No connection within the time allowed",
            where=where,
            remedy="Check host, port and VPN; a firewall may drop the packets.",
        )
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return Unreachable(
            "The cluster did not answer in time",
            where=where,
            remedy="It or the way to it is stuck; see whether others reach it.",
        )
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _certificate(cause, where)
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return Unreachable(
            "TLS could not be agreed",
            where=where,
            remedy="Check https:// against http://, and the port.",
        )
    words = str(error).lower()
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes) or (
        isinstance(error, httpx.ConnectError) and "all connection attempts failed" in words
    ):
        return Unreachable(
            "Nothing listens there: the connection was refused",
            where=where,
            remedy="Check host and port; is the tunnel up?",
        )
    if isinstance(error, httpx.ConnectError) and ("name" in words or "resolve" in words):
        return Unreachable(
            "The host name does not resolve",
            where=where,
            remedy="Check the name, the VPN, or DNS itself.",
        )
    return ConnectionLost(
        f"The connection was lost ({type(error).__name__})", where=where, remedy="Try again."
    )


def _certificate(error: ssl.SSLCertVerificationError, where: str) -> SourceProblem:
    if "match" in error.verify_message.lower():  # "Hostname mismatch", "IP address mismatch"
        return AccessRefused(
            f"The certificate is not for this host: {clean(error.verify_message)[:200]}",
            where=where,
            remedy="Set tls_server_name to the name in the certificate.",
        )
    return AccessRefused(
        f"The certificate cannot be trusted: {clean(error.verify_message)[:200]}",
        where=where,
        remedy="Set ca_file to the certificate of the authority that signed it.",
    )


def _causes(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _kind(reply: Reply) -> str:
    return clean(reply.error_type) or "no reason given"
