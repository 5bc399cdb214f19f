"""Ships log files to Elasticsearch, as log shippers do: tails them and sends bulks once a second.

JSON lines travel as the objects they are; of text lines only stamp, level and host are taken out.
A line that does not begin with a stamp belongs to the event before it.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

EVERY_S = 1.0
"""How often a shipper looks and sends; the newest second of every log is therefore missing."""
TEXT_LINE = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d) (?P<time>\d\d:\d\d:\d\d\.\d{3}) (?P<level>[A-Z]+) "
    r"(?P<service>\w+)\[(?P<host>[\w-]+)\] (?P<message>.*)"
)
LOGFMT_LINE = re.compile(
    r"ts=(?P<stamp>\S+) level=(?P<level>\w+) svc=(?P<service>\w+) host=(?P<host>\S+) "
)

Document = dict[str, object]


class Shipper:
    """Ships every `*.log` of a folder to one index while its block lasts."""

    def __init__(self, folder: Path, url: str, index: str) -> None:
        self._folder = folder
        self._index = index
        self._client = httpx.Client(base_url=url, timeout=60)
        self._offsets: dict[Path, int] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="shipper", daemon=True)
        self.shipped = 0
        self.failure: Exception | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopping.set()
        self._thread.join()
        self._client.close()

    def flush(self) -> None:
        """Send what is left and make it searchable; for the end of a story only."""
        self._stopping.set()
        self._thread.join()
        self._ship(everything=True)
        self._client.post(f"/{self._index}/_refresh").raise_for_status()

    def _run(self) -> None:
        while not self._stopping.wait(EVERY_S):
            try:
                self._ship(everything=False)
            except httpx.HTTPError as error:  # sent again with the next round
                self.failure = error

    def _ship(self, *, everything: bool) -> None:
        for path in sorted(self._folder.glob("*.log")):
            documents, reached = self._unread(path, everything=everything)
            if documents:
                self._send(documents)
                self.shipped += len(documents)
            self._offsets[path] = reached

    def _unread(self, path: Path, *, everything: bool) -> tuple[list[Document], int]:
        """Complete events since the last look, and the offset behind them."""
        offset = self._offsets.get(path, 0)
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read()
        complete = data[: data.rfind(b"\n") + 1]
        events = list(_events(complete))
        if events and not everything and not path.name.startswith("web."):
            events.pop()  # more lines of it may follow
        documents = []
        for event in events:
            documents.append(_document(event.decode(errors="replace"), path.name, offset))
            offset += len(event)
        return documents, offset

    def _send(self, documents: list[Document]) -> None:
        lines = "".join(f'{{"create":{{}}}}\n{json.dumps(document)}\n' for document in documents)
        answer = self._client.post(
            f"/{self._index}/_bulk",
            content=lines,
            headers={"Content-Type": "application/x-ndjson"},
        )
        answer.raise_for_status()
        if answer.json()["errors"]:
            raise RuntimeError(f"a document was refused: {answer.text[:500]}")


def _events(data: bytes) -> Iterator[bytes]:
    """Lines, with those that continue a text event joined to it."""
    event = b""
    for line in data.splitlines(keepends=True):
        begins = (
            line[:1] == b"{" or line[:3] == b"ts=" or TEXT_LINE.match(line.decode(errors="replace"))
        )
        if begins and event:
            yield event
            event = b""
        event += line
    if event:
        yield event


def _document(event: str, file: str, offset: int) -> Document:
    text = event.rstrip("\n")
    place: Document = {"file": {"path": f"/var/log/shop/{file}"}, "offset": offset}
    if text.startswith("{"):
        document: Document = json.loads(text)
        log = document.get("log")
        return {**document, "log": {**(log if isinstance(log, dict) else {}), **place}}
    if (match := LOGFMT_LINE.match(text)) is not None:
        stamp, message = match["stamp"], text
    elif (match := TEXT_LINE.match(text)) is not None:
        stamp = f"{match['day']}T{match['time']}Z"
        message = match["message"] + text[match.end() :]
    else:
        raise ValueError(f"{file}@{offset} begins with a line in no known format: {text[:80]!r}")
    return {
        "@timestamp": stamp,
        "log": {"level": match["level"].lower(), **place},
        "service": {"name": match["service"]},
        "host": {"name": match["host"]},
        "message": message,
    }
