"""Certificates: trusted, strange, and for another name, as at the local end of a tunnel."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from connectors.elasticsearch import ElasticsearchConnector, ElasticsearchOptions
from tests.conformance.collecting import fetched
from tests.connectors.stub_search import SearchStub
from timeline.keys import KeyRules
from timeline.problems import AccessRefused, Misconfigured, Unreachable
from timeline.window import Window

NOW = time.time_ns() // 1_000_000_000 * 1_000_000_000
WINDOW = Window(NOW, NOW - 60_000_000_000, NOW + 60_000_000_000)
NAME = "search.shop.example"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PEM file of key and self-signed certificate for `NAME` alone."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed (apt-get install openssl)")
    folder = tmp_path_factory.mktemp("tls")
    key, cert, both = (folder / name for name in ("key.pem", "cert.pem", "both.pem"))
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    subject = ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
    files = ["-keyout", str(key), "-out", str(cert)]
    subprocess.run([*command.split(), *subject, *files], check=True, capture_output=True)
    both.write_text(key.read_text() + cert.read_text())
    return both


def read(url: str, **options: object) -> int:
    settings = {"url": url, "index": "logs-*", **options}
    validated = ElasticsearchOptions.model_validate(settings)
    reader = ElasticsearchConnector("logs", validated, KeyRules())
    return len(fetched(reader, WINDOW).events)


def test_a_tunnel_is_checked_against_the_real_name(certificate: Path) -> None:
    stub = SearchStub()
    stub.add(5, NOW // 1_000_000 - 5_000, 1_000)
    with stub.serving(certificate):
        assert read(stub.url, ca_file=certificate, tls_server_name=NAME) == 5
    assert {seen.headers["host"] for seen in stub.seen} == {NAME}


def test_another_name_is_refused_with_the_remedy(certificate: Path) -> None:
    with SearchStub().serving(certificate) as stub, pytest.raises(AccessRefused) as caught:
        read(stub.url, ca_file=certificate)
    assert "not for this host" in caught.value.what
    assert "tls_server_name" in caught.value.remedy
    assert stub.seen == []


def test_an_unknown_authority_is_refused_with_the_remedy(certificate: Path) -> None:
    with SearchStub().serving(certificate) as stub, pytest.raises(AccessRefused) as caught:
        read(stub.url, tls_server_name=NAME)
    assert "cannot be trusted" in caught.value.what
    assert "ca_file" in caught.value.remedy


def test_tls_spoken_to_a_plain_port_is_said() -> None:
    with SearchStub().serving() as stub, pytest.raises(Unreachable) as caught:
        read(stub.url.replace("http:", "https:"))
    assert "TLS could not be agreed" in caught.value.what
    assert str(urlsplit(stub.url).port) in caught.value.where


def test_a_certificate_file_that_is_none(tmp_path: Path) -> None:
    wrong = tmp_path / "ca.pem"
    for content in (None, "no certificate"):
        if content is not None:
            wrong.write_text(content)
        with pytest.raises(Misconfigured, match="certificates cannot be read"):
            read("https://127.0.0.1:1", ca_file=wrong)
