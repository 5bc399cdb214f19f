"""What is looked for before a peer's wording is tried stands in all that the wording fits."""

from __future__ import annotations

import polars as pl
import pytest

from timeline.errors.matcher import match_errors
from timeline.errors.peers import PEER_MARKS, PEER_PATTERNS

ENDS = (
    "peer",
    "addr",
    "address",
    "upstream",
    "upstream_host",
    "upstream_addr",
    "endpoint",
    "broker",
    "target",
    "server",
    "remote",
    "node",
    "dest",
    "destination",
)
WORDINGS: tuple[tuple[str, ...], ...] = (
    ("host='db1', port=5432", "host='db1', port='6379"),
    ('connection to server at "db1" (10.0.0.7), port 5432 failed',),
    ('upstream: "http://app1:8080/x"', 'upstream: "app1/x"'),
    ("read tcp 10.0.0.1:5000->10.0.0.2:6379: i/o", "write tcp6 [::1]:5->[::1]:6379: broken"),
    ("dial tcp 10.0.0.7:5432: connect", "dial tcp6 db1:5432: connect"),
    ("lookup db1: no such host", "lookup db1 on 10.0.0.2:53: no such host"),
    (
        "Connecting to db1:5432",
        "connection to db1:5432",
        "Can't connect to db1:5432",
        "refused: no further information: db1/10.0.0.7:5432",
        "Connection refused:db1:5432",
        "Error connecting from Redis (db1:6379",
        "Connect(db1:6379",
        "Cannot connect to host db1:443",
        "error on Redis on db1:6379",
        "Error while reading from db1:6379",
        "Connection to node -1 (db1:9092",
        "tcp connect (db1:5432",
        "failed to connect to all addresses: ipv4:10.0.0.7:443",
        "connection on db1:6379",
    ),
    ("connect ECONNREFUSED 10.0.0.7:5432",),
    ("Connect call failed ('10.0.0.7', 5432",),
    ("Multiple exceptions: [Errno 111] ('::1', 5432",),
    ('connect(2) for "db1" port 5432',),
    ("Failed to connect to db1 port 443", "connect to db1 port 443"),
    ("db1:443 failed to respond",),
    ("connection timed out: db1/10.0.0.7:6379",),
    ("server on 'db1'", "server at 'db1'", "server host 'db1'"),
    ("getaddrinfo ENOTFOUND db1", "getaddrinfo EAI_AGAIN db1:5432", "getaddrinfo for db1"),
    (
        "Could not resolve host: db1",
        "java.net.UnknownHostException: db1",
        'host not found in upstream "db1"',
        "Unknown MySQL server host 'db1",
    ),
    ("redis://:x@db1:6379", "amqps://db1:5671", "postgresql://u:x@db1:5432"),
    ('Get "http://app1:8080', "url=https://app1:443", "POST https://app1:8443"),
    ("Can't reach database server at `db1`:`5432`",),
    ("ipv4#10.0.0.7:443", "ipv6#app1:443"),
    ("{to_address,{10,0,0,7},5432} to_address, {~c'db1', 5432}",),
    ("{10,0,0,7}, 5432",),
    ("(HOST = db1)(PORT = 1521)",),
    ("refused (db1:5432)", "timed out (db1:5432)", "Name resolution (db1:5432)"),
    ("server.address=db1, server.port=5432", 'net.peer.name: "db1", net.peer.port: 5432'),
    tuple(f"{name}=db1:5432" for name in ENDS),
    ("host=db1 port=5432", '"host": "db1", "port": 5432'),
    ('host name "db1', "Failed to resolve 'db1:443", "TCP connection to db1:5432"),
)


@pytest.mark.parametrize("place", range(len(PEER_PATTERNS)))
def test_each_wording_holds_one_of_its_marks(place: int) -> None:
    pattern, marks = PEER_PATTERNS[place], PEER_MARKS[place]
    for text in WORDINGS[place]:
        assert pl.Series([text]).str.contains(pattern).item(), text
        assert any(mark in text.lower() for mark in marks), text


def test_there_are_marks_for_every_wording() -> None:
    assert len(PEER_MARKS) == len(PEER_PATTERNS) == len(WORDINGS)
    assert all(mark == mark.lower() and mark for marks in PEER_MARKS for mark in marks)


def test_a_peer_is_the_same_alone_and_among_many() -> None:
    lines = [f"ERROR Connection refused, {text}" for texts in WORDINGS for text in texts]
    severe = pl.Series([17], dtype=pl.UInt8)
    alone = [match_errors(pl.Series([line]), severities=severe) for line in lines]
    together = match_errors(pl.Series(lines), severities=severe.new_from_index(0, len(lines)))
    found = dict(together.select("row", "peer").iter_rows())
    for row, (line, one) in enumerate(zip(lines, alone, strict=True)):
        assert one.get_column("peer").to_list() == [found[row]], line
    assert sum(peer is not None for peer in found.values()) > len(PEER_PATTERNS)
