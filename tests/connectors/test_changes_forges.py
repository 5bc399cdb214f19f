"""GitHub's and GitLab's deployments, answered by a recording server on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from connectors.changes import ChangesConnector, ChangesOptions
from connectors.changes.api import MOST_PAGES
from tests.conformance.collecting import Collected, fetched, looked_up
from tests.connectors.changes_data import (
    SECRET,
    T_S,
    github_answers,
    gitlab_answers,
    iso,
    window_around,
)
from tests.connectors.loopback_http import Loopback, Seen, Told, as_json, loopback
from timeline.coverage import Sight
from timeline.event import Meaning, Precision
from timeline.keys import KeyRules
from timeline.problems import (
    AccessRefused,
    BadAnswer,
    Misconfigured,
    NothingHere,
    Overloaded,
    SourceProblem,
)
from timeline.window import SECOND_NS

KINDS = ("github", "gitlab")
OWN_TOKEN = "/api/v4/personal_access_tokens/self"
ANSWERS = {"github": github_answers, "gitlab": gitlab_answers}


def connector(kind: str, server: Loopback, **changes: object) -> ChangesConnector:
    options = {kind: "acme/shop", "url": server.url, "token": SECRET, **changes}
    return ChangesConnector("deploys", ChangesOptions.model_validate(options), KeyRules())


def read(kind: str, answering: Callable[[Seen], Told], **changes: object) -> Collected:
    with loopback(answering) as server:
        return fetched(connector(kind, server, **changes), window_around())


def test_github_tells_a_deployment_and_each_status() -> None:
    told = {event.ref: event for event in read("github", github_answers).events}
    begun, ended = told["deployment/102"], told["deployment/102/status/2040"]
    assert begun.timestamp == (T_S - 60) * SECOND_NS
    assert begun.body == "deployment of main aaaaaaaa0002 to production begun by ann"
    assert begun.keys == ("commit:aaaaaaaa0002",)
    assert ended.timestamp == (T_S - 40) * SECOND_NS
    assert ended.body == "deployment of main aaaaaaaa0002 to production: success by deployer"
    failed = told["deployment/103/status/2050"]
    assert (failed.severity_number, failed.clock) == (17, "github")


def test_gitlab_tells_beginning_and_end() -> None:
    told = {event.ref: event for event in read("gitlab", gitlab_answers).events}
    assert told["deployment/7"].precision is Precision.MILLISECOND
    assert told["deployment/7/end"].body == (
        "deployment of main aaaaaaaa0000 to production: success by ann"
    )
    assert told["deployment/10/end"].severity_number == 17
    derived = told["deployment/9/end"]
    assert derived.meaning is Meaning.DERIVED
    assert "when it last changed" in derived.body


@pytest.mark.parametrize("kind", KINDS)
def test_only_get_and_only_this_project(kind: str) -> None:
    with loopback(ANSWERS[kind]) as server:
        one = connector(kind, server, environment="production")

        async def everything() -> None:
            await one.check()
            await one.clock()
            await one.close()

        asyncio.run(everything())
        fetched(connector(kind, server, environment="production"), window_around())
        looked_up(connector(kind, server), ("commit:aaaaaaaa0002",), window_around())
    assert {seen.method for seen in server.seen} == {"GET"}
    asked = {seen.path for seen in server.seen} - {OWN_TOKEN}
    assert all("acme" in path and "shop" in path for path in asked)
    header = {"github": f"Bearer {SECRET}", "gitlab": SECRET}[kind]
    assert all(header in seen.headers.values() for seen in server.seen)
    assert not [seen for seen in server.seen if SECRET in seen.target]
    assert any("environment=production" in seen.target for seen in server.seen)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("told", "problem", "words"),
    [
        (as_json({"message": "Bad credentials"}, 401), AccessRefused, "Bad credentials"),
        (as_json({"message": "Forbidden"}, 403), AccessRefused, "refuses the token"),
        (
            as_json({"message": "x"}, 403, **{"x-ratelimit-remaining": "0"}),
            Overloaded,
            "rate limit",
        ),
        (as_json({"message": "slow down"}, 429), Overloaded, "rate limit"),
        (as_json({"message": "Not Found"}, 404), Misconfigured, "no such project"),
        (Told(302, b"", {"location": "https://login.example.org"}), Misconfigured, "302"),
        (as_json({"message": "down"}, 503), Overloaded, "503"),
        (as_json({"message": "?"}, 500), BadAnswer, "HTTP 500"),
    ],
)
def test_refusals_are_sentences(
    kind: str, told: Told, problem: type[SourceProblem], words: str
) -> None:
    with pytest.raises(problem) as caught:
        read(kind, lambda seen: told)
    assert words in caught.value.sentence()
    assert caught.value.remedy
    assert SECRET not in caught.value.sentence()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("body", [b"<html>log in</html>", b'{"deployments": []}', b"[[1]]"])
def test_odd_answers_are_no_traceback(kind: str, body: bytes) -> None:
    try:
        collected = read(kind, lambda seen: Told(200, body))
    except BadAnswer:
        return
    assert collected.events == []
    assert any(remark.topic == "undated" for remark in collected.remarks)


@pytest.mark.parametrize("kind", KINDS)
def test_no_deployment_is_nothing_here(kind: str) -> None:
    def empty(seen: Seen) -> Told:
        return as_json([] if seen.path.endswith("deployments") else {})

    with loopback(empty) as server, pytest.raises(NothingHere):
        asyncio.run(connector(kind, server).check())


@pytest.mark.parametrize("kind", KINDS)
def test_an_endless_list_is_bounded_and_said(kind: str) -> None:
    def endless(seen: Seen) -> Told:
        if seen.path.endswith("deployments"):
            number = len(asked)
            asked.append(seen)
            return as_json(
                [
                    {"id": number * 100 + nth + 1, "sha": "a" * 40, "created_at": iso(T_S)}
                    for nth in range(100)
                ]
            )
        return as_json([] if seen.path.endswith("statuses") else {})

    asked: list[Seen] = []
    collected = read(kind, endless)
    assert len(asked) == MOST_PAGES
    assert any(remark.topic == "cut" for remark in collected.remarks)
    assert {entry.sight for entry in collected.coverage} == {Sight.PARTIAL}


def test_github_is_not_asked_beyond_the_window() -> None:
    def old(seen: Seen) -> Told:
        if not seen.path.endswith("deployments"):
            return as_json({})
        pages.append(seen)
        item = {"id": len(pages), "sha": "a" * 40, "created_at": iso(T_S - 10 * 86_400)}
        return as_json([item] * 100)

    pages: list[Seen] = []
    assert read("github", old).events == []
    assert len(pages) == 1


def test_the_account_that_may_push_is_named() -> None:
    def writer(seen: Seen) -> Told:
        if seen.path == "/repos/acme/shop":
            return as_json({"full_name": "acme/shop", "permissions": {"push": True}})
        return github_answers(seen)

    with loopback(writer) as server:
        assert asyncio.run(connector("github", server).check()).writes_refused is False
    with loopback(github_answers) as server:
        assert asyncio.run(connector("github", server).check()).writes_refused is True


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        (as_json({"scopes": ["read_api", "read_repository"]}), True),
        (as_json({"scopes": ["read_api", "api"]}), False),
        (as_json({"scopes": ["read_api", "a_scope_of_next_year"]}), False),
        (as_json({"scopes": []}), None),
        (as_json({"message": "401 Unauthorized"}, 401), None),
        (as_json({"message": "404 Not Found"}, 404), None),
    ],
)
def test_scopes_of_a_gitlab_token_tell_what_it_may(answer: Told, refused: bool | None) -> None:
    def told(seen: Seen) -> Told:
        return answer if seen.path == OWN_TOKEN else gitlab_answers(seen)

    with loopback(told) as server:
        report = asyncio.run(connector("gitlab", server).check())
    assert report.writes_refused is refused
    assert report.rights


def test_a_password_command_may_give_the_token() -> None:
    options = ChangesOptions.model_validate({"github": "acme/shop", "password": SECRET})
    assert options.token is not None
    assert options.token.get_secret_value() == SECRET
    assert SECRET not in repr(options)
