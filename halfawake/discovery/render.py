"""The text of a new `halfawake.toml`: commented, with references where secrets belong.

Text of a server reaches the file only in comments, cleaned and on one line.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from connectors.discovery import KeyHint
from halfawake.discovery.proof import Proof
from halfawake.discovery.words import writes_words
from timeline.clean import clean
from timeline.keys import WELL_KNOWN

WIDTH = 100
HEAD = (
    "Written by `halfawake init`; yours to change, and made to live in your repository.",
    "It holds no secret: ${NAME} is taken from the environment when halfawake starts.",
    "`halfawake check` says what each source can and cannot show.",
)
KEYS_HEAD = (
    "An id in a log line, a job's argument and a row's primary key are one thing: `user:4711`.",
    "Names like user_id are found without this; it says in which table the thing lives.",
)
SERVICES_HEAD = "Services that should speak: the silence of one is then told as a blind spot."
EXAMPLE = ("web", "worker")
"""Stands as a comment where no source knows who speaks."""


@dataclass(frozen=True)
class Chosen:
    """One source to write, under its final name."""

    name: str
    proof: Proof

    @property
    def environment(self) -> str:
        return self.proof.proposal.environment

    @property
    def options(self) -> Mapping[str, object]:
        return {**self.proof.proposal.options, **self.proof.sampled.options}


def render(chosen: Sequence[Chosen], silent: Sequence[Chosen], default: str) -> str:
    """The file: `chosen` as sources, `silent` (they did not answer) as comments."""
    lines = [*_comment(HEAD), "", f"default_env = {toml(default)}"]
    hints = keys_of(one.proof for one in chosen)
    if hints:
        lines += ["", *_comment(KEYS_HEAD)]
    for hint in hints:
        lines += _key(hint)
    environments = dict.fromkeys(one.environment for one in (*chosen, *silent))
    for environment in environments:
        lines += _environment(
            environment,
            [one for one in chosen if one.environment == environment],
            [one for one in silent if one.environment == environment],
        )
    return "\n".join(lines) + "\n"


def keys_of(proofs: Iterable[Proof]) -> list[KeyHint]:
    """Keys whose table is known, with the fields that any source names for them, by name.

    Well-known types stay as they are: a table `jobs` need not hold what the queue calls a job.
    """
    known_types = {kind.name for kind in WELL_KNOWN}
    hints = [
        hint for proof in proofs for hint in proof.sampled.keys if hint.name not in known_types
    ]
    merged: dict[str, KeyHint] = {}
    for hint in sorted(hints, key=lambda one: not one.table):  # tables first: they own the name
        known = merged.get(hint.name)
        if known is None and hint.table:
            merged[hint.name] = hint
        elif known is not None and known.table and hint.table in ("", known.table):
            fields = tuple(dict.fromkeys((*known.fields, *hint.fields)))
            merged[hint.name] = KeyHint(known.name, fields, known.table, known.pk)
    return [merged[name] for name in sorted(merged)]


def toml(value: object) -> str:
    """One value as TOML. Raises TypeError for what options never hold."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        whole = value.encode("utf-8", "replace").decode("utf-8")  # half a character is none
        return json.dumps(whole, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_name(k)} = {toml(item)}" for k, item in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    raise TypeError(f"{type(value).__name__} has no place in the configuration")


def _name(key: object) -> str:
    text = str(key)
    bare = text and all(sign.isascii() and (sign.isalnum() or sign in "_-") for sign in text)
    return text if bare else toml(text)


def _key(hint: KeyHint) -> list[str]:
    lines = ["", f"[keys.{_name(hint.name)}]", f"table = {toml(hint.table)}"]
    if hint.pk:
        lines.append(f"pk = {toml(hint.pk)}")
    if hint.fields:
        lines.append(f"fields = {toml(hint.fields)}")
    return lines


def _environment(name: str, chosen: list[Chosen], silent: list[Chosen]) -> list[str]:
    lines: list[str] = []
    if chosen:
        lines += ["", f"[env.{_name(name)}]", *_comment([SERVICES_HEAD])]
        spoke = dict.fromkeys(name for one in chosen for name in one.proof.sampled.services)
        lines.append(f"# expected_services = {toml([clean(name) for name in spoke] or EXAMPLE)}")
    for one in chosen:
        lines += ["", *_comment(_about(one)), *_source(one)]
    for one in silent:
        problem = one.proof.answered.problem
        said = problem.sentence() if problem is not None else ""
        head = f"Found in {one.proof.proposal.found_in}, but did not answer: {said}"
        lines += ["", *_comment([head]), *(f"# {line}" for line in _source(one))]
    return lines


def _source(one: Chosen) -> Iterator[str]:
    yield f"[env.{_name(one.environment)}.sources.{_name(one.name)}]"
    yield f"connector = {toml(one.proof.proposal.connector)}"
    for name, value in one.options.items():
        yield f"{_name(name)} = {toml(value)}"


def _about(one: Chosen) -> Iterator[str]:
    """What is known of a source that answered, as comments."""
    proposal, report = one.proof.proposal, one.proof.answered.report
    if report is not None:
        yield f"{report.system}, found in {proposal.found_in}."
        yield f"Writes are {writes_words(report)}."
    yield from (f"{note[:1].upper()}{note[1:]}." for note in one.proof.sampled.notes)
    for variable, file in proposal.unset.items():
        stands = f"its value stands in {file}" if file else "it is not set"
        yield f"Export {variable} first: {stands}."


def _comment(sentences: Iterable[str]) -> list[str]:
    return [
        line
        for sentence in sentences
        for line in textwrap.wrap(
            clean(sentence), WIDTH, initial_indent="# ", subsequent_indent="#   "
        )
    ]
