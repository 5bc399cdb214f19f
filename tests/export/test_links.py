"""Links into the team's tools: right address, absolute times, inert signs, nothing redacted."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from markdown_it import MarkdownIt

from tests.export.test_json import check
from tests.export.world import ANALYSIS, EVENTS, OPTIONS, TIMEOUTS, incident, log
from timeline.export.build import document_of
from timeline.export.contract import ExportOptions
from timeline.export.document import Evidence
from timeline.export.html_ import HtmlExporter
from timeline.export.jira import JiraExporter
from timeline.export.json_ import JsonExporter
from timeline.export.links import LONGEST, LinkTemplate, address, problem_with, unknown_places
from timeline.export.list_ import ListExporter
from timeline.export.markdown import MarkdownExporter

KIBANA = LinkTemplate(
    "kibana", "kibana", "https://kibana.example.com/s/shop/", ("web",), data_view="logs-*"
)
GRAFANA = LinkTemplate(
    "grafana", "grafana", "https://grafana.example.com", ("web",),
    query='{app="web"} |= "{id}"', datasource="P8E80F9AEF21F6940",
)  # fmt: skip
FREE = LinkTemplate(
    "traces", "url", "https://t.example.com/find?from={from_ms}&to={to_ms}&q={query}", ("web",),
    query="id={id} (all)",
)  # fmt: skip
EVERY = (KIBANA, GRAFANA, FREE)


def record(**changed: object) -> Evidence:
    """The first timeout of the made night, as a document of an index holds it."""
    made = document_of(incident(), ANALYSIS, OPTIONS).evidence
    web = next(one for one in made if one.source == "web" and "TimeoutError" in one.body)
    fields = {"ref": "shop-1/L3Ps", **changed}
    return replace(web, **fields)  # type: ignore[arg-type]  # its fields


def test_kibana_opens_the_record_between_absolute_times() -> None:
    url = address(KIBANA, record())
    assert url.startswith("https://kibana.example.com/s/shop/app/discover#/?_g=")
    state, app = (unquote(part) for part in url.partition("?_g=")[2].split("&_a="))
    assert "time:(from:'2026-03-14T02:02:29.117Z',to:'2026-03-14T02:12:29.117Z')" in state
    assert "dataSource:(dataViewId:'logs-*',type:dataView)" in app
    assert "query:(language:kuery,query:'_id:\"L3Ps\"')" in app
    older = unquote(address(replace(KIBANA, kind="opensearch"), record()))
    assert "index:'logs-*'" in older
    assert "dataSource" not in older


def test_grafana_opens_one_pane_around_the_record() -> None:
    url = urlsplit(address(GRAFANA, record()))
    assert (url.netloc, url.path) == ("grafana.example.com", "/explore")
    asked = parse_qs(url.query)
    pane = json.loads(asked["panes"][0])["a"]
    at = TIMEOUTS[0].timestamp // 10**6
    assert pane["range"] == {"from": str(at - 300_000), "to": str(at + 300_000)}
    assert pane["queries"][0]["expr"] == '{app="web"} |= "L3Ps"'
    assert pane["queries"][0]["datasource"] == {"type": "loki", "uid": "P8E80F9AEF21F6940"}
    assert asked["schemaVersion"] == ["1"]


def test_a_free_template_is_filled_and_encoded() -> None:
    url = address(FREE, record())
    asked = parse_qs(urlsplit(url).query)
    assert asked["q"] == ["id=L3Ps (all)"]
    assert int(asked["to"][0]) - int(asked["from"][0]) == 600_000


HOSTILE = "x') evil](javascript:alert(1)) |<img> \"'!*`\n../../?a=b#c&from=now"


@pytest.mark.parametrize("template", EVERY, ids=lambda one: one.name)
def test_no_id_leaves_its_place_in_an_address(template: LinkTemplate) -> None:
    """The signs that end a link anywhere are encoded, and an id adds no parameter and no path."""
    url = address(template, record(ref=f"index/{HOSTILE}"))
    assert not re.search(r"[()!'\"<>|\[\]{}`*\s\\^]", url)
    plain, hostile = urlsplit(address(template, record())), urlsplit(url)
    assert (plain.scheme, plain.netloc, plain.path) == (
        hostile.scheme,
        hostile.netloc,
        hostile.path,
    )
    assert parse_qs(plain.query).keys() == parse_qs(hostile.query).keys()
    assert parse_qs(plain.fragment).keys() == parse_qs(hostile.fragment).keys()


def test_a_quote_in_an_id_stays_in_its_string() -> None:
    state = unquote(address(KIBANA, record(ref="i/a'b\"c!d")))
    assert "query:'_id:\"a!'b\\\"c!!d\"'" in state
    expression = json.loads(
        parse_qs(urlsplit(address(GRAFANA, record(ref='i/a"c'))).query)["panes"][0]
    )
    assert expression["a"]["queries"][0]["expr"] == '{app="web"} |= "a\\"c"'


def test_what_was_redacted_or_is_missing_has_no_address() -> None:
    assert address(KIBANA, record(ref="i/{redacted:secret}")) == ""
    assert address(KIBANA, record(ref="i/email#1")) == ""
    by_job = replace(FREE, base="https://q.example.com/{job}")
    assert address(by_job, record(keys=("user:1",))) == ""
    assert address(by_job, record(keys=("job:8f", "user:1"))) == "https://q.example.com/8f"
    assert address(by_job, record(keys=("job:8f", "job:9a"))) == ""
    assert address(KIBANA, record(ref="i/" + "x" * LONGEST)) == ""


@pytest.mark.parametrize(
    "base",
    ["javascript:alert(1)", "data:text/html,x", "ftp://a", "kibana", "https://u:p@k.example"],
)
def test_a_base_is_http_and_holds_nobody(base: str) -> None:
    assert problem_with(base)
    assert address(replace(KIBANA, base=base), record()) == ""


def test_places_that_no_record_has_are_named() -> None:
    assert unknown_places("https://a/{id}/{when}/{from}") == ("when",)
    assert problem_with("http://a.example/x") == ""


def options(*templates: LinkTemplate) -> ExportOptions:
    return replace(OPTIONS, links=templates)


def test_without_a_template_nothing_is_linked() -> None:
    for exporter in (MarkdownExporter(), ListExporter(), JiraExporter(), HtmlExporter()):
        assert "https://" not in exporter.render(incident(), ANALYSIS, OPTIONS)


def test_markdown_rows_and_records_link() -> None:
    text = MarkdownExporter().render(incident(), ANALYSIS, options(KIBANA))
    found = [
        str(child.attrs["href"])
        for token in MarkdownIt("gfm-like").parse(text)
        for child in token.children or ()
        if child.type == "link_open"
    ]
    rows = [
        line for line in text.split("\n") if line.startswith("| 2026") and "`web-1` log" in line
    ]
    assert rows
    assert all("([kibana](https://kibana.example.com/" in line for line in rows)
    assert len(found) > len(rows)
    assert all(
        url.startswith("https://kibana.example.com/s/shop/app/discover#/?_g=%28") for url in found
    )
    assert "mailers" not in " ".join(line for line in text.split("\n") if "kibana" in line)


def test_lists_jira_pages_and_json_link_each_in_their_way() -> None:
    chosen = options(KIBANA, FREE)
    listed = ListExporter().render(incident(), ANALYSIS, chosen)
    assert re.search(
        r"in web \(log\), <https://kibana[^>\s]+>, <https://t\.example[^>\s]+>", listed
    )
    jira = JiraExporter().render(incident(), ANALYSIS, chosen)
    assert re.search(r"stamped \S+, \[kibana\|https://kibana[^\]|\s]+\], \[traces\|https://t", jira)
    page = HtmlExporter().render(incident(), ANALYSIS, chosen)
    links = re.findall(r'<a href="(https://[^"]+)" rel="noopener noreferrer">', page)
    assert len(links) > 2
    tree = json.loads(JsonExporter().render(incident(), ANALYSIS, chosen))
    check(tree)
    held = [one["addresses"] for one in tree["evidence"] if "addresses" in one]
    assert {each["name"] for one in held for each in one} == {"kibana", "traces"}
    assert all(one["source"] == "web" for one in tree["evidence"] if "addresses" in one)


def test_secrets_in_an_id_do_not_leave_in_an_address() -> None:
    leak = replace(log("02:07:30.9", "x"), ref="index/token=abcdef1234567890abcdef")
    chosen = replace(options(KIBANA, FREE), marked=(leak,))
    for exporter in (MarkdownExporter(), ListExporter(), JiraExporter(), HtmlExporter()):
        text = exporter.render(incident((*EVENTS, leak)), ANALYSIS, chosen)
        assert "abcdef1234567890" not in text
