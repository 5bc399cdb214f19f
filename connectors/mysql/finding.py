"""Where a MySQL or MariaDB source may be configured already: the variables that name one."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from connectors.discovery import Candidate, Place
from connectors.mysql.options import SCHEMES

URL_VARIABLES = ("MYSQL_URL", "MARIADB_URL", "DATABASE_URL", "JAWSDB_URL", "CLEARDB_DATABASE_URL")
"""In order of trust: the first two are named after the system; the last are Heroku's add-ons."""
PREFIXES = ("MYSQL", "MARIADB")
"""`MYSQL_HOST`, `MYSQL_DATABASE`, …: the names that the official container images take."""


def candidates(place: Place) -> Iterator[Candidate]:
    """One candidate for each different database that the variables name."""
    seen: set[str] = set()
    for variable in URL_VARIABLES:
        value = place.variables.get(variable, "")
        if value and value not in seen and _names_a_database(value):
            seen.add(value)
            options = {"url": f"${{{variable}}}"}
            yield Candidate("mysql", "mysql", options, f"the variable {variable}")
    for prefix in PREFIXES:
        yield from _from_parts(place, prefix)


def _from_parts(place: Place, prefix: str) -> Iterator[Candidate]:
    variables = place.variables
    host, database = variables.get(f"{prefix}_HOST"), variables.get(f"{prefix}_DATABASE")
    if not host or not database:
        return
    options: dict[str, object] = {"host": host, "database": database}
    if user := variables.get(f"{prefix}_USER"):
        options["user"] = user
    if (port := variables.get(f"{prefix}_PORT", "")).isdigit():
        options["port"] = int(port)
    for name in (f"{prefix}_PASSWORD", f"{prefix}_PWD"):
        if variables.get(name):
            options["password"] = f"${{{name}}}"
            break
    yield Candidate("mysql", prefix.lower(), options, f"the variables {prefix}_HOST, …")


def _names_a_database(value: str) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in SCHEMES and bool(parts.hostname) and len(parts.path) > 1
    except ValueError:
        return False
