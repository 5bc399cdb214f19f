"""Finds known errors in log bodies: one row per body, with class, outcome, peer and system.

Two steps, both in polars: one pass over all bodies keeps the few that can match, then all wordings
and codes are located in those in one Aho-Corasick pass and weighed against each other. A text that
is logged again and again is weighed once. What is searched is in ASCII by then, and so are the
regexes.
Bodies are one event each; lines of a stack trace are joined by U+240A.

The weighing, first difference decides: a wording that names one failure over an umbrella
(`Evidence.UMBRELLA`); the innermost cause of a wrapped error; codes over exception classes over
texts; the hit that ends last; the longer hit. The phase comes from the outermost wrapping.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from timeline.clean import LINE_BREAK
from timeline.errors import anchors, context, peers
from timeline.errors.kinds import ErrorClass, Evidence, Outcome, Phase
from timeline.errors.translations import SURROUNDINGS, TRANSLATIONS
from timeline.plain_texts import ascii_form
from timeline.shares import shared_out

ERROR_CLASS = pl.Enum([member.value for member in ErrorClass])
OUTCOME = pl.Enum([member.value for member in Outcome])
PHASE = pl.Enum([member.value for member in Phase])

MATCH_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,  # index into the bodies that were searched
    "error_class": ERROR_CLASS,
    "outcome": OUTCOME,
    "phase": PHASE,
    "fragment": pl.String,  # the table's text that decided
    "peer": pl.String,  # host:port, host, or null
    "errno": pl.Int32,  # Linux or Windows number; getaddrinfo codes are negative
    "sqlstate": pl.String,
    "system": pl.String,  # redis, postgresql, …, or null
}

_NOTHING_SENT = [
    ErrorClass.REFUSED,
    ErrorClass.CONNECT_TIMEOUT,
    ErrorClass.DNS,
    ErrorClass.TLS,
    ErrorClass.UNREACHABLE,
    ErrorClass.POOL,
]
"""Classes that, when not executed, failed while a connection was being made."""

MOST_WORDINGS = 64
"""Choices of wordings for a peer that are kept; one night's looks have few."""

_WORD = r"^[A-Za-z0-9_]$"
_CLAUSE_END = r"^[\"'\])},;|\n]"


@dataclass(frozen=True, slots=True)
class ErrorMatch:
    """What one line says; fields as in MATCH_SCHEMA."""

    error_class: ErrorClass
    outcome: Outcome
    phase: Phase
    fragment: str
    peer: str | None
    errno: int | None
    sqlstate: str | None
    system: str | None


def match_errors(bodies: pl.Series, *, severities: pl.Series | None = None) -> pl.DataFrame:
    """Match every body against the error table; rows of MATCH_SCHEMA, ascending by `row`.

    `severities` are OpenTelemetry severity numbers, one per body; 0 or null means unspecified.
    A body that is null or matches nothing has no row.
    """
    candidates = _candidates(bodies, severities)
    if candidates.is_empty():
        return pl.DataFrame(schema=MATCH_SCHEMA)
    texts = candidates.group_by("body", "severe", maintain_order=True).agg("row")
    matched = _matched(texts.drop("row").with_row_index("row"))
    repeated = texts.get_column("row").gather(matched.get_column("row"))
    return matched.with_columns(repeated).explode("row").sort("row")


def _matched(texts: pl.DataFrame) -> pl.DataFrame:
    """MATCH_SCHEMA of different texts: columns row, severe, body."""
    plain = _in_ascii(texts)
    hits = _credible(_located(plain))
    if hits.is_empty():
        return pl.DataFrame(schema=MATCH_SCHEMA)
    decided = _decided(_with_depth(hits, plain))
    return _with_peer(_with_phase(decided)).select(
        pl.col(name).cast(dtype) for name, dtype in MATCH_SCHEMA.items()
    )


def match_one(body: str, severity_number: int = 0) -> ErrorMatch | None:
    """Match one event, such as a pasted alert, line breaks included; None when it is no error."""
    found = match_errors(pl.Series([body]), severities=pl.Series([severity_number], dtype=pl.UInt8))
    if found.is_empty():
        return None
    record = found.row(0, named=True)
    return ErrorMatch(
        error_class=ErrorClass(record["error_class"]),
        outcome=Outcome(record["outcome"]),
        phase=Phase(record["phase"]),
        fragment=record["fragment"],
        peer=record["peer"],
        errno=record["errno"],
        sqlstate=record["sqlstate"],
        system=record["system"],
    )


def _candidates(bodies: pl.Series, severities: pl.Series | None) -> pl.DataFrame:
    """The bodies that hold any text of the table: columns row, severe (at least WARN), body."""
    holds = pl.col("body").str.contains_any(anchors.ends(), ascii_case_insensitive=True)
    held = shared_out(bodies.to_frame("body"), holds).to_series()
    rows = held.fill_null(value=False).arg_true()
    frame = pl.DataFrame({"row": rows, "body": bodies.gather(rows)})
    if severities is None:
        return frame.with_columns(severe=pl.lit(value=False))
    severe = severities.gather(rows).fill_null(0) >= context.WARN
    return frame.with_columns(severe.alias("severe"))


def _in_ascii(texts: pl.DataFrame) -> pl.DataFrame:
    """`texts` with a `body` in ASCII, so that a byte offset is a character offset.

    Line breaks and tabs, also those that were logged escaped (`\\n` in JSON text, where the letter
    n would stand in front of the next word), become real ones; translated wordings become English;
    every other character becomes a question mark.
    """
    breaks = {LINE_BREAK: "\n", r"\r\n": "\n", r"\n": "\n", r"\t": "\t", "\u2409": "\t"}
    return texts.with_columns(
        pl.col("body")
        .str.replace_many(breaks | TRANSLATIONS | SURROUNDINGS, leftmost=True)
        .str.replace_all(r"[^\x00-\x7f]", "?")
    )


def _located(candidates: pl.DataFrame) -> pl.DataFrame:
    """Every place where the anchor of a fragment occurs: one row per (place, fragment)."""
    sought = anchors.possible(candidates.get_column("body"))
    many = pl.col("body").str
    return (
        candidates.with_columns(
            start=many.find_many(sought, ascii_case_insensitive=True, overlapping=True),
            found=many.extract_many(sought, ascii_case_insensitive=True, overlapping=True),
        )
        .explode("start", "found")
        .drop_nulls("start")
        .with_columns(anchor=pl.col("found").str.to_lowercase())
        .join(anchors.table(), on="anchor")
        .with_columns(end=pl.col("start") + pl.col("found").str.len_bytes())
        .with_columns(
            before=_text_before(1),
            after=pl.col("body").str.slice(pl.col("end"), 1),
        )
    )


def _text_before(chars: int) -> pl.Expr:
    """Up to `chars` characters in front of the hit; "" at the start of the body."""
    length = pl.min_horizontal(pl.col("start"), chars)
    return pl.col("body").str.slice(pl.col("start") - length, length)


def _credible(located: pl.DataFrame) -> pl.DataFrame:
    """Hits at word boundaries, in the right capitals, complete, and reported, not mentioned."""
    bounded = located.filter(
        ~(pl.col("word_start") & pl.col("before").str.contains(_WORD)),
        ~(pl.col("word_end") & pl.col("after").str.contains(_WORD)),
        ~pl.col("exact_case") | (pl.col("found") == pl.col("exact_anchor")),
        ~pl.col("at_end") | (pl.col("after") == "") | pl.col("after").str.contains(_CLAUSE_END),
    )
    whole = _complete(bounded)
    shapely = pl.col("body").str.replace_all(ascii_form(context.EMPTY_ERROR_FIELD), "")
    vouched = whole.with_columns(
        vouched=pl.when("severe")
        .then(pl.lit(value=True))
        .otherwise(shapely.str.contains(ascii_form(context.EXCEPTION_SHAPE)))
    )
    return vouched.filter(pl.col("vouched") | (~pl.col("weak") & ~_mentioned()))


def _mentioned() -> pl.Expr:
    """Whether the text around a hit talks about the error instead of reporting it."""
    after = pl.col("body").str.slice(pl.col("end"), context.MENTION_CHARS)
    return _text_before(context.MENTION_CHARS).str.contains(
        ascii_form(context.MENTION_BEFORE)
    ) | after.str.contains(ascii_form(context.MENTION_AFTER))


def _complete(hits: pl.DataFrame) -> pl.DataFrame:
    """Drop hits of fragments with a gap whose other parts are not on the same line."""
    gapped = hits.filter(pl.col("gap_pattern").is_not_null())
    if gapped.is_empty():
        return hits
    kept = [hits.filter(pl.col("gap_pattern").is_null())]
    for (pattern,), part in gapped.group_by("gap_pattern"):
        kept.append(part.filter(pl.col("body").str.contains(ascii_form(str(pattern)))))
    return pl.concat(kept)


def _with_depth(hits: pl.DataFrame, candidates: pl.DataFrame) -> pl.DataFrame:
    """Add how far out (`outer`, Python chains) and how far in (`inner`) each hit stands."""
    numbered = hits.with_row_index("hit")
    bodies = candidates.select("row", "body").join(hits.select("row").unique(), on="row")
    outer, inner = _marks(bodies, context.PYTHON_CHAIN), _marks(bodies, context.CAUSE_CHAIN)
    if outer.is_empty() and inner.is_empty():
        return numbered.with_columns(
            pl.lit(0, pl.UInt32).alias(name) for name in ("outer", "inner", "chain")
        )
    return (
        numbered.join(_marks_before(numbered, outer, "outer"), on="hit", how="left")
        .join(
            _marks_before(numbered, inner, "inner"),
            on="hit",
            how="left",
        )
        .join(outer.group_by("row").len("chain"), on="row", how="left")
        .with_columns(pl.col("outer", "inner", "chain").fill_null(0))
    )


def _marks(bodies: pl.DataFrame, literals: tuple[str, ...]) -> pl.DataFrame:
    found = pl.col("body").str.find_many(list(literals), leftmost=True)
    return bodies.select("row", mark=found).explode("mark").drop_nulls()


def _marks_before(hits: pl.DataFrame, marks: pl.DataFrame, name: str) -> pl.DataFrame:
    pairs = hits.select("hit", "row", "start").join(marks, on="row")
    return pairs.filter(pl.col("mark") < pl.col("start")).group_by("hit").len(name)


def _decided(hits: pl.DataFrame) -> pl.DataFrame:
    """One hit per body, chosen as the module docstring says, with the body's first codes.

    A lookup that found nothing while something else failed later in a Python chain was expected
    and handled (`get_or_create`): it stands behind everything else.
    """
    handled_miss = (pl.col("error_class") == ErrorClass.NOT_FOUND) & (
        pl.col("outer") < pl.col("chain")
    )
    ranked = hits.with_columns(
        last_resort=handled_miss | (pl.col("evidence") == Evidence.UMBRELLA),
        length=pl.col("text").str.len_bytes(),
    ).sort(
        "row", "last_resort", "outer", "inner", "evidence", "end", "length", "text",
        descending=[False, False, False, True, True, True, True, False],
    )  # fmt: skip
    return ranked.group_by("row", maintain_order=True).agg(
        pl.col("body", "start", "error_class", "outcome", "text").first(),
        pl.col("errno", "sqlstate").drop_nulls().first(),
        pl.col("system").filter(~pl.col("neutral")).first(),
    )


def _with_phase(decided: pl.DataFrame) -> pl.DataFrame:
    """Add the phase and let it settle class and outcome.

    Nothing was sent while connecting, so an ambiguous transport failure there was not executed.
    A broken connection with COMMIT in flight is ambiguous whatever else is known (SQLSTATE 08007
    exists for this). Server answers (rolled back, executed) are not touched by the phase.
    """
    outermost = pl.col("body").str.replace(context.AFTER_PYTHON_CHAIN, "")
    phased = decided.with_columns(
        phase=pl.coalesce(_phase_in(outermost), _phase_in(pl.col("body")), pl.lit(Phase.UNKNOWN))
    )
    kind, outcome, phase = pl.col("error_class"), pl.col("outcome"), pl.col("phase")
    timeouts = [ErrorClass.CONNECT_TIMEOUT, ErrorClass.READ_TIMEOUT]
    broken = [ErrorClass.RESET, ErrorClass.CLOSED]
    unsettled = (outcome == Outcome.AMBIGUOUS) & kind.is_in([*timeouts, *broken, ErrorClass.TLS])
    connecting, timed_out = phase == Phase.CONNECT, unsettled & kind.is_in(timeouts)
    before_any_byte = (outcome == Outcome.NOT_EXECUTED) & kind.is_in(_NOTHING_SENT)
    in_commit = (phase == Phase.COMMIT) & kind.is_in(broken)
    return phased.with_columns(
        error_class=pl.when(timed_out & connecting)
        .then(pl.lit(ErrorClass.CONNECT_TIMEOUT))
        .when(timed_out & (phase != Phase.UNKNOWN))
        .then(pl.lit(ErrorClass.READ_TIMEOUT))
        .otherwise(kind),
        outcome=pl.when(unsettled & connecting)
        .then(pl.lit(Outcome.NOT_EXECUTED))
        .when(in_commit)
        .then(pl.lit(Outcome.AMBIGUOUS))
        .otherwise(outcome),
        phase=pl.when(before_any_byte).then(pl.lit(Phase.CONNECT)).otherwise(phase),
    )


def _phase_in(text: pl.Expr) -> pl.Expr:
    """COMMIT if it is named at all; else connecting or requesting, whichever is outermost."""
    connecting, requesting = (
        text.str.find(ascii_form(one)) for one in (context.CONNECTING, context.REQUESTING)
    )
    return (
        pl.when(text.str.contains(ascii_form(context.COMMITTING)))
        .then(pl.lit(Phase.COMMIT))
        .when(connecting.is_not_null() & (requesting.is_null() | (connecting < requesting)))
        .then(pl.lit(Phase.CONNECT))
        .when(requesting.is_not_null())
        .then(pl.lit(Phase.REQUEST))
    )


def _with_peer(matches: pl.DataFrame) -> pl.DataFrame:
    """Add `peer` and `system`, and name the winning text `fragment`."""
    named = matches.with_columns(peer=_named_peer(_fitting(matches.get_column("body"))))
    bare = _peer(peers.BARE_PEER_PATTERN)
    bare_host = pl.col("body").str.extract(ascii_form(peers.BARE_PEER_PATTERN), 1)
    is_file = bare_host.str.contains(ascii_form(peers.SOURCE_FILE_PATTERN))
    with_peer = named.with_columns(
        peer=pl.when(pl.col("peer").is_null() & ~is_file).then(bare).otherwise(pl.col("peer"))
    )
    port = pl.col("peer").str.extract(r":(\d+)$", 1).cast(pl.Int64, strict=False)
    by_port = port.replace_strict(peers.DEFAULT_PORTS, default=None, return_dtype=pl.String)
    own = pl.col("system")
    return (
        with_peer.join(_nearest_system_words(matches), on="row", how="left")
        .with_columns(
            system=pl.coalesce(
                pl.when(by_port != peers.HTTP).then(by_port),
                pl.when(own != peers.HTTP).then(own),
                pl.when(by_port.is_null()).then(pl.col("nearest")),
                by_port,
                own,
            )
        )
        .rename({"text": "fragment"})
    )


def _fitting(bodies: pl.Series) -> tuple[str, ...]:
    """The wordings of which a part stands in `bodies`: to read a regex costs more than to try it on
    some hundred texts."""
    if bodies.str.len_bytes().sum() > anchors.FEW_BYTES:
        return peers.PEER_PATTERNS
    text = "\n".join(bodies.to_list()).lower()
    both = zip(peers.PEER_PATTERNS, peers.PEER_MARKS, strict=True)
    return tuple(pattern for pattern, marks in both if any(mark in text for mark in marks))


@lru_cache(MOST_WORDINGS)
def _named_peer(patterns: tuple[str, ...]) -> pl.Expr:
    """The peer by the first wording that names one; kept, since all its regexes are read."""
    found = pl.coalesce(*(_peer(pattern) for pattern in patterns), pl.lit(None, pl.String))
    return found.str.replace_all(",", ".", literal=True)  # Erlang's {10,0,0,7}


def _peer(pattern: str) -> pl.Expr:
    groups = pl.col("body").str.extract_groups(ascii_form(pattern))
    host, port = groups.struct[0], groups.struct[1]
    return pl.when(port.is_not_null() & (port != "")).then(host + ":" + port).otherwise(host)


def _nearest_system_words(matches: pl.DataFrame) -> pl.DataFrame:
    words = list(peers.SYSTEM_WORDS)
    many = pl.col("body").str
    return (
        matches.select(
            "row",
            "start",
            at=many.find_many(words, ascii_case_insensitive=True),
            word=many.extract_many(words, ascii_case_insensitive=True),
        )
        .explode("at", "word")
        .drop_nulls("at")
        .select(
            "row",
            distance=(pl.col("at").cast(pl.Int64) - pl.col("start").cast(pl.Int64)).abs(),
            nearest=pl.col("word").str.to_lowercase().replace_strict(peers.SYSTEM_WORDS),
        )
        .sort("row", "distance", "nearest")
        .unique("row", keep="first", maintain_order=True)
        .drop("distance")
    )
