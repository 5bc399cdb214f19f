"""What a person may configure for a journald source, and the one command that comes of it."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from connectors.logs.journal import FIELDS
from timeline.window import SECOND_NS

TIMEOUT_S = 30.0
ALLOWED_FLAGS = frozenset(
    (
        "--output", "--output-fields", "--utc", "--no-pager", "--all", "--since", "--until",
        "--reverse", "--unit", "--user-unit", "--identifier", "--directory", "--file", "--version",
        "--merge",
    )
)  # fmt: skip
"""Nothing that rotates, vacuums, flushes or writes (`--cursor-file`), and nothing that follows."""
ARRIVAL_MARGIN_NS = 30 * SECOND_NS
"""journalctl selects by arrival, events stand at the writer's stamp: so much later may one come."""


class NotAllowed(ValueError):
    """A flag that this connector never gives; a mistake in it, not in the configuration."""


class JournaldOptions(BaseModel):
    """`[env.E.sources.NAME]` with `connector = "journald"`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    units: tuple[str, ...] = ()
    """`web.service`, `worker@*.service`; empty reads all."""
    user_units: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    """Values of SYSLOG_IDENTIFIER: `sshd`, `kernel`."""
    directory: str = ""
    """A folder of journal files, of another machine for example; empty reads this machine's."""
    files: tuple[str, ...] = ()
    """Journal files (`*.journal`), read by journalctl."""
    exported: tuple[str, ...] = ()
    """Files made by `journalctl -o export` or `-o json`; then journalctl is not run at all."""
    journalctl: tuple[str, ...] = Field(default=("journalctl",), min_length=1)
    """The program and what stands before it: `["ssh", "web-1", "journalctl"]`."""
    timeout_s: float = Field(default=TIMEOUT_S, gt=0, le=600)


def command(options: JournaldOptions, *flags: str, chosen: bool = True) -> list[str]:
    """The argument list for some flags; `chosen` adds the units that the source is limited to."""
    words = [*flags, "--no-pager"]
    words += [f"--file={path}" for path in options.files]
    if options.directory:
        words.append(f"--directory={options.directory}")
    if chosen:
        words += [f"--unit={unit}" for unit in options.units]
        words += [f"--user-unit={unit}" for unit in options.user_units]
        words += [f"--identifier={name}" for name in options.identifiers]
    ensure_allowed(words)
    return [*options.journalctl, *words]


def entries_command(
    options: JournaldOptions, since: int | None, until: int | None, *, newest_first: bool = False
) -> list[str]:
    """The command that prints entries that arrived in `[since, until]` (ns, to whole seconds)."""
    flags = ["--output=json", "--utc", "--all", f"--output-fields={','.join(FIELDS)}"]
    if since is not None:
        flags.append(f"--since=@{since // SECOND_NS}")
    if until is not None:
        flags.append(f"--until=@{-(-until // SECOND_NS)}")
    if newest_first:
        flags.append("--reverse")
    return command(options, *flags)


def oldest_command(options: JournaldOptions) -> list[str]:
    """The command whose first line is the oldest entry that is still kept, of whatever unit."""
    return command(options, "--output=json", "--output-fields=PRIORITY", "--utc", chosen=False)


def ensure_allowed(words: Sequence[str]) -> None:
    """Raise `NotAllowed` for anything but the listed flags."""
    for word in words:
        if word.partition("=")[0] not in ALLOWED_FLAGS:
            raise NotAllowed(f"{word.partition('=')[0]} is not among what is ever given")
