"""A supervisor: starts `statement-mailer`, asks for its health, kills it and starts it anew.

`python -m shop.supervisor`; ends on SIGTERM together with its child.
"""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

from .mailer import log_lines
from .measured import Measured
from .settings import Settings

EVERY_S = 2.0
SICK_TIMES = 5
AGAIN_AFTER_S = 4.0
log = logging.getLogger("supervisor")


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=EVERY_S):
            return True
    except urllib.error.HTTPError:
        return False
    except OSError:
        return True  # busy or just beginning; whether it lives is asked otherwise


def main() -> None:
    settings = Settings.from_environment()
    log_lines(settings, log)
    measured = Measured(settings.measured)
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    while not stopping.is_set():
        child = subprocess.Popen([sys.executable, "-m", "shop.statements"])
        measured.note("mailer_started", at=time.time_ns())
        sick = 0
        while child.poll() is None and sick < SICK_TIMES and not stopping.wait(EVERY_S):
            sick = 0 if _healthy(settings.http_port) else sick + 1
        if not stopping.is_set():
            log.warning("statement-mailer is not healthy, restarting it")
        child.kill()
        child.wait()
        measured.note("mailer_ended", at=time.time_ns())
        stopping.wait(AGAIN_AFTER_S)


if __name__ == "__main__":
    main()
