"""What the tests of the `changes` connector plant: a repository, a table, and a forge's answers.

The answers have the shape of the published REST references (GitHub 2022-11-28, GitLab v4); the
content is ours.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psutil

from connectors.changes import ChangesConnector
from tests.conformance.subject import Subject
from tests.connectors.loopback_http import Seen, Told, as_json
from timeline.window import MINUTE_NS, SECOND_NS, Window

T_S = int(datetime(2026, 3, 14, 2, 13, 40, tzinfo=UTC).timestamp())
AGO_S = (600, 300, 60, -60, -120)
"""Seconds before T at which something changed."""
SECRET = "a-token-nobody-may-see"
SHA = "0123456789abcdef0123456789abcdef0123"


def window_around() -> Window:
    return Window(
        T_S * SECOND_NS, T_S * SECOND_NS - 20 * MINUTE_NS, T_S * SECOND_NS + 5 * MINUTE_NS
    )


def iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Repository:
    """A real repository, made by git itself with stamps of our choice."""

    path: Path
    commits: list[str] = field(default_factory=list)

    @classmethod
    def made(cls, path: Path) -> Repository:
        repository = cls(path)
        repository.git("init", "--quiet", "--initial-branch=main", ".")
        return repository

    def git(
        self,
        *words: str,
        at: int = T_S,
        committer: str = "Bo Committer",
        given: str | None = None,
    ) -> str:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_SYSTEM": "/dev/null",
            "GIT_AUTHOR_NAME": "Ann Author",
            "GIT_AUTHOR_EMAIL": "ann@example.org",
            "GIT_COMMITTER_NAME": committer,
            "GIT_COMMITTER_EMAIL": "bo@example.org",
            "GIT_AUTHOR_DATE": f"{at - 3600} +0000",
            "GIT_COMMITTER_DATE": f"{at} +0000",
        }
        done = subprocess.run(
            ["git", "-C", str(self.path), *words],
            env=environment,
            input=given,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def commit(self, ago: int, subject: str, files: dict[str, str]) -> str:
        for name, content in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{content} {ago}", encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", subject, at=T_S - ago)
        self.commits.append(self.git("rev-parse", "HEAD"))
        return self.commits[-1]

    def sign(self) -> None:
        """Replace the newest commit by one that carries a signature nobody can check."""
        head, _, message = self.git("cat-file", "commit", "HEAD").partition("\n\n")
        mark = "-----{} PGP SIGNATURE-----"
        signature = f"gpgsig {mark.format('BEGIN')}\n \n none\n {mark.format('END')}"
        raw = f"{head}\n{signature}\n\n{message}\n"
        made = self.git("hash-object", "-t", "commit", "-w", "--stdin", given=raw)
        self.git("update-ref", "HEAD", made)

    def tag(self, ago: int, name: str) -> None:
        self.git("tag", "--annotate", name, "--message", f"release {name}", at=T_S - ago)


def write_table(path: Path) -> None:
    rows = ["Deployed At,Service,Version,Who,URL,Note"]
    rows += [
        f"{iso(T_S - ago)},shop,{nth + 10:012x},ann,https://ci.example.org/{nth},user_id=4711"
        for nth, ago in enumerate(AGO_S)
    ]
    rows.append(f'{iso(T_S - 30)},shop,v412,bo,,"red \x1b[31m\u202e text survives"')
    path.write_text("\n".join([*rows, ""]), encoding="utf-8")


def forge_subject(kind: str, url: str, drivers: tuple[str, ...]) -> Subject:
    port = int(url.rpartition(":")[2])

    def connections() -> int:
        return sum(
            found.status == psutil.CONN_ESTABLISHED and found.raddr.port == port
            for found in psutil.Process().net_connections("tcp")
            if found.raddr
        )

    def at_port(other: int) -> dict[str, object]:
        return {kind: "acme/shop", "url": f"http://127.0.0.1:{other}", "token": SECRET}

    return Subject(
        connector_class=ChangesConnector,
        options=at_port(port),
        window=window_around(),
        known_keys=(f"commit:{'a' * 8}0000",),
        absent_key="commit:0123456789ab",
        drivers=drivers,
        secrets=(SECRET,),
        hostile="survives",
        page_option="page_size",
        at_port=at_port,
        connections=connections,
    )


def _page(seen: Seen, items: list[dict[str, object]]) -> Told:
    asked = {name: values[-1] for name, values in parse_qs(urlsplit(seen.target).query).items()}
    size, number = int(asked.get("per_page", "30")), int(asked.get("page", "1"))
    return _dated(items[(number - 1) * size : number * size])


def _dated(value: object) -> Told:
    return as_json(value, date=formatdate(usegmt=True))


def github_deployments() -> list[dict[str, object]]:
    """Newest first, as GitHub lists them."""
    return [
        {
            "id": 100 + nth,
            "sha": f"{'a' * 8}{nth:04x}" + "0" * 28,
            "ref": "main",
            "task": "deploy",
            "environment": "production",
            "description": "red \x1b[31m\u202e text survives" if nth == 1 else None,
            "creator": {"login": "ann"},
            "created_at": iso(T_S - ago),
            "updated_at": iso(T_S - ago + 20),
        }
        for nth, ago in reversed(list(enumerate(AGO_S)))
    ]


def github_answers(seen: Seen) -> Told:
    if seen.method != "GET":
        return as_json({"message": "only GET"}, 405)
    root = "/repos/acme/shop"
    if seen.path == root:
        return _dated({"full_name": "acme/shop", "permissions": {"push": False}})
    if seen.path == f"{root}/deployments":
        return _page(seen, github_deployments())
    for item in github_deployments():
        if seen.path == f"{root}/deployments/{item['id']}/statuses":
            made = datetime.fromisoformat(str(item["created_at"])).timestamp()
            states = [("failure" if item["id"] == 103 else "success", 20), ("in_progress", 2)]
            statuses: list[dict[str, object]] = [
                {
                    "id": 1000 + int(str(item["id"])) * 10 + after,
                    "state": state,
                    "creator": {"login": "deployer"},
                    "created_at": iso(int(made) + after),
                    "log_url": "https://ci.example.org/1",
                }
                for state, after in states
            ]
            return _page(seen, statuses)
    return as_json({"message": "Not Found"}, 404)


def gitlab_deployments() -> list[dict[str, object]]:
    """Last updated first."""
    return [
        {
            "id": 7 + nth,
            "iid": nth,
            "sha": f"{'a' * 8}{nth:04x}" + "0" * 28,
            "ref": "main" if nth != 1 else "red\x1b[31m\u202e-text-survives",
            "status": "failed" if nth == 3 else "success",
            "created_at": iso(T_S - ago).replace("Z", ".110Z"),
            "updated_at": iso(T_S - ago + 40).replace("Z", ".220Z"),
            "environment": {"name": "production"},
            "user": {"username": "ann"},
            "deployable": {"finished_at": None if nth == 2 else iso(T_S - ago + 30)},
        }
        for nth, ago in reversed(list(enumerate(AGO_S)))
    ]


def gitlab_answers(seen: Seen) -> Told:
    if seen.method != "GET":
        return as_json({"message": "only GET"}, 405)
    root = "/api/v4/projects/acme%2Fshop"
    if seen.path == root:
        return _dated({"path_with_namespace": "acme/shop"})
    if seen.path == f"{root}/deployments":
        return _page(seen, gitlab_deployments())
    return as_json({"message": "404 Not Found"}, 404)
