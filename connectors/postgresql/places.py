"""Where a PostgreSQL database may be named: variables and libpq's service file.

Only reads what `Place` holds and reaches nothing. A variable that holds a whole URL is proposed
as `${NAME}`, because a password may stand in it.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator
from pathlib import Path

from connectors.discovery import Candidate, Place

CONNECTOR = "postgresql"
SCHEME = re.compile(r"postgres(?:ql)?(?:\+[a-z0-9_]+)?://", re.IGNORECASE)
URL_NAME = re.compile(
    r"(?:[A-Z0-9_]+_)?(?:DATABASE|DB|POSTGRES|POSTGRESQL|PG)_(?:URL|URI|DSN)", re.IGNORECASE
)
"""Names under which frameworks and hosts hand a database to a process."""
MAX_SERVICES = 20


def candidates(place: Place) -> Iterator[Candidate]:
    """Databases that might be there, each found at one place. Secrets stay `${NAME}`."""
    for name, value in sorted(place.variables.items()):
        if URL_NAME.fullmatch(name) and SCHEME.match(value):
            options = {"dsn": f"${{{name}}}"}
            yield Candidate(CONNECTOR, _word(name), options, f"the variable {name}")
    yield from _libpq(place)
    yield from _services(place)


def _libpq(place: Place) -> Iterator[Candidate]:
    """libpq's own variables (PostgreSQL 15 manual, 34.15)."""
    variables = place.variables
    host = variables.get("PGHOST") or variables.get("PGHOSTADDR")
    if not host:
        return
    options: dict[str, object] = {"host": host}
    port = variables.get("PGPORT", "")
    if port.isascii() and port.isdigit():
        options["port"] = int(port)
    for option, name in (("dbname", "PGDATABASE"), ("user", "PGUSER")):
        if value := variables.get(name):
            options[option] = value
    if variables.get("PGPASSWORD"):
        options["password"] = "${PGPASSWORD}"  # noqa: S105  # the name of a variable
    yield Candidate(CONNECTOR, variables.get("PGDATABASE") or "db", options, "the variable PGHOST")


def _services(place: Place) -> Iterator[Candidate]:
    """Sections of pg_service.conf; libpq itself looks the rest up when it connects."""
    file = place.variables.get("PGSERVICEFILE")
    path = Path(file) if file else place.home / ".pg_service.conf"
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(place.text(path))
    except configparser.Error:
        return
    for name in parser.sections()[:MAX_SERVICES]:
        if re.fullmatch(r"[\w.-]+", name):
            yield Candidate(CONNECTOR, _word(name), {"dsn": f"service={name}"}, f"{path}, [{name}]")


def _word(name: str) -> str:
    """A short name of the source: `db` of DATABASE_URL, `billing` of BILLING_DATABASE_URL."""
    bare = re.sub(
        r"_?(?:DATABASE|DB|POSTGRES|POSTGRESQL|PG)_(?:URL|URI|DSN)$", "", name, flags=re.I
    )
    word = re.sub(r"[^a-z0-9-]+", "-", bare.lower()).strip("-")
    return word or "db"
