"""`halfawake init`: from what this laptop can reach to a commented `halfawake.toml`.

Narration and questions go to stderr; the text of the file goes to stdout when it is only shown.
An existing file is never touched, and an interrupted run leaves none.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from halfawake.cli import UsageProblem
from halfawake.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halfawake.discovery.places import Origins
    from halfawake.discovery.proof import Proof
    from halfawake.discovery.render import Chosen

DEFAULT_ENVIRONMENT = "default"
"""Of what the shell names. Not "prod": an address does not say whose it is."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--env", metavar="NAME", help="name the environment your shell points at")
    parser.add_argument("--yes", action="store_true", help="take every source that answers")
    parser.add_argument("--output", type=Path, metavar="FILE", help="instead of ./halfawake.toml")
    parser.add_argument(
        "--from-env-file", action="append", default=[], type=Path, metavar="FILE", dest="env_files"
    )
    parser.add_argument("--dry-run", action="store_true", help="print the file, write nothing")


def run(arguments: argparse.Namespace) -> ExitCode:
    from halfawake.config import FILE_NAME
    from halfawake.discovery.narration import nothing_found
    from halfawake.discovery.proof import prove
    from halfawake.discovery.proposals import propose

    output: Path = arguments.output or Path(FILE_NAME)
    if not arguments.dry_run:
        _refuse_to_overwrite(output)
    environment = _environment_name(arguments.env)
    looked = _origins(arguments)
    proposed = propose(looked.found, environment, os.environ)
    for note in (*looked.notes, *proposed.notes):
        _say(note)
    if not proposed.proposals:
        raise UsageProblem(nothing_found(proposed.looked_at, str(Path.cwd())))
    _say(f"Asking {_counted(len(proposed.proposals), 'candidate')} …")
    answered, silent = _told(prove(proposed.proposals))
    if not answered:
        raise UsageProblem("Nothing that was found answered; no file written.", ExitCode.NO_ANSWER)
    chosen = _picked(answered, arguments)
    if chosen is None:
        sys.stdout.write(_text(answered, silent, environment))
        raise UsageProblem(
            f"{output} was not written, because nobody can be asked here. "
            "To write what is shown above, say: halfawake init --yes"
        )
    if not chosen:
        _say("No source was taken; no file written.")
        return ExitCode.DONE
    text = _text(chosen, silent, environment)
    if arguments.dry_run:
        sys.stdout.write(text)
    else:
        _written(text, output, chosen)
        _end(chosen, environment, arguments.output)
    return ExitCode.PARTIAL if silent else ExitCode.DONE


def _environment_name(named: str | None) -> str:
    if named is None:
        return DEFAULT_ENVIRONMENT
    if not named or not all(sign.isalnum() or sign in "_-" for sign in named):
        raise UsageProblem(f"{named!r} is not a name; use letters, digits, - and _, like eu-prod.")
    return named


def _refuse_to_overwrite(output: Path) -> None:
    if output.exists() or output.is_symlink():
        raise UsageProblem(
            f"{output} is already there and is not touched. Write beside it with --output FILE, "
            "or look first with --dry-run."
        )
    if not output.parent.is_dir():
        raise UsageProblem(f"There is no folder {output.parent} to write {output.name} into.")


def _origins(arguments: argparse.Namespace) -> Origins:
    from halfawake.discovery.places import origins

    try:
        return origins(
            os.environ,
            Path.cwd(),
            Path.home(),
            arguments.env_files,
            named_are_local=arguments.env is None,
        )
    except OSError as error:
        raise UsageProblem(f"{error.filename} cannot be read: {error.strerror}.") from None


def _told(proofs: Sequence[Proof]) -> tuple[list[Chosen], list[Chosen]]:
    """Say what answered and what did not; both lists, under their final names."""
    from halfawake.discovery.narration import failures, nothing_there, show_table
    from halfawake.discovery.proposals import named_apart
    from halfawake.discovery.render import Chosen

    told = failures(proofs)
    first_of_each = [found[0] for _, found in told]
    shown = [*(proof for proof in proofs if proof.answered.report is not None), *first_of_each]
    names = named_apart([proof.proposal for proof in shown])
    every = [Chosen(name, proof) for name, proof in zip(names, shown, strict=True)]
    count = len(every) - len(first_of_each)
    if count:
        show_table(every[:count], sys.stderr)
    if told:
        _say("Found, but without an answer (they stand in the file as comments):")
        for sentence, _ in told:
            _say(f"  {sentence}")
    if empty := nothing_there(proofs):
        _say(empty)
    return every[:count], every[count:]


def _picked(answered: list[Chosen], arguments: argparse.Namespace) -> list[Chosen] | None:
    """The sources to write, asked one by one; None when nobody can be asked."""
    if arguments.yes or arguments.dry_run:
        return answered
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    return [one for one in answered if _agreed(one)]


def _agreed(one: Chosen) -> bool:
    connector = one.proof.proposal.connector
    sys.stderr.write(f"Write {one.environment}: {one.name} ({connector})? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _text(chosen: Sequence[Chosen], silent: Sequence[Chosen], environment: str) -> str:
    from halfawake.discovery.render import render

    return render(chosen, silent, _default(chosen, environment))


def _default(chosen: Sequence[Chosen], environment: str) -> str:
    """The environment the shell points at when it has a source, else the one that has."""
    names = [one.environment for one in chosen]
    return environment if environment in names else names[0]


def _written(text: str, output: Path, chosen: Sequence[Chosen]) -> None:
    """Put the file there in one step, after it was read back as a configuration."""
    from halfawake.config import load_config

    values = {name: "unset" for one in chosen for name in one.proof.proposal.unset}
    unfinished = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        unfinished.write_text(text, encoding="utf-8")
        load_config(unfinished, {**values, **os.environ})
        _placed(unfinished, output)
    except FileExistsError:
        _refuse_to_overwrite(output)
    except OSError as error:
        raise UsageProblem(f"{output} cannot be written: {error.strerror}.") from None
    finally:
        unfinished.unlink(missing_ok=True)


def _placed(unfinished: Path, output: Path) -> None:
    """Give a finished file its name, never that of another. Raises FileExistsError."""
    try:
        os.link(unfinished, output)  # unlike a rename it fails when somebody was faster
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if output.exists():
            raise FileExistsError from None
        unfinished.rename(output)


def _end(chosen: Sequence[Chosen], environment: str, output: Path | None) -> None:
    from halfawake.discovery.narration import next_command

    where = str(output or "halfawake.toml")
    _say(f"{where}: {_counted(len(chosen), 'source')}. It holds no secret; commit it.")
    command = next_command(chosen, _default(chosen, environment), str(output or ""))
    _say(f"Next: {command}")


def _say(sentence: str) -> None:
    """One line of narration; names in it may come from anybody's file."""
    from timeline.clean import clean

    sys.stderr.write(f"{clean(sentence)}\n")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
