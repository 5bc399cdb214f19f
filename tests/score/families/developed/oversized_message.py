"""A customer whose lists have grown meets the size that somebody once wrote down as "enough".

Uploads below it pass all night, those above it are turned away: by a gRPC channel's 4 MiB, by
MariaDB's max_allowed_packet, by a proxy's body size or by Tomcat's header limit.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.third_company.acts import close
from tests.score.third_company.house import Watch, move_in, request_names, watch
from tests.score.truth import Entity, Truth
from tests.score.world import PIN_S, World
from timeline.event import SEVERITY_ERROR

LIMITS = {"grpc": 4_194_304, "packet": 16_777_216, "proxy": 1_048_576, "header": 8_192}
"""Bytes: gRPC's default, MariaDB's default, nginx's default, Tomcat's default."""
AT_THE_DOOR = {"proxy": ("POST", 413), "header": ("GET", 400)}
"""What never reaches the code: how it is asked for, and what it is answered."""
PACKET = (
    "Packet for query is too large ({size} > {limit}). You can change this value on the server by"
    " setting the 'max_allowed_packet' variable."
)
GRPC = {
    "log4j2": "io.grpc.StatusRuntimeException: RESOURCE_EXHAUSTED: gRPC message exceeds maximum"
    " size {limit}: {size}",
    "structlog": "grpc.aio.AioRpcError: status = StatusCode.RESOURCE_EXHAUSTED, details = 'Received"
    " message larger than max ({size} vs. {limit})'",
    "lograge": "GRPC::ResourceExhausted: 8:Received message larger than max ({size} vs. {limit})",
    "zerolog": "rpc error: code = ResourceExhausted desc = grpc: received message larger than max"
    " ({size} vs. {limit})",
    "logger": "{{grpc_error,8,<<Received message larger than max ({size} vs. {limit})>>}}",
    "spdlog": "grpc status 8: Received message larger than max ({size} vs. {limit})",
}


def prepare(world: World) -> None:
    move_in(world)


def inject(world: World) -> Truth:
    here = watch(world)
    rng = here.rng
    kinds = ["grpc", "proxy"]
    kinds += ["packet", "packet"] if here.house.server == "mariadb" else []
    kinds += ["header", "header"] if here.house.front.style_name == "log4j2" else []
    kind = rng.choice(kinds)
    limit = LIMITS[kind]
    at = rng.uniform(100, 200)
    while at < here.onset_s - 20:
        _upload(here, at, kind, int(limit * rng.uniform(0.15, 0.85)))
        at += rng.uniform(40, 160)
    hit: list[Entity] = []
    at = here.onset_s
    while at < PIN_S - 1 and len(hit) < 40:
        large = not hit or rng.random() < 0.7
        size = int(limit * (rng.uniform(1.02, 2.4) if large else rng.uniform(0.2, 0.9)))
        rid = _upload(here, at, kind, size)
        if large:
            hit.append(request_names(rid))
        at += rng.uniform(8, 60)
    close(here)
    return fault(here, "rejected-by-limit", at, hit, effect=len(hit) >= 4)


def _upload(here: Watch, at: float, kind: str, size: int) -> str:
    """One upload, which passes when it is small enough; its request id."""
    if kind in AT_THE_DOOR:
        return _at_the_door(here, at, kind, size)
    firm = here.house
    path = f"/{firm.table}/import"
    rid, host = here.begun(at, path=path)
    here.line(at + 0.01, firm.front, f"import received bytes={size} request_id={rid}", host=host)
    if size <= LIMITS[kind]:
        told = f"import stored rows={size // 210} request_id={rid}"
        here.line(at + 0.4, firm.front, told, host=host)
        here.answered(at + 0.45, rid, host, 202, 450, path=path)
        return rid
    words = GRPC[firm.front.style_name] if kind == "grpc" else PACKET
    error = words.format(size=size, limit=LIMITS[kind])
    if kind == "packet":
        error = here.error(firm.front, "sql", message=error)
    told_of = {"method": "POST", "path": path, "rid": rid, "error": error}
    here.say(at + 0.2, firm.front, "request_failed", told_of, host=host, severity=SEVERITY_ERROR)
    here.answered(at + 0.25, rid, host, 500, 250, path=path)
    return rid


def _at_the_door(here: Watch, at: float, kind: str, size: int) -> str:
    """The same where a proxy or the server's own parser decides: the code never sees it."""
    rng, firm = here.rng, here.house
    rid = here.request_id()
    verb, status = AT_THE_DOOR[kind]
    asked = f"{verb} /{firm.table}/import HTTP/1.1"
    if size <= LIMITS[kind]:
        status = 202
        told = f"import stored rows={1 + size // 210} request_id={rid}"
        here.line(at + 0.1, firm.front, told)
    elif kind == "proxy":
        words = (
            f"[error] 29#29: *{rng.randint(1000, 90_000)} client intended to send too large body:"
            f' {size} bytes, client: 10.60.2.8, server: upload.halle.example, request: "{asked}",'
            f" request_id={rid}"
        )
        here.aside(at + 0.02, "nginx", words, SEVERITY_ERROR)
    else:
        words = (
            "o.a.c.h.Http11Processor - Error parsing HTTP request header"
            "␊java.lang.IllegalArgumentException: Request header is too large"
        )
        here.line(at + 0.02, firm.front, words)
    took = "0.004" if status >= 400 else "0.131"
    access = f'10.60.2.8 "{asked}" {status} request_length={size} request_time={took}'
    here.aside(at + 0.14, "nginx", f"{access} request_id={rid}")
    return rid
