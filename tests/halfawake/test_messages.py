"""No message to a person holds a password, a token or a header, whatever a server answers.

Each connector is asked for its `check()` on loopback: where nothing listens, where TLS fails, where
a login is refused, and where an answer repeats what was sent. Host and port stay, and what to do.
"""

from __future__ import annotations

import asyncio
import base64
import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from socket import create_server

import pytest

from halfawake import plugins
from halfawake.cli import run
from halfawake.config import ConfigProblem
from halfawake.discovery.asking import ask
from timeline.keys import KeyRules
from timeline.problems import Unreachable, quoted

USER = "nightwatch"
PASSWORD = "Kq7vRw2zLxHn4tYp8mQe"
TOKEN = "Zt4Hn8Wq2Vb6Xk9Rm3Ls7Pd"
BASIC = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
SECRETS = (PASSWORD, TOKEN, BASIC, PASSWORD[:12], TOKEN[:12], BASIC[12:24])
"""The beginnings too: a quoted answer may be cut."""
WITHIN_S = 8.0

REPEATED = (
    f"denied: postgres://{USER}:{PASSWORD}@10.0.0.7:5432/shop, password={PASSWORD}, "
    f"Authorization: Basic {BASIC}, got Bearer {TOKEN} from it, https://x:{PASSWORD}@proxy/"
)
"""What a chatty server or a proxy before it says back."""

WEB = {
    "elasticsearch": {"index": "logs-*"},
    "loki": {"query": '{app="shop"}'},
    "prometheus": {},
    "rabbitmq": {},
}
REDIS = ("rq", "sidekiq", "bullmq", "celery", "dramatiq", "resque")


class Answering(socketserver.BaseRequestHandler):
    """Reads once, says what the scenario says, hangs up."""

    said = b""
    first = b""

    def handle(self) -> None:
        self.request.settimeout(WITHIN_S)
        try:
            if self.first:
                self.request.sendall(self.first)
            while self.request.recv(65_536):
                self.request.sendall(self.said)
        except OSError:
            return


@contextmanager
def server(said: bytes, first: bytes = b"") -> Iterator[int]:
    """A server on a port of its own that says `first` at once and `said` to whatever comes."""
    handler = type("Saying", (Answering,), {"said": said, "first": first})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as listening:
        listening.daemon_threads = True
        thread = threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield listening.server_address[1]
        finally:
            listening.shutdown()
            thread.join(WITHIN_S)


def free_port() -> int:
    with closing(create_server(("127.0.0.1", 0))) as one:
        return int(one.getsockname()[1])


def sentence(connector: str, **options: object) -> str:
    """What `check` says of one source that cannot answer."""
    cls = plugins.connector_class(connector)
    made = cls(connector, cls.Options.model_validate(options), KeyRules())

    async def asked() -> str:
        try:
            problem = (await ask(made, WITHIN_S)).problem
        finally:
            await made.close()
        assert problem is not None
        assert not any(secret in str(problem) for secret in SECRETS), "its own text"
        return problem.sentence()

    return asyncio.run(asked())


def safe(said: str, port: int) -> None:
    """Nothing of a secret, and the place and what to do next."""
    assert not [secret for secret in SECRETS if secret in said], said
    assert f":{port}" in said, said
    assert len(said.rpartition(f":{port}")[2].partition(").")[2].split()) > 1, f"no advice: {said}"


def http(status: int) -> bytes:
    error = {"type": "security_exception", "reason": REPEATED, "root_cause": []}
    told = {"status": "error", "error": error, "message": REPEATED, "reason": REPEATED}
    body = json.dumps(told).encode()
    head = f"HTTP/1.1 {status} Refused\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def plain(status: int) -> bytes:
    body = REPEATED.encode()
    head = f"HTTP/1.1 {status} Refused\r\nContent-Type: text/plain\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize("connector", WEB)
@pytest.mark.parametrize("answer", [http, plain], ids=["json", "plain"])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
def test_an_http_answer_that_repeats_what_was_sent(
    connector: str, answer: Callable[[int], bytes], status: int
) -> None:
    with server(answer(status)) as port:
        url = f"http://{USER}:{PASSWORD}@127.0.0.1:{port}"
        safe(sentence(connector, url=url, **WEB[connector]), port)


@pytest.mark.parametrize("connector", WEB)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_nothing_listens_or_tls_fails(connector: str, scheme: str) -> None:
    port = free_port()
    url = f"{scheme}://{USER}:{PASSWORD}@127.0.0.1:{port}"
    safe(sentence(connector, url=url, **WEB[connector]), port)
    with server(http(200)) as port:
        url = f"https://{USER}:{PASSWORD}@127.0.0.1:{port}"
        safe(sentence(connector, url=url, **WEB[connector]), port)


def postgres_error(sqlstate: str) -> bytes:
    fields = b"SFATAL\0VFATAL\0C" + sqlstate.encode() + b"\0M" + REPEATED.encode() + b"\0\0"
    return b"E" + (len(fields) + 4).to_bytes(4, "big") + fields


@pytest.mark.parametrize("sqlstate", ["28P01", "28000", "3D000", "53300", "XX000"])
def test_postgresql_refuses(sqlstate: str) -> None:
    with server(postgres_error(sqlstate)) as port:
        dsn = f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{port}/shop?sslmode=disable"
        said = sentence("postgresql", dsn=dsn)
        safe(said, port)
        assert "shop" in said


@pytest.mark.parametrize("mode", ["disable", "require", "verify-full"])
def test_postgresql_does_not_answer(mode: str) -> None:
    port = free_port()
    dsn = f"host=127.0.0.1 port={port} user={USER} password={PASSWORD} dbname=shop sslmode={mode}"
    said = sentence("postgresql", dsn=dsn)
    safe(said, port)
    assert "shop" in said
    with server(b"N") as port:
        safe(sentence("postgresql", dsn=f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{port}/shop"
                      "?sslmode=require"), port)  # fmt: skip


def mysql_error(number: int) -> bytes:
    said = b"\xff" + number.to_bytes(2, "little") + b"#28000" + REPEATED.encode()
    return len(said).to_bytes(3, "little") + b"\0" + said


@pytest.mark.parametrize("number", [1045, 1049, 1040, 1105])
def test_mysql_refuses(number: int) -> None:
    with server(b"", first=mysql_error(number)) as port:
        safe(sentence("mysql", url=f"mysql://{USER}:{PASSWORD}@127.0.0.1:{port}/shop"), port)
    port = free_port()
    safe(sentence("mysql", url=f"mysql://{USER}:{PASSWORD}@127.0.0.1:{port}/shop"), port)


@pytest.mark.parametrize("connector", REDIS)
@pytest.mark.parametrize("code", ["WRONGPASS", "NOAUTH", "NOPERM", "ERR"])
def test_redis_refuses(connector: str, code: str) -> None:
    with server(f"-{code} {REPEATED}\r\n".encode() * 3) as port:
        safe(sentence(connector, url=f"redis://{USER}:{PASSWORD}@127.0.0.1:{port}/0"), port)


@pytest.mark.parametrize("connector", REDIS)
@pytest.mark.parametrize("scheme", ["redis", "rediss"])
def test_redis_does_not_answer(connector: str, scheme: str) -> None:
    port = free_port()
    safe(sentence(connector, url=f"{scheme}://{USER}:{PASSWORD}@127.0.0.1:{port}/0"), port)


@pytest.mark.parametrize("service", ["sqs", "cloudwatch-logs"])
def test_aws_repeats_the_signature(service: str) -> None:
    assert plugins.connector_class(service)
    problem = Unreachable(
        f"https://q.example/?X-Amz-Signature={TOKEN}&X-Amz-Credential={TOKEN} said {REPEATED}",
        where=f"amqp://{USER}:{PASSWORD}@mq:5671/shop",
        remedy=f"Try curl -u {USER}:{PASSWORD} http://mq",
    )
    assert not any(secret in problem.sentence() for secret in SECRETS)
    assert f"amqp://{USER}:" in problem.sentence()
    assert "@mq:5671/shop" in problem.sentence()


CONFIGURED = {
    "a name that is none": f'url = "redis://{USER}:{PASSWORD}@cache:6379/0"\npasword = "{TOKEN}"',
    "a variable that is not set": f'url = "redis://{USER}:{PASSWORD}@${{NOWHERE_SET}}/0"',
    "not TOML": f'url = "redis://{USER}:{PASSWORD}@cache:6379/0',
}


@pytest.mark.parametrize("line", CONFIGURED.values(), ids=CONFIGURED)
def test_a_configuration_that_cannot_be_right(
    line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "halfawake.toml"
    path.write_text(f'default_env = "prod"\n[env.prod.sources.jobs]\nconnector = "rq"\n{line}\n')
    assert run(["check", "--config", str(path)]) == 2
    said = capsys.readouterr()
    assert not [secret for secret in SECRETS if secret in said.out + said.err], said
    assert "halfawake.toml" in said.err


def test_what_a_check_of_the_configuration_quotes() -> None:
    problem = ConfigProblem(f"f.toml, line 3: url: amqp://app:{PASSWORD}@mq:5672/shop is not known")
    assert str(problem) == (
        "f.toml, line 3: url: amqp://app:{redacted:secret}@mq:5672/shop is not known"
    )


@pytest.mark.parametrize("cut", range(60, len(REPEATED), 7))
def test_a_quotation_is_cut_after_its_secrets_are_out(cut: int) -> None:
    said = quoted(REPEATED, cut)
    assert not [one for one in (PASSWORD, TOKEN, BASIC) if one[:6] in said], said
    assert PASSWORD[:6] not in Unreachable(REPEATED[:cut]).sentence()


def test_check_says_it_without(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with server(f"-ERR {REPEATED}\r\n".encode() * 3) as port, server(plain(500)) as web:
        path = tmp_path / "halfawake.toml"
        path.write_text(
            'default_env = "prod"\n[env.prod.sources.jobs]\nconnector = "rq"\n'
            f'url = "redis://{USER}:{PASSWORD}@127.0.0.1:{port}/0"\n'
            '[env.prod.sources.logs]\nconnector = "loki"\nquery = \'{app="shop"}\'\n'
            f'url = "http://{USER}:{PASSWORD}@127.0.0.1:{web}"\n'
        )
        codes = [run(["check", "--config", str(path), *words]) for words in ([], ["--json"])]
    said = capsys.readouterr()
    assert codes == [4, 4]
    assert not [secret for secret in SECRETS if secret in said.out + said.err], said
    assert str(port) in said.out
    assert str(web) in said.out
