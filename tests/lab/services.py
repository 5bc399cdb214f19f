"""The shop's processes: started with their environment, stopped by SIGTERM, never left behind.

They run from a folder of links to the shop's code, the installed libraries and Python's own, so
that a stack trace shows paths of that folder and nothing of the machine it was made on.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import time
from dataclasses import dataclass, field
from pathlib import Path

SHOP = Path(__file__).parent / "shop"
STOP_WITHIN_S = 15.0
"""A warm shutdown of a worker waits for its job, which takes well under a second."""


@dataclass
class Services:
    """Named processes of the shop in one folder, with `app`, `lib`, `python`, `logs` and
    `measured.jsonl`."""

    folder: Path
    common: dict[str, str]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("app", "logs"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        _link(self.folder / "app" / "shop", SHOP)
        _link(self.folder / "lib", Path(sysconfig.get_path("purelib")))
        _link(self.folder / "python", Path(sysconfig.get_path("stdlib")))

    @property
    def measured(self) -> Path:
        return self.folder / "measured.jsonl"

    def log(self, service: str, host: str) -> Path:
        return self.folder / "logs" / f"{service}.{host}.log"

    def start(
        self, service: str, host: str, *words: str, module: str = "", **environment: str
    ) -> subprocess.Popen[bytes]:
        """Start `shop.SERVICE` (or another `module` of the shop) as it would run on `host`."""
        log = Path(environment.get("SHOP_LOG", self.log(service, host)))
        log.touch()
        code = [str(self.folder / name) for name in ("app", "lib", "python")]
        with (self.folder / "output.log").open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", f"shop.{module or service}", *words],
                cwd=self.folder / "app",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={
                    **os.environ,
                    **self.common,
                    "PYTHONPATH": os.pathsep.join(code),
                    "PYTHONDONTWRITEBYTECODE": "1",
                    "SHOP_SERVICE": service,
                    "SHOP_HOST": host,
                    "SHOP_LOG": str(log),
                    "SHOP_MEASURED": str(self.measured),
                    **environment,
                },
            )
        self.running[host] = process
        return process

    def stop(self, host: str) -> None:
        """SIGTERM, and SIGKILL for one that does not end."""
        process = self.running.pop(host)
        process.terminate()
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def stop_all(self) -> None:
        for host in list(self.running):
            self.stop(host)

    def check(self) -> None:
        """Raise RuntimeError with the end of its output when a process has died."""
        for host, process in self.running.items():
            if process.poll() is not None:
                output = (self.folder / "output.log").read_text(errors="replace")[-2_000:]
                raise RuntimeError(f"{host} ended with code {process.returncode}:\n{output}")

    def wait_for_line(self, service: str, host: str, text: str, within_s: float = 30.0) -> None:
        """Wait until the log of a service contains `text`."""
        deadline = time.monotonic() + within_s
        while text not in self.log(service, host).read_text(errors="replace"):
            self.check()
            if time.monotonic() > deadline:
                raise RuntimeError(f"{host} did not say {text!r} within {within_s:g} s")
            time.sleep(0.05)


def _link(path: Path, target: Path) -> None:
    if not path.exists():
        path.symlink_to(target, target_is_directory=True)
