"""Real servers for tests: each starts on loopback, in its own folder, and is stopped by pid.

Import a server from its own module, so that only what a test needs is loaded:
``from tests.servers.postgresql import postgresql``. Nothing here ever touches a server that it
did not start itself.
"""

from __future__ import annotations

from tests.servers.process import RunningServer, ServerFailed, ServerMissing

__all__ = ["RunningServer", "ServerFailed", "ServerMissing"]
