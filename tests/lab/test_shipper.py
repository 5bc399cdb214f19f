"""The shipper's reading of the three log styles; sending is proven by the live stories."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from tests.lab.shipper import Document, Shipper

WEB = {"@timestamp": "2026-03-14T02:07:29.117Z", "log": {"level": "error"}, "message": "no"}
MAILER = (
    "2026-03-14 02:07:29.300 ERROR mailer[worker-2] job 8f2c: exception raised\n"
    "Traceback (most recent call last):\n"
    "shop.jobs.DoesNotExist: User 4711 does not exist\n"
)
INVENTORY = 'ts=2026-03-14T02:07:29.900Z level=error svc=inventory host=inventory-1 msg="no"\n'


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Document]:
    """Everything that would have been posted, decoded."""
    documents: list[Document] = []

    def post(client: httpx.Client, url: str, **given: object) -> httpx.Response:
        lines = str(given.get("content", "")).splitlines()
        documents.extend(json.loads(line) for line in lines[1::2])
        request = httpx.Request("POST", f"http://stub{url}")
        return httpx.Response(200, json={"errors": False}, request=request)

    monkeypatch.setattr(httpx.Client, "post", post)
    return documents


def shipped(folder: Path) -> None:
    with Shipper(folder, "http://stub", "shop") as shipper:
        shipper.flush()


def test_a_json_line_travels_as_the_object_it_is(tmp_path: Path, sent: list[Document]) -> None:
    (tmp_path / "web.web-1.log").write_text(json.dumps(WEB) + "\n")
    shipped(tmp_path)
    place = {"file": {"path": "/var/log/shop/web.web-1.log"}, "offset": 0}
    assert sent == [{**WEB, "log": {"level": "error", **place}}]


def test_a_stack_trace_belongs_to_the_line_before_it(tmp_path: Path, sent: list[Document]) -> None:
    (tmp_path / "mailer.worker-2.log").write_text(MAILER + MAILER)
    shipped(tmp_path)
    assert len(sent) == 2
    assert sent[0]["@timestamp"] == "2026-03-14T02:07:29.300Z"
    assert sent[0]["host"] == {"name": "worker-2"}
    assert str(sent[0]["message"]).endswith("User 4711 does not exist")
    assert sent[1]["log"] == {
        "level": "error",
        "file": {"path": "/var/log/shop/mailer.worker-2.log"},
        "offset": len(MAILER),
    }


def test_a_logfmt_line_keeps_its_text(tmp_path: Path, sent: list[Document]) -> None:
    (tmp_path / "inventory.inventory-1.log").write_text(INVENTORY)
    shipped(tmp_path)
    assert sent[0]["message"] == INVENTORY.rstrip("\n")
    assert sent[0]["service"] == {"name": "inventory"}


def test_half_a_line_waits_for_its_other_half(tmp_path: Path, sent: list[Document]) -> None:
    path = tmp_path / "inventory.inventory-1.log"
    path.write_text(INVENTORY + INVENTORY[:30])
    shipped(tmp_path)
    assert len(sent) == 1


def test_a_line_of_an_unknown_format_is_said_and_not_dropped(
    tmp_path: Path, sent: list[Document]
) -> None:
    (tmp_path / "web.web-1.log").write_text("panic: out of memory\n")
    with pytest.raises(ValueError, match=r"web\.web-1\.log@0 begins with a line in no known"):
        shipped(tmp_path)
    assert sent == []
