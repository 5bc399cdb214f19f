r"""What a container runtime puts around each line: who wrote it, when, and whether it is whole.

Owns the prefixes of `docker compose logs`, `docker logs -t`, `kubectl logs --prefix --timestamps`
and CRI files, and docker's json-file. The line inside is then read by its own format. A runtime
stamps a line when it reads it from a pipe, which may be long after a buffering program wrote it:
such a stamp says "not later than" (`Meaning.INGESTED`), and serves only where the line has none.

Standard library only; `unwrapped` does the same for columns and must agree.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from connectors.logs.levels import severity_of
from connectors.logs.textformat import CLOCK, DATE, FRACTION

BELIEVED_SHARE = 0.9
"""Of the sampled lines that must stand in one envelope. What is left are the tool's own words
("Attaching to web-1")."""

_UTC = rf"{DATE}T{CLOCK}{FRACTION}(?P<zone>Z|[+-][0-9]{{2}}:[0-9]{{2}})"
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"


@dataclass(frozen=True)
class Envelope:
    """One kind of prefix. The groups of `pattern`: those of a stamp, `actor`, `stream`, `tag`.

    With `tag` (`P` or `F`), a line marked `P` goes on in the next line of the same writer.
    An empty pattern is docker's json-file, whose line is the text of a field.
    """

    name: str
    pattern: str
    example: str

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern)

    @property
    def proves_nothing(self) -> bool:
        """Whether its lines may as well be a program's own, unless a known format is inside."""
        return self.name == "docker"


DOCKER_JSON = Envelope(
    "docker-json",
    "",
    '{"log":"enqueue failed\\n","stream":"stderr","time":"2026-03-14T02:07:29.110123456Z"}',
)
_DOCKER_FIELDS = frozenset(("log", "stream", "time", "attrs"))

ENVELOPES: tuple[Envelope, ...] = (
    Envelope(
        "kubectl",
        rf"^\[pod/(?P<actor>{_NAME}/{_NAME})\] (?:{_UTC} )?",
        "[pod/web-6f9c/app] 2026-03-14T02:07:29.110123456Z enqueue failed",
    ),
    Envelope(
        "cri",
        rf"^{_UTC} (?P<stream>stdout|stderr) (?P<tag>[FP])(?::[A-Z:]*)? ",
        "2026-03-14T02:07:29.110123456Z stdout F enqueue failed",
    ),
    Envelope(
        "compose",
        rf"^(?P<actor>{_NAME}) +\| (?:{_UTC} )?",
        "web-1  | enqueue failed",
    ),
    Envelope(
        "docker",
        rf"^{DATE}T{CLOCK}\.(?P<fraction>[0-9]{{9}})(?P<zone>Z) ",
        "2026-03-14T02:07:29.110123456Z enqueue failed",
    ),
)
"""`docker logs -t` always writes nine digits; anything shorter may be the program's own stamp."""
KUBECTL_STAMPED = Envelope(
    "kubectl-timestamps", rf"^{_UTC} ", "2026-03-14T02:07:29.110123456Z enqueue failed"
)
"""`kubectl logs --timestamps` of one container: for who asked for it, never guessed."""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """One line out of its envelope, or a bare line that stood in none."""

    offset: int
    text: str
    actor: str = ""
    stamp: dict[str, str | None] | None = None
    """The named groups of the runtime's stamp."""
    stream: str = ""
    whole: bool = True


def decide_envelope(lines: Sequence[str]) -> Envelope | None:
    """The envelope that nearly all sampled lines stand in."""
    if not lines:
        return None
    needed = BELIEVED_SHARE * len(lines)
    if lines[0].startswith("{"):
        return DOCKER_JSON if sum(map(_is_docker_json, lines)) >= needed else None
    for envelope in ENVELOPES:
        matches = [found for line in lines if (found := envelope.compiled.match(line))]
        if len(matches) >= needed and not any(map(_names_a_level, matches)):
            return envelope
    return None


def _names_a_level(match: re.Match[str]) -> bool:
    """`ERROR | disk full` is a log of its own kind and no container called ERROR."""
    return severity_of(match.groupdict().get("actor")) > 0


def unwrap(line: str, envelope: Envelope, offset: int = 0) -> Wrapped:
    """The line without its envelope."""
    if not envelope.pattern:
        return _from_docker_json(line, offset)
    match = envelope.compiled.match(line)
    if match is None:
        return Wrapped(offset, line)
    groups = match.groupdict()
    return Wrapped(
        offset,
        line[match.end() :],
        groups.get("actor") or "",
        groups if groups.get("year") else None,
        groups.get("stream") or "",
        groups.get("tag") != "P",
    )


def unwrap_all(lines: Iterable[tuple[int, str]], envelope: Envelope) -> Iterator[Wrapped]:
    """The lines of a stretch, with the parts of a line that the runtime split put together."""
    held: Wrapped | None = None
    for offset, line in lines:
        part = unwrap(line, envelope, offset)
        if held is not None and not held.whole and _same_writer(held, part):
            text, stamp = held.text + part.text, held.stamp
            held = Wrapped(held.offset, text, held.actor, stamp, held.stream, part.whole)
            continue
        if held is not None:
            yield held
        held = part
    if held is not None:
        yield held


def _same_writer(one: Wrapped, other: Wrapped) -> bool:
    return (one.actor, one.stream) == (other.actor, other.stream)


def docker_fields(line: str) -> dict[str, str] | None:
    """`log`, `stream` and `time` of a line of docker's json-file; None for anything else."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict):
        return None
    names = ("log", "stream", "time")
    fields = {name: record.get(name) for name in names}
    return {name: str(fields[name]) for name in names} if _texts(fields) else None


def _texts(fields: dict[str, object]) -> bool:
    return all(isinstance(value, str) for value in fields.values())


def _is_docker_json(line: str) -> bool:
    if '"log"' not in line or '"stream"' not in line or docker_fields(line) is None:
        return False
    return set(json.loads(line)) <= _DOCKER_FIELDS


_DOCKER_TIME = re.compile(rf"^{_UTC}$")


def _from_docker_json(line: str, offset: int) -> Wrapped:
    fields = docker_fields(line)
    if fields is None:
        return Wrapped(offset, line)
    stamp = _DOCKER_TIME.match(fields["time"])
    text = fields["log"]
    return Wrapped(
        offset,
        text.removesuffix("\n").removesuffix("\r"),
        "",
        stamp.groupdict() if stamp else None,
        fields["stream"],
        text.endswith("\n"),
    )
