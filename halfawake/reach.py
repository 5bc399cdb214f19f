"""The way to a system that is not in reach: the engineer's own tunnel, and passwords by command.

`via` runs the engineer's own binaries (ssh, kubectl, aws) with a free local port; tunnels are
shared by sources that name the same one and ended by pid. Everything here may prompt (MFA, host
key, SSO) and therefore runs before the screen opens.
"""

from __future__ import annotations

import contextlib
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from halfawake.config import SourceConfig
from timeline.clean import clean
from timeline.problems import AccessRefused, Misconfigured, Unreachable

TUNNEL_READY_S = 60.0
"""Long enough for a person to answer an MFA prompt; Ctrl-C skips the source."""
PASSWORD_WITHIN_S = 60.0
END_WITHIN_S = 2.0

DEFAULT_PORTS = {
    "postgresql": 5432,
    "postgres": 5432,
    "mysql": 3306,
    "mysql2": 3306,
    "mariadb": 3306,
    "redis": 6379,
    "rediss": 6379,
    "http": 80,
    "https": 443,
}
NAME_CHECKED = frozenset(("https", "rediss", "mysql", "mysql2", "mariadb"))
"""Schemes whose connectors take the certificate's name as an option of its own."""
ADDRESS_OPTIONS = ("url", "dsn")


@dataclass(eq=False)
class Tunnel:
    """One running tunnel process and the local port it listens on."""

    via: str
    local_port: int
    process: subprocess.Popen[str]
    said: deque[str] = field(default_factory=lambda: deque(maxlen=5))

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def epitaph(self) -> str:
        """Why it ended, in words; its own last line is the best explanation there is."""
        last = f": {self.said[-1]}" if self.said else ""
        return f"the tunnel {self.via!r} ended with exit code {self.process.poll()}{last}"

    def end(self) -> None:
        """Terminate, then kill, this very process."""
        if self.ended:
            return
        self.process.terminate()
        try:
            self.process.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(END_WITHIN_S)


class Reach:
    """Opens what sources need and remembers it, so that it can be shared and ended."""

    def __init__(self) -> None:
        self._tunnels: dict[tuple[str, str, int], Tunnel] = {}
        self._passwords: dict[tuple[str, ...], str] = {}
        self.used_by: dict[str, Tunnel] = {}

    def options_for(self, source: str, settings: SourceConfig) -> dict[str, object]:
        """The connector's options with password and local address filled in.

        Raises `Unreachable` or `AccessRefused` when the tunnel or the password command fails.
        """
        options = settings.options
        if settings.password_command is not None:
            options["password"] = self._password(source, settings.password_command)
        if settings.tls_server_name is not None:
            options["tls_server_name"] = settings.tls_server_name
        if settings.via is not None:
            host, port = address_of(options, source)
            tunnel = self._tunnel(source, settings.via, host, port)
            self.used_by[source] = tunnel
            options = redirected(options, tunnel.local_port)
        return options

    def close(self) -> None:
        for tunnel in self._tunnels.values():
            tunnel.end()

    def _password(self, source: str, command: str | tuple[str, ...]) -> str:
        argv = tuple(shlex.split(command)) if isinstance(command, str) else command
        if argv not in self._passwords:
            try:
                done = subprocess.run(  # noqa: S603  # the engineer's own command, trusted before
                    argv, stdout=subprocess.PIPE, text=True, timeout=PASSWORD_WITHIN_S, check=False
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                raise AccessRefused(
                    f"The password command {argv[0]!r} did not run: {error}",
                    where=f"source {source}",
                    remedy="Run it once by hand.",
                ) from None
            if done.returncode != 0:
                raise AccessRefused(
                    f"The password command {argv[0]!r} ended with exit code {done.returncode}",
                    where=f"source {source}",
                    remedy="Run it once by hand.",
                )
            self._passwords[argv] = done.stdout.rstrip("\n")
        return self._passwords[argv]

    def _tunnel(self, source: str, via: str, host: str, port: int) -> Tunnel:
        known = self._tunnels.get((via, host, port))
        if known is not None and not known.ended:
            return known
        local_port = free_port()
        argv = tunnel_argv(via, local_port, host, port)
        try:
            process = subprocess.Popen(  # noqa: S603  # the engineer's own command, trusted before
                argv, stdin=None, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
            )
        except OSError as error:
            raise Unreachable(
                f"The tunnel {via!r} did not start: {error.strerror}",
                where=f"source {source}",
                remedy=f"Is {argv[0]} installed?",
            ) from None
        tunnel = Tunnel(via, local_port, process)
        threading.Thread(target=_listen, args=(tunnel,), daemon=True).start()
        self._tunnels[(via, host, port)] = tunnel
        _wait_until_open(tunnel, source)
        return tunnel


def tunnel_argv(via: str, local_port: int, host: str, port: int) -> list[str]:
    """The command behind a `via`: ssh and kubectl in short form, anything else with placeholders.

    `ssh bastion` forwards to the source's own address; `kubectl … port-forward svc/pg 5432` gets
    the local port in front; other commands must contain `{local_port}` (`{host}`, `{port}` too).
    """
    words = shlex.split(via)
    if not words:
        raise Misconfigured(
            "The setting via is empty", remedy='Write for example via = "ssh bastion".'
        )
    if "{local_port}" in via:
        return [w.format(local_port=local_port, host=host, port=port) for w in words]
    if words[0] == "ssh":
        forward = f"127.0.0.1:{local_port}:{host}:{port}"
        return [words[0], "-N", "-o", "ExitOnForwardFailure=yes", "-L", forward, *words[1:]]
    if words[0] == "kubectl" and "port-forward" in words:
        *front, last = words
        return [*front, f"{local_port}:{last.rpartition(':')[2]}"]
    raise Misconfigured(
        f"The tunnel command {via!r} does not say where its local port goes",
        remedy="Use ssh HOST, kubectl port-forward TARGET PORT, or put {local_port} into it.",
    )


def address_of(options: dict[str, object], source: str) -> tuple[str, int]:
    """Host and port a source points at. Raises `Misconfigured` when there is none."""
    for name in ADDRESS_OPTIONS:
        if isinstance(value := options.get(name), str):
            parts = urlsplit(value)
            port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
            if parts.hostname and port:
                return parts.hostname, port
    if isinstance(options.get("host"), str) and isinstance(options.get("port"), int):
        return str(options["host"]), int(str(options["port"]))
    raise Misconfigured(
        "A source with via needs an address to forward to",
        where=f"source {source}",
        remedy="Give it url, dsn, or host and port.",
    )


def redirected(options: dict[str, object], local_port: int) -> dict[str, object]:
    """The options with the local end of the tunnel as address; TLS still checks the real name."""
    changed = dict(options)
    for name in ADDRESS_OPTIONS:
        if isinstance(value := options.get(name), str):
            parts = urlsplit(value)
            changed[name] = _local_url(parts, local_port)
            if parts.scheme in NAME_CHECKED:
                changed.setdefault("tls_server_name", parts.hostname)
    if "host" in options:
        changed.update(hostaddr="127.0.0.1", port=local_port)
    return changed


def _local_url(parts: SplitResult, local_port: int) -> str:
    user, at, _ = parts.netloc.rpartition("@")
    if parts.scheme in ("postgresql", "postgres"):
        # libpq dials hostaddr and verifies the certificate against the host of the address
        query = urlencode([*parse_qsl(parts.query), ("hostaddr", "127.0.0.1")])
        netloc = f"{user}{at}{parts.hostname}:{local_port}"
        return parts._replace(netloc=netloc, query=query).geturl()
    return parts._replace(netloc=f"{user}{at}127.0.0.1:{local_port}").geturl()


def free_port() -> int:
    """A loopback port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listen(tunnel: Tunnel) -> None:
    """Pass the tunnel's words on to the person (prompts!) and keep the last ones."""
    stream = tunnel.process.stderr
    if stream is None:
        return
    with contextlib.suppress(ValueError, OSError):
        for line in stream:
            tunnel.said.append(clean(line))


def _wait_until_open(tunnel: Tunnel, source: str) -> None:
    deadline = time.monotonic() + TUNNEL_READY_S
    try:
        while time.monotonic() < deadline:
            if tunnel.ended:
                time.sleep(0.05)  # its last words are still on the way
                raise Unreachable(
                    tunnel.epitaph(), where=f"source {source}", remedy="Run it once by hand."
                )
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", tunnel.local_port), timeout=0.2),
            ):
                return
            time.sleep(0.05)
    except KeyboardInterrupt:
        tunnel.end()
        sys.stderr.write(f"\nhalfawake: skipped {source}\n")
        raise Unreachable(
            f"the tunnel {tunnel.via!r} was skipped", where=f"source {source}"
        ) from None
    tunnel.end()
    raise Unreachable(
        f"the tunnel {tunnel.via!r} did not open within {TUNNEL_READY_S:g} s",
        where=f"source {source}",
        remedy="Run it once by hand.",
    )
