"""What `init` says while it works: a table of what answered, and sentences about the rest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from shlex import quote
from typing import TextIO

from halfawake.discovery.proof import Proof
from halfawake.discovery.render import Chosen
from halfawake.discovery.words import WRITES, clock_words
from timeline.clean import clean

COLUMNS = ("source", "connector", "found in", "what answered", "writes", "clock")
FOLDED = ("found in", "what answered")
"""Columns that give way when the terminal is narrow."""
NARROWEST = 72
MOST_NAMES = 40
"""Variables named when nothing was found; more would bury the sentence."""


def show_table(chosen: Sequence[Chosen], out: TextIO) -> None:
    """One line for each source that answered; cells wrap to the terminal's width."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=out, highlight=False)
    table = Table(
        box=None, pad_edge=False, padding=(0, 1, 0, 0), width=max(NARROWEST, console.width)
    )
    for name in COLUMNS:
        table.add_column(name, no_wrap=name not in FOLDED, overflow="fold")
    several = len({one.environment for one in chosen}) > 1
    for one in chosen:
        source = f"{one.environment}: {one.name}" if several else one.name
        table.add_row(*(Text(clean(cell)) for cell in (source, *_cells(one.proof))))
    console.print(table)


def _cells(proof: Proof) -> tuple[str, ...]:
    found = proof.proposal.found_in.removeprefix("the variable ")
    report = proof.answered.report
    if report is None:
        return (proof.proposal.connector, found, "", "", "")
    writes, clock = WRITES[report.writes], clock_words(report.clock)
    return (proof.proposal.connector, found, report.system, writes, clock)


def failures(proofs: Iterable[Proof]) -> list[tuple[str, list[Proof]]]:
    """Those that did not answer, told once for each place and reason."""
    grouped: dict[tuple[str, str], list[Proof]] = {}
    for proof in proofs:
        problem = proof.answered.problem
        if problem is not None and not proof.answered.nothing_there:
            grouped.setdefault((proof.proposal.found_in, problem.sentence()), []).append(proof)
    return [
        (f"{_systems(found)} ({where.removeprefix('the variable ')}): {clean(sentence)}", found)
        for (where, sentence), found in grouped.items()
    ]


def nothing_there(proofs: Iterable[Proof]) -> str:
    """How many servers answered but hold nothing of what was looked for; "" for none."""
    empty = [proof for proof in proofs if proof.answered.nothing_there]
    if not empty:
        return ""
    return f"Looked for and not there: {_systems(empty)}."


def nothing_found(looked_at: Iterable[str], folder: str) -> str:
    """Where was looked, when there was no candidate at all."""
    names = sorted(looked_at)
    shown = ", ".join(names[:MOST_NAMES]) + (", …" if len(names) > MOST_NAMES else "")
    return (
        f"Nothing to configure was found. Looked at these variables: {shown or 'none'}; "
        f"at .env and compose files in {folder}; and where connectors keep their own settings. "
        "Export one of them, for example DATABASE_URL=postgresql://reader@db.internal/shop, "
        "and say halfawake init again. Log files need no configuration: "
        "halfawake at 03:14 app.log"
    )


def next_command(chosen: Sequence[Chosen], default: str, output: str) -> str:
    """What to type next: export what is not exported yet, then check."""
    unset: dict[str, str] = {}
    for one in chosen:
        if one.environment == default:
            unset.update(one.proof.proposal.unset)
    config = f" --config {quote(output)}" if output else ""
    sourced = dict.fromkeys(file for file in unset.values() if _is_env_file(file))
    by_hand = [name for name, file in unset.items() if not _is_env_file(file)]
    steps = [f". {quote(file if '/' in file else f'./{file}')}" for file in sourced]
    words = f"set -a; {'; '.join(steps)}; set +a; " if steps else ""
    words += "".join(f"export {name}=…; " for name in by_hand)
    return f"{words}halfawake check{config}"


def _is_env_file(file: str) -> bool:
    return bool(file) and not file.endswith((".yml", ".yaml"))


def _systems(proofs: Sequence[Proof]) -> str:
    return ", ".join(dict.fromkeys(proof.proposal.connector for proof in proofs))
