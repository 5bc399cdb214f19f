"""Ten ways to write a log line: as it stands in the file, and as the file connector reads it.

`Tongue.read` is what is left of a line once its stamp and its level are taken off; one tongue
writes levels that no reader knows, and keeps them in the text with a severity of 0. The test beside
holds every tongue against the connector's own parser.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.score.fourth_company.functional import HASKELL, OCAML
from tests.score.fourth_company.go_dotnet import SERILOG, SERILOG_MARKS, ZAP
from tests.score.fourth_company.node_python import BUNYAN, DJANGO, DJANGO_RQ, WINSTON
from tests.score.fourth_company.scala_java import AKKA, JUL
from tests.score.wording import Style
from timeline.clean import LINE_BREAK

Line = tuple[str, int]
"""Body and severity number."""
_WORDS = {5: "DEBUG", 9: "INFO", 13: "WARN", 17: "ERROR", 21: "FATAL"}
_PYTHON = {**_WORDS, 13: "WARNING", 21: "CRITICAL"}
_ITALIAN = {5: "BUONO", 9: "INFORMAZIONI", 13: "AVVERTENZA", 17: "GRAVE", 21: "GRAVE"}


@dataclass(frozen=True, slots=True)
class Tongue:
    """One way to write. `lead` is what a line has in front that is none of the framework's."""

    phrases: Style
    lead: str
    read: Callable[[str, int, str, str], Line]
    """What a reader makes of (words, severity, service, host)."""
    written: Callable[[str, str, int, str, str], str]
    """(stamp, words, severity, service, host) as it stands in the file."""
    stamp: str = "%Y-%m-%d %H:%M:%S.{ms:03}"


def _plain(words: str, severity: int, _service: str, _host: str) -> Line:
    return words, severity


def _with(form: str, levels: Mapping[int, str]) -> Callable[[str, str, int, str, str], str]:
    def written(stamp: str, words: str, severity: int, service: str, host: str) -> str:
        level = levels[severity]
        text = form.format(stamp=stamp, level=level, words=words, service=service, host=host)
        return text.replace(LINE_BREAK, "\n")

    return written


def _bunyan_read(words: str, severity: int, service: str, host: str) -> Line:
    return f"{service}/17 on {host}: {words}", severity


def _zap_written(stamp: str, words: str, severity: int, _service: str, _host: str) -> str:
    caller, _, rest = words.partition(" ")
    said = [caller, *([rest.replace(" {", "\t{", 1)] if rest else [])]
    return "\t".join((stamp, _WORDS[severity].lower(), *said))


def _jul_parts(words: str, severity: int) -> tuple[str, str]:
    where, broken, rest = words.partition(LINE_BREAK)
    if not broken or " " in where.replace(" ", "", 1) or not where.startswith(("it.", "org.")):
        where, rest = "it.bottega.Servizio esegui", words
    return where, f"{_ITALIAN[severity]}: {rest}"


def _jul_read(words: str, severity: int, _service: str, _host: str) -> Line:
    return LINE_BREAK.join(_jul_parts(words, severity)), 0


def _jul_written(stamp: str, words: str, severity: int, _service: str, _host: str) -> str:
    where, rest = _jul_parts(words, severity)
    return f"{stamp} {where}\n{rest}".replace(LINE_BREAK, "\n")


_ISO_Z = "%Y-%m-%dT%H:%M:%S.{ms:03}Z"
TONGUES: Mapping[str, Tongue] = {
    "winston": Tongue(
        WINSTON,
        "",
        _plain,
        _with("{stamp} {level}: {words}", {5: "debug", 9: "info", 13: "warn", 17: "error"}),
        _ISO_Z,
    ),
    "bunyan": Tongue(
        BUNYAN,
        "",
        _bunyan_read,
        _with("[{stamp}] {level:>5}: {service}/17 on {host}: {words}", _WORDS),
        _ISO_Z,
    ),
    "django": Tongue(
        DJANGO,
        "[{service}.jobs:57] ",
        _plain,
        _with("[{stamp}] {level} {words}", _PYTHON),
        "%Y-%m-%d %H:%M:%S,{ms:03}",
    ),
    "django-rq": Tongue(
        DJANGO_RQ,
        "[{service}.jobs:57] ",
        _plain,
        _with("[{stamp}] {level} {words}", _PYTHON),
        "%Y-%m-%d %H:%M:%S,{ms:03}",
    ),
    "akka": Tongue(
        AKKA,
        "[bottega-akka.actor.default-dispatcher-6] i.b.{service}.Main - ",
        _plain,
        _with("{stamp} {level:<5} {words}", _WORDS),
        "%Y-%m-%d %H:%M:%S,{ms:03}",
    ),
    "jul": Tongue(
        JUL, "it.bottega.{service}.Servizio esegui" + LINE_BREAK, _jul_read, _jul_written
    ),
    "ocaml": Tongue(OCAML, "[{service}] ", _plain, _with("{stamp} [{level}] {words}", _WORDS)),
    "haskell": Tongue(
        HASKELL, "[Kupiec.Main] ", _plain, _with("{stamp} {level} {words}", _WORDS), _ISO_Z
    ),
    "zap": Tongue(ZAP, "{service}/main.go:61 ", _plain, _zap_written, _ISO_Z),
    "serilog": Tongue(
        SERILOG,
        "",
        _plain,
        _with("{stamp} [{level}] {words}", SERILOG_MARKS),
        "%Y-%m-%d %H:%M:%S.{ms:03} +00:00",
    ),
}


def stamped(tongue: Tongue, nanoseconds: int) -> str:
    """The stamp as this tongue writes it, in UTC."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    written = datetime.fromtimestamp(seconds, UTC).strftime(tongue.stamp)
    return written.format(ms=rest // 1_000_000)
