"""Services of a compose file that publish a port here, as the addresses a developer would use.

Each service becomes the variable that names such a server (`DATABASE_URL`), with `${NAME}` where a
password belongs, so that connectors need to know nothing of compose. Tolerant: what is not
understood is left out, and a service that cannot be reached from here is a note.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import yaml

FILES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
"""In the order in which `docker compose` looks; the first that exists is read."""
OVERRIDES = tuple(name.replace("compose.", "compose.override.") for name in FILES)
MOST_MEMBERS = 2_000
"""Members of one mapping after its merge keys; nested merges can double without end."""
HERE = "127.0.0.1"


@dataclass(frozen=True)
class ComposeService:
    """One service: variables as they would be set here, and the secrets they refer to."""

    name: str
    variables: Mapping[str, str]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class _Image:
    """How an image is addressed. `{user}`, `{password}` and `{database}` are its own variables."""

    names: tuple[str, ...]
    port: int
    variable: str
    scheme: str
    user: tuple[str, str] = ("", "")
    """Variable of the container, and what the image takes without it."""
    password: str = ""
    database: tuple[str, str] = ("", "")


IMAGES = (
    _Image(
        ("postgres", "postgresql", "postgis", "timescaledb", "timescaledb-ha", "pgvector"),
        5432,
        "DATABASE_URL",
        "postgresql",
        ("POSTGRES_USER", "postgres"),
        "POSTGRES_PASSWORD",
        ("POSTGRES_DB", "postgres"),
    ),
    _Image(
        ("mysql", "mariadb"),
        3306,
        "DATABASE_URL",
        "mysql",
        ("MYSQL_USER", "root"),
        "MYSQL_PASSWORD",
        ("MYSQL_DATABASE", ""),
    ),
    _Image(
        ("redis", "redis-stack", "redis-stack-server", "valkey", "keydb", "dragonfly"),
        6379,
        "REDIS_URL",
        "redis",
    ),
    _Image(("elasticsearch",), 9200, "ELASTICSEARCH_URL", "http"),
    _Image(("opensearch",), 9200, "OPENSEARCH_URL", "http"),
    _Image(("prometheus",), 9090, "PROMETHEUS_URL", "http"),
    _Image(("loki",), 3100, "LOKI_URL", "http"),
    _Image(
        ("rabbitmq",),
        15672,
        "RABBITMQ_URL",
        "http",
        ("RABBITMQ_DEFAULT_USER", "guest"),
        "RABBITMQ_DEFAULT_PASS",
    ),
)
"""The official images and the usual look-alikes, with their documented variables and ports."""


class TooLarge(yaml.YAMLError):
    """Merge keys multiply beyond what any compose file needs."""


class _Loader(yaml.SafeLoader):
    """Plain data only, and no mapping that merge keys have blown up."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        super().flatten_mapping(node)
        if len(node.value) > MOST_MEMBERS:
            raise TooLarge


def read_compose(
    text: str, override: str, variables: Mapping[str, str]
) -> tuple[list[ComposeService], list[str]]:
    """Services with an address, and notes about those without one.

    `variables` fill `${NAME}` in the file. Raises ValueError when it is not YAML.
    """
    services = _services(text)
    for name, more in _services(override).items():
        services[name] = _merged(services.get(name, {}), more)
    found: list[ComposeService] = []
    notes: list[str] = []
    for name, service in services.items():
        image = _image_of(_filled(_plain(service.get("image")), variables))
        if image is None:
            continue
        port = _published(service, image.port, variables)
        if port is None:
            notes.append(f"service {name} publishes no port, so it cannot be reached from here")
            continue
        found.append(_addressed(name, image, port, _environment(service), variables))
    return found, notes


def _services(text: str) -> dict[str, dict[str, object]]:
    try:
        data = yaml.load(text, Loader=_Loader)  # noqa: S506  # a SafeLoader: plain data only
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise ValueError(f"line {mark.line + 1}" if mark is not None else "its nesting") from None
    services = data.get("services") if isinstance(data, dict) else None
    if not isinstance(services, dict):
        return {}
    return {_plain(name): dict(one) for name, one in services.items() if isinstance(one, dict)}


def _merged(base: Mapping[str, object], more: Mapping[str, object]) -> dict[str, object]:
    """An override adds ports and variables and replaces the rest, as compose does."""
    merged = {**base, **more}
    merged["environment"] = {**_environment(base), **_environment(more)}
    merged["ports"] = [*_items(more.get("ports")), *_items(base.get("ports"))]
    return merged


def _image_of(image: str) -> _Image | None:
    """By the image's own name: `docker.io/library/postgres:16-alpine` is postgres."""
    bare = image.rpartition("/")[2].partition("@")[0].partition(":")[0].lower()
    return next((known for known in IMAGES if bare in known.names), None)


def _addressed(
    service: str,
    image: _Image,
    port: int,
    environment: Mapping[str, str],
    variables: Mapping[str, str],
) -> ComposeService:
    user = _filled(environment.get(image.user[0], image.user[1]), variables)
    database = _filled(environment.get(image.database[0], image.database[1]), variables)
    # quoted, so that neither can lead the address to another host
    login, secrets = quote(user, safe=""), {}
    if written := environment.get(image.password, ""):
        name, value = _reference(service, image.password, written, variables)
        login, secrets = f"{login}:${{{name}}}", {name: value}
    if image.database[1] and image.database[0] not in environment and user:
        database = user  # the image names the database after its user
    at = f"{login}@" if login else ""
    address = f"{image.scheme}://{at}{HERE}:{port}" + (
        f"/{quote(database, safe='')}" if database else ""
    )
    return ComposeService(service, {image.variable: address}, secrets)


def _reference(
    service: str, variable: str, written: str, variables: Mapping[str, str]
) -> tuple[str, str]:
    """The variable to take a password from, and its value: the file's own reference, else ours."""
    whole = _VARIABLE.fullmatch(written)
    if whole is not None:
        return whole.group("name") or whole.group("plain"), _filled(written, variables)
    prefix = re.sub(r"\W", "_", service).upper()
    return f"{prefix}_{variable}", _filled(written, variables)


def _environment(service: Mapping[str, object]) -> dict[str, str]:
    """Both spellings: a mapping, or a list of `NAME=value`."""
    given = service.get("environment")
    if isinstance(given, dict):
        return {_plain(name): _plain(value) for name, value in given.items() if value is not None}
    pairs = (_plain(item).partition("=") for item in _items(given))
    return {name: value for name, equals, value in pairs if equals}


def _published(
    service: Mapping[str, object], port: int, variables: Mapping[str, str]
) -> int | None:
    """The port of this machine that leads to `port` of the container."""
    for target, published in _ports(service, variables):
        if target == port:
            return published
    return None


def _ports(
    service: Mapping[str, object], variables: Mapping[str, str]
) -> Iterator[tuple[int, int]]:
    """(port of the container, port of this machine) of every mapping with one port on each side."""
    for item in _items(service.get("ports")):
        if isinstance(item, dict):
            target, published = _plain(item.get("target")), _plain(item.get("published"))
        else:
            published, _, target = (
                _filled(_plain(item), variables).partition("/")[0].rpartition(":")
            )
            published = published.rpartition(":")[2]
        published = _filled(published, variables)
        if target.isdigit() and published.isdigit():
            yield int(target), int(published)


def _plain(value: object) -> str:
    """A single value as text. Of a list nothing: aliases can make its text endless."""
    return str(value) if isinstance(value, (str, int, float)) else ""


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []


_VARIABLE = re.compile(
    r"\$(?:\{(?P<name>\w+)(?::?-(?P<default>[^}]*)|:?[?+][^}]*)?\}|(?P<plain>[A-Za-z_]\w*))"
)


def _filled(text: str, variables: Mapping[str, str]) -> str:
    """`text` with `$NAME`, `${NAME}` and `${NAME:-default}` replaced as compose does."""

    def value(match: re.Match[str]) -> str:
        name = match.group("name") or match.group("plain")
        return variables.get(name) or match.group("default") or ""

    return _VARIABLE.sub(value, text)
