"""A partner's certificate has expired: every handshake is refused by our side."""

from __future__ import annotations

import ssl
import subprocess
import threading
import time
from pathlib import Path
from socket import create_connection, create_server, socket

from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard

NAME = "bank.example"


def break_it(yard: Yard) -> Wrong:
    certificate, key = _self_signed(yard.folder, days=-1)
    log = yard.service("billing")
    context = ssl.create_default_context(cafile=str(certificate))
    with create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_serve, args=(server, certificate, key), daemon=True).start()
        for number in range(8):
            try:
                with (
                    create_connection(server.getsockname(), timeout=5) as plain,
                    context.wrap_socket(plain, server_hostname=NAME),
                ):
                    log.info("charge request_id=b%03d accepted", number)
            except ssl.SSLError as error:
                assert "certificate has expired" in str(error), error
                log.error("charge request_id=b%03d to %s failed: %s", number, NAME, error)
            time.sleep(0.2)
    return Wrong("expired")


def _serve(server: socket, certificate: Path, key: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    while True:
        try:
            plain, _ = server.accept()
            with context.wrap_socket(plain, server_side=True):
                pass
        except OSError:
            if server.fileno() < 0:
                return


def _self_signed(folder: Path, days: int) -> tuple[Path, Path]:
    """Certificate and key of `NAME`, its own authority, valid from now for that many days; a
    negative number makes one that ended before it began to be used."""
    certificate, key, request = (folder / name for name in ("bank.pem", "bank.key", "bank.csr"))
    asked = "openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    subject = ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
    signed = f"openssl x509 -req -days {days} -copy_extensions copy"
    commands: tuple[list[str | Path], ...] = (
        [*asked.split(), *subject, "-keyout", key, "-out", request],
        [*signed.split(), "-in", request, "-signkey", key, "-out", certificate],
    )
    for command in commands:
        subprocess.run(command, check=True, capture_output=True)
    return certificate, key
