"""A recorded journal: entries written by us in systemd's export format, for tests and its tools."""

from __future__ import annotations

import json
import struct
import subprocess
from pathlib import Path

BOOTS = ("1" * 32, "2" * 32)
REMOTE = Path("/lib/systemd/systemd-journal-remote")
"""Makes a journal file of an export; Debian package systemd-journal-remote."""
HOSTILE = "escape survives"


class RecordedJournal:
    """Entries from `pin` - 30 s to + 30 s, one a second; the machine restarts 5 s before T."""

    def __init__(self, pin: int, seconds: range = range(-30, 30)) -> None:
        self.pin = pin
        self.entries = [self._entry(second) for second in seconds]

    def _entry(self, second: int) -> dict[str, bytes]:
        arrived = self.pin // 1_000 + second * 1_000_000
        boot = BOOTS[second >= -5]
        since_boot = (second + 5 if second >= -5 else second + 3_600) * 1_000_000 + 9_000_000
        message = f"served user_id={200 + second}".encode()
        entry = {
            "__REALTIME_TIMESTAMP": str(arrived).encode(),
            "__MONOTONIC_TIMESTAMP": str(since_boot).encode(),
            "_BOOT_ID": boot.encode(),
            "_HOSTNAME": b"web-1",
            "_SYSTEMD_UNIT": b"web.service",
            "SYSLOG_IDENTIFIER": b"python",
            "_TRANSPORT": b"stdout",
            "PRIORITY": b"6",
            "MESSAGE": message,
        }
        if second % 2:  # through the native protocol: the writer's own stamp is known
            entry["_TRANSPORT"] = b"journal"
            entry["_SOURCE_REALTIME_TIMESTAMP"] = str(arrived - 700).encode()
        if second == 3:
            entry |= {"PRIORITY": b"3", "MESSAGE": b"boom \xff\x1b[31m" + HOSTILE.encode()}
        if second == 4:
            entry["MESSAGE"] = b"Traceback:\n  at here\nValueError"
        if second == 8:
            entry |= {
                "_SYSTEMD_UNIT": b"systemd-journald.service",
                "PRIORITY": b"5",
                "MESSAGE": b"Suppressed 4812 messages from web.service",
                "N_DROPPED": b"4812",
            }
        return entry

    def export(self) -> bytes:
        """What `journalctl -o export` prints of them."""
        return b"".join(_exported(entry) for entry in self.entries)

    def lines(self) -> bytes:
        """What `journalctl -o json` prints of them."""
        printed = []
        for number, entry in enumerate(self.entries):
            record = {name: _printed(value) for name, value in entry.items()}
            record["__CURSOR"] = f"s=ab;i={number + 1:x};b={entry['_BOOT_ID'].decode()};m=1;t=1;x=1"
            printed.append(json.dumps(record))
        return ("\n".join(printed) + "\n").encode()

    def journal_file(self, folder: Path) -> Path:
        """A real journal file, made by systemd's own tool."""
        source, target = folder / "recorded.export", folder / "recorded.journal"
        source.write_bytes(self.export())
        subprocess.run(
            [str(REMOTE), "-o", str(target), str(source)], check=True, capture_output=True
        )
        return target


def _exported(entry: dict[str, bytes]) -> bytes:
    told = []
    for name, value in entry.items():
        plain = b"\n" not in value and all(byte >= 32 and byte < 127 for byte in value)
        if plain:
            told.append(name.encode() + b"=" + value + b"\n")
        else:
            told.append(name.encode() + b"\n" + struct.pack("<Q", len(value)) + value + b"\n")
    return b"".join(told) + b"\n"


def _printed(value: bytes) -> str | list[int]:
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return list(value)
    return list(value) if "\x1b" in text else text
