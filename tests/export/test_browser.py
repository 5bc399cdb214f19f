"""The page in a real browser: it asks for nothing, its filters filter, it prints whole.

Chromium opens the files from disk. Every host name that a page could name leads to a listener on
loopback, so that an attempt to fetch anything would be seen; the first test shows that it is.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.export.drawn import ALLOWED
from tests.export.goldens import STORIES, exported
from tests.export.test_formats_hostile import TEXTS
from tests.export.test_injection import rendered
from tests.export.test_markup import BREAKING
from tests.servers.chromium import Browser, Tab, chromium
from tests.servers.process import LOOPBACK, ServerMissing
from tests.servers.pytest_fixtures import skip_or_fail
from timeline.export.html_ import HtmlExporter
from timeline.export.json_ import JsonExporter

SETTLED_SECONDS = 0.4
"""After the page was loaded, which waits for what it shows: time for what it would do later."""
CONTROL_SECONDS = 20.0
"""Most that a busy machine needs to fetch from loopback."""
READABLE = 4.5
"""Contrast of small text (WCAG 2.2, 1.4.3, level AA)."""
TELEPHONE = 400

SHOWN = (
    "[...document.querySelectorAll('#timeline tbody tr')]"
    ".filter(row => getComputedStyle(row).display !== 'none')"
)
ELEMENTS = """[...document.querySelectorAll('*')].map(
  e => [e.localName, [...e.attributes].map(a => [a.localName, a.value])])"""


@dataclass
class Listener:
    """A web server that answers everything and remembers what was asked."""

    port: int
    asked: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    heard = Listener(0)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    heard.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield heard
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def browser(listener: Listener) -> Iterator[Browser]:
    try:
        with chromium(listener.port) as found:
            yield found
    except ServerMissing as missing:
        skip_or_fail(missing)


@cache
def night(story: str) -> str:
    return exported(story, HtmlExporter())


def opened(
    browser: Browser, folder: Path, markup: str, *, width: int = 1280, dark: bool = False
) -> Tab:
    path = folder / "page.html"
    path.write_text(markup, encoding="utf-8")
    return browser.open(path, width=width, dark=dark)


def naming(port: int) -> tuple[str, ...]:
    """Texts that would make a page fetch, follow or run something, were they markup."""
    host = f"http://tracker.example.org:{port}"
    return (
        f"<img src={host}/img>",
        f"<style>body{{background:url({host}/css)}}</style>",
        f"<link rel=prefetch href={host}/prefetch>",
        f"<link rel=stylesheet href={host}/sheet>",
        f"<meta http-equiv=refresh content='0;url={host}/refresh'>",
        f"<iframe src={host}/frame></iframe>",
        f"<script>fetch('{host}/script')</script>",
        f"<svg><image href={host}/svg></svg>",
        f"<video src={host}/video autoplay></video>",
    )


def test_the_listener_hears_a_page_that_fetches(
    browser: Browser, listener: Listener, tmp_path: Path
) -> None:
    """Without this the silence of our pages would prove nothing."""
    listener.asked.clear()
    texts = [text for text in naming(listener.port) if "refresh" not in text]
    page = opened(browser, tmp_path, f"<!DOCTYPE html><body>{' '.join(texts)}</body>")
    expected = {"/img", "/css", "/sheet", "/frame", "/script", "/svg"}
    deadline = time.monotonic() + CONTROL_SECONDS
    while not expected <= set(listener.asked) and time.monotonic() < deadline:
        time.sleep(SETTLED_SECONDS / 4)
    assert expected <= set(listener.asked)
    page.evaluate("1")  # an answer after which all events so far have been told
    assert len(page.requests()) >= len(expected)
    page.close()


def assert_silent(page: Tab, listener: Listener) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
    assert page.pdf().startswith(b"%PDF-")
    time.sleep(SETTLED_SECONDS)
    assert page.requests() == []
    assert listener.asked == []


@pytest.mark.parametrize("story", STORIES)
def test_no_request_leaves_a_page_of_a_recorded_night(
    story: str, browser: Browser, listener: Listener, tmp_path: Path
) -> None:
    listener.asked.clear()
    page = opened(browser, tmp_path, night(story))
    assert_silent(page, listener)
    page.close()


def test_no_request_leaves_a_page_whose_records_name_a_listener(
    browser: Browser, listener: Listener, tmp_path: Path
) -> None:
    listener.asked.clear()
    text = " ".join(naming(listener.port))
    page = opened(browser, tmp_path, rendered(text, HtmlExporter()))
    assert "tracker.example.org" in str(page.evaluate("document.body.textContent"))
    assert_silent(page, listener)
    page.close()


def test_what_the_browser_made_of_hostile_texts_is_on_the_list(
    browser: Browser, tmp_path: Path
) -> None:
    """The elements of Chromium's own parser, text after text."""
    harmless = _elements(browser, tmp_path, "harmless")
    for text in (*TEXTS, *BREAKING):
        assert _forbidden(made := _elements(browser, tmp_path, text)) == [], text
        if text.strip() and text.isprintable():
            assert len(made) == len(harmless), text


def _elements(browser: Browser, folder: Path, text: str) -> list[tuple[str, list[list[str]]]]:
    page = opened(browser, folder, rendered(text, HtmlExporter()))
    told = page.evaluate(ELEMENTS)
    page.close()
    made: list[tuple[str, list[list[str]]]] = json.loads(json.dumps(told))
    return made


def _forbidden(elements: list[tuple[str, list[list[str]]]]) -> list[str]:
    found = []
    for name, attributes in elements:
        allowed = ALLOWED.get(name.lower())
        if allowed is None:
            found.append(f"<{name}>")
            continue
        for attribute, value in attributes:
            is_place = attribute != "href" or value.startswith("#")
            if attribute.lower() not in allowed or not is_place:
                found.append(f"{name} {attribute}={value}")
    return found


def test_the_list_would_find_what_runs() -> None:
    bad = [("script", []), ("a", [["href", "javascript:x"]]), ("p", [["onclick", "x"]])]
    assert len(_forbidden(bad)) == 3


def shown(page: Tab) -> list[tuple[str, list[str]]]:
    """Classes and cited labels of every row that is seen."""
    told = page.evaluate(
        f"{SHOWN}.map(row => [row.className, [...row.querySelectorAll('a')].map(a => a.text)])"
    )
    rows: list[tuple[str, list[str]]] = json.loads(json.dumps(told))
    return rows


@pytest.mark.parametrize("story", STORIES)
def test_a_click_on_a_filter_changes_what_is_seen(
    story: str, browser: Browser, tmp_path: Path
) -> None:
    """Each is held against the JSON export, which knows nothing of classes."""
    tree = json.loads(exported(story, JsonExporter()))
    lanes = {record["label"]: record["lane"] for record in tree["evidence"]}
    page = opened(browser, tmp_path, night(story))
    assert len(shown(page)) == len(tree["timeline"])

    page.click("label[for=only-all]")
    everything = shown(page)
    uncited = lanes.keys() - {label for row in tree["timeline"] for label in row["cites"]}
    assert len(everything) == len(tree["timeline"]) + len(uncited)

    for number, finding in enumerate(tree["findings"], 1):
        page.click(f"label[for=only-f{number}]")
        cited = {label for name, labels in shown(page) if "own" not in name for label in labels}
        assert {step["cites"] for step in finding["steps"]} <= cited | _behind(tree, cited)

    page.click("label[for=only-bad]")
    failures = [name for name, _ in shown(page) if "own" not in name]
    assert all("bad" in name.split() for name in failures)
    assert len(failures) < len(everything)

    page.click("label[for=only-all]")
    for lane in sorted(set(lanes.values())):
        page.click(f"label[for=lane-{lane}]")
        left = {label for _, labels in shown(page) for label in labels}
        assert lane not in {lanes[label] for label in left}
        page.click(f"label[for=lane-{lane}]")
    assert shown(page) == everything
    page.close()


def _behind(tree: dict[str, list[dict[str, list[str]]]], labels: set[str]) -> set[str]:
    """Labels of rows that cite many and name the first and the last."""
    rows = [set(row["cites"]) for row in tree["timeline"]]
    return set().union(*(cites for cites in rows if cites & labels))


@pytest.mark.parametrize("story", STORIES)
def test_on_paper_nothing_is_closed_and_no_filter_is_left(
    story: str, browser: Browser, tmp_path: Path
) -> None:
    page = opened(browser, tmp_path, night(story), width=760)
    closed = "[...document.querySelectorAll('details > :not(summary)')]"
    seen = f"{closed}.map(one => one.checkVisibility())"
    hidden = "[...document.querySelectorAll('nav,.controls')].map(e => getComputedStyle(e).display)"
    on_screen = page.evaluate(seen)
    assert isinstance(on_screen, list)
    assert len(on_screen) > 3
    assert not any(on_screen)
    page.call("Emulation.setEmulatedMedia", media="print")
    on_paper, controls = page.evaluate(seen), page.evaluate(hidden)
    assert isinstance(on_paper, list)
    assert isinstance(controls, list)
    assert all(on_paper)
    assert set(map(str, controls)) == {"none"}
    page.close()


@pytest.mark.parametrize("story", STORIES)
def test_a_telephone_scrolls_one_way_only(story: str, browser: Browser, tmp_path: Path) -> None:
    page = opened(browser, tmp_path, night(story), width=TELEPHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == TELEPHONE
    page.close()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_can_be_read_on_its_ground(dark: bool, browser: Browser, tmp_path: Path) -> None:
    """Texts of the page and of its pictures, by the colours that the browser computed."""
    page = opened(browser, tmp_path, night("signup-race"), dark=dark)
    told = page.evaluate(
        "[...document.querySelectorAll('p,a,li,dd,dt,th,td,pre,code,small,h1,h2,summary,svg text')]"
        ".map(e => {let g = e, s = getComputedStyle(e);"
        "while (g && getComputedStyle(g).backgroundColor === 'rgba(0, 0, 0, 0)')"
        " g = g.parentElement;"
        "return [e.namespaceURI.endsWith('svg') ? s.fill : s.color,"
        " getComputedStyle(g || document.body).backgroundColor, e.localName]})"
    )
    pairs = {tuple(map(str, one)) for one in told if isinstance(one, list)}  # type: ignore[union-attr]
    assert len(pairs) > 10
    poor = [pair for pair in pairs if contrast(pair[0], pair[1]) < READABLE]
    assert poor == []
    assert contrast("rgb(0, 0, 0)", "rgb(255, 255, 255)") == pytest.approx(21)
    page.close()


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2.2 of two colours as a browser writes them."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    shares = [int(part) / 255 for part in colour.removeprefix("rgb(").rstrip(")").split(",")]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
