"""Arguments of the commands whose output leaves the machine: what is taken out, what is told."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from halfawake.cli import UsageProblem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from timeline.event import Event
    from timeline.export.contract import ExportOptions

LEAST_KEY_BYTES = 16
"""A shorter key can be tried out, and every id with it."""
MOST_KEY_BYTES = 4_096


def add_leaving_arguments(parser: argparse.ArgumentParser) -> None:
    """Redaction and stand-ins, the same for every command that exports."""
    parser.add_argument("--no-redact", metavar="REASON", help="the reason is printed in the export")
    parser.add_argument(
        "--pseudonymise-ids",
        action="store_true",
        help="for outside readers: user:4711 becomes user#1, the same everywhere",
    )
    parser.add_argument(
        "--pseudonym-key-from",
        metavar="ENV|FILE",
        help="derive stand-ins from this secret, so that several exports share them",
    )


def options_for(arguments: argparse.Namespace, marked: Sequence[Event] = ()) -> ExportOptions:
    """What was asked for, with the team's own redaction. Raises `UsageProblem`."""
    from halfawake.handover import leaving_options

    if arguments.no_redact is not None and not arguments.no_redact.strip():
        raise UsageProblem("--no-redact needs a reason; it is printed in the export.")
    options = leaving_options(arguments.config, marked, arguments.no_redact or "")
    named = arguments.pseudonym_key_from
    if named is not None and not arguments.pseudonymise_ids:
        raise UsageProblem("--pseudonym-key-from goes with --pseudonymise-ids.")
    return replace(
        options,
        pseudonymise_ids=arguments.pseudonymise_ids,
        stand_in_key=b"" if named is None else _key(named),
    )


def _key(named: str) -> bytes:
    """The secret in the environment variable or file `named`; it is never printed or written."""
    try:
        key = os.environb[named.encode()] if named.encode() in os.environb else _read(Path(named))
    except OSError as error:
        raise UsageProblem(
            f"--pseudonym-key-from {named}: there is no such environment variable, and no file "
            f"that can be read ({error.strerror})."
        ) from None
    key = key.strip()
    if len(key) < LEAST_KEY_BYTES:
        raise UsageProblem(
            f"--pseudonym-key-from {named}: the key has {len(key)} bytes and needs at least "
            f"{LEAST_KEY_BYTES}; make one with: openssl rand -hex 32"
        )
    return key


def _read(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(MOST_KEY_BYTES)
