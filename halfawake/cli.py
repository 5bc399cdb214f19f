"""The command line: which command was meant, and the exit code it ends with.

Imports nothing heavy: help, a wrong argument and the first frame must not wait for a library.
stdout carries data, stderr carries narration.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn, Protocol

from halfawake import __version__
from halfawake.exit_codes import ExitCode

COMMANDS: tuple[tuple[str, str], ...] = (
    ("demo", "open a recorded incident; no servers, no configuration"),
    ("init", "find your systems, prove each, write a halfawake.toml"),
    ("at", "put everything around one instant on one screen"),
    ("open", "open a captured incident"),
    ("capture", "collect an instant into a file, without a screen"),
    ("export", "write the timeline for the postmortem"),
    ("findings", "print state and findings"),
    ("compare", "hold a written postmortem against what was recorded"),
    ("note", "write down what you did or saw, with its time"),
    ("check", "say what each source can and cannot show"),
)
"""Every command and its line of help; the module `halfawake.commands.NAME` does the rest."""


class UsageProblem(Exception):
    """The command cannot be carried out as asked; the message says why and what to type."""

    def __init__(self, sentence: str, exit_code: ExitCode = ExitCode.USAGE) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


class Command(Protocol):
    """What a module in `halfawake.commands` offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, arguments: argparse.Namespace) -> ExitCode: ...


def run(argv: Sequence[str]) -> int:
    """Carry out one command line and return the exit code."""
    parser = _parser(argv)
    arguments, rest = parser.parse_known_args(argv)
    if rest and "files" in arguments and not any(word.startswith("-") for word in rest):
        arguments.files.extend(rest)  # argparse takes no positional after an option
    elif rest:
        parser.error(f"{rest[0]!r} is not understood here")
    if arguments.command is None:
        _parser(()).print_help(sys.stderr)
        return ExitCode.USAGE
    try:
        return _module(arguments.command).run(arguments)
    except UsageProblem as problem:
        from timeline.export.redact_messages import without_secrets

        sys.stderr.write(f"halfawake: {without_secrets(str(problem))}\n")
        return problem.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return ExitCode.DONE
    except Exception as error:  # a defect: a traceback would hold production data
        from halfawake import breakage

        return breakage.leave(error)


def _parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="halfawake",
        description="Logs, job queues and database rows around one pinned instant.",
        epilog="Start with: halfawake demo",
    )
    parser.add_argument("--version", action="version", version=f"halfawake {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    named = next((word for word in argv if not word.startswith("-")), None)
    known = dict(COMMANDS)
    only = argv[0] if argv and argv[0] in known else ""
    for name, summary in known.items():
        if only and name != only:
            continue  # a command that begins the line needs no list of the others
        child = commands.add_parser(name, help=summary, description=summary)
        if name == named:  # only the command that was typed pays for its imports
            _module(name).add_arguments(child)
    return parser


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"halfawake: {message}. See {self.prog} --help\n")
        raise SystemExit(ExitCode.USAGE)


def _module(name: str) -> Command:
    return import_module(f"halfawake.commands.{name}")
