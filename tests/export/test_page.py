"""The page and the picture themselves: what they say, where it stands, and that filters filter."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from functools import cache

import pytest

from tests.export.drawn import NAMESPACE, Seen, seen
from tests.export.world import (
    ANALYSIS,
    EVENTS,
    HICCUP,
    NOTE,
    OPTIONS,
    RACE,
    SECOND,
    TIMEOUTS,
    T,
    incident,
)
from timeline.coverage import Coverage, CoverageMap, Sight
from timeline.export import svg_ink as ink
from timeline.export.contract import ExportOptions
from timeline.export.html_ import POLICY, HtmlExporter
from timeline.export.html_style import rules
from timeline.export.svg import SvgExporter
from timeline.finding import Step
from timeline.order import Verdict

SVG = f"{{{NAMESPACE}}}"


@cache
def page(options: ExportOptions = OPTIONS) -> str:
    return HtmlExporter().render(incident(), ANALYSIS, options)


@cache
def picture() -> ET.Element:
    return ET.fromstring(SvgExporter().render(incident(), ANALYSIS, OPTIONS))


def read() -> Seen:
    return seen(page())


def said(element: ET.Element) -> str:
    return " ".join(element.itertext())


def test_the_page_forbids_itself_everything_but_its_style() -> None:
    assert POLICY == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    head = page().partition("<style>")[0]
    assert f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"/>' in head
    assert read().forbidden == []
    assert page().count("://") == 0


def test_every_link_leads_to_a_place_on_the_page() -> None:
    found = read()
    assert len(found.ids) == len(set(found.ids))
    assert {"E1", "impact", "timeline"} <= set(found.targets) <= set(found.ids)


def test_the_page_says_what_the_document_says() -> None:
    text = " ".join(" ".join(read().text).split())
    for words in (
        ANALYSIS.headline, ANALYSIS.next_action, HICCUP.text, HICCUP.weakest_link, RACE.text,
        "one clock (web), 1440.000 ms apart", "keeps no successes after 500 s",
        "not evaluated: lost-update", "ambiguous-enqueue", "Give the client a timeout",
        "did not see 2026-03-14 02:07:00", "±12 ms measured", "built by halfawake 0.1.0",
    ):  # fmt: skip
        assert words in text, words


def test_a_proof_stands_step_by_step_in_its_order() -> None:
    tree = ET.fromstring(page())
    (finding,) = [one for one in tree.iter("section") if one.get("id") == "finding-2"]
    steps = [[said(cell) for cell in row] for row in finding.find("table/tbody") or ()]
    assert [step[1] for step in steps] == [
        "2026-03-14 02:07:29.110", "2026-03-14 02:07:29.284000", "2026-03-14 02:07:29.287",
    ]  # fmt: skip
    assert steps[0][5] == ""
    assert "certain" in steps[1][5]
    assert "likely" in steps[2][5]


def test_all_lines_of_a_trace_stand_in_the_evidence() -> None:
    tree = ET.fromstring(page())
    traces = [said(one) for one in tree.iter("pre") if "LookupError" in said(one)]
    assert any(len(trace.splitlines()) == 3 for trace in traces)


def test_each_filter_leaves_the_rows_it_names() -> None:
    """The style sheet is applied by a selector engine, with one control after another checked."""
    cssselect2 = pytest.importorskip("cssselect2")
    note = replace(NOTE, timestamp=T + 60 * SECOND)
    long_proof = replace(HICCUP, steps=tuple(Step("error", one, "") for one in TIMEOUTS))
    analysis = replace(ANALYSIS, findings=(long_proof, RACE))
    options = replace(OPTIONS, marked=(note,))
    tree = ET.fromstring(HtmlExporter().render(incident((*EVENTS, note)), analysis, options))
    hiding = re.findall(r"([^{}]*~table[^{}]*){display:none}", rules())
    inputs = {one.get("id", ""): one for one in tree.iter("input")}
    wrapper = cssselect2.ElementWrapper.from_html_root(tree)

    def left(choice: str, *without: str) -> list[str]:
        for name, one in inputs.items():
            one.attrib.pop("checked", None)
            is_lane = name.startswith("lane-") and name not in without
            if is_lane or name == choice:
                one.set("checked", "checked")
        rows = wrapper.query_all("#timeline tbody tr")
        gone = {r.etree_element for rule in hiding for r in wrapper.query_all(rule)}
        return [r.etree_element.get("class") for r in rows if r.etree_element not in gone]

    everything = left("only-all")
    assert len(everything) > 31
    assert 5 < len(left("only-short")) < 20
    assert all("short" in one.split() or "own" in one for one in left("only-short"))
    assert all("bad" in one.split() or "own" in one for one in left("only-bad"))
    assert all("f2" in one.split() or "own" in one for one in left("only-f2"))
    assert sum("own" not in one for one in left("only-f2")) == len(RACE.steps)
    assert [one for one in everything if "log" not in one.split()] == left("only-all", "lane-log")
    assert any("note" in one.split() for one in everything)
    assert not any("note" in one.split() for one in left("only-all", "lane-note"))


def test_the_style_sheet_parses_whole() -> None:
    tinycss2 = pytest.importorskip("tinycss2")
    parsed = tinycss2.parse_stylesheet(rules())
    assert [rule for rule in parsed if rule.type == "error"] == []
    assert "prefers-color-scheme:dark" in rules()
    assert "@media print" in rules()
    assert "max-width:44rem" in rules()


def test_the_picture_names_t_the_onset_and_every_source() -> None:
    text = " ".join(said(picture()).split())
    for words in ("T 02:13:40", "onset 02:07:29.117 (-6 min 10.883 s from T)", "web", "mailers",
                  "39 records", "31 err", "1 likely network-hiccup", "2 certain", "UTC",
                  "◆ 2026-03-14 02:05:00 (-8 min 40 s from T) web v412 deployed"):  # fmt: skip
        assert words in text, words


def test_what_went_wrong_stands_below_the_line_without_any_colour() -> None:
    lanes = [one for one in picture().iter(f"{SVG}g") if one.get("class") == "lane"]
    web = next(lane for lane in lanes if said(lane).startswith("web:"))
    paths = {one.get("class"): one.get("d", "") for one in web.iter(f"{SVG}path")}
    line = float(paths["faint-line"].split("L")[0].split()[1])
    down = [float(y) for y in re.findall(r"M[0-9.]+ ([0-9.]+)h", paths["error"])]
    up = [(float(y), float(high)) for y, high in
          re.findall(r"M[0-9.]+ ([0-9.]+)h[0-9.]+v([0-9.]+)", paths["calm"])]  # fmt: skip
    assert down
    assert all(top > line for top in down)
    assert up
    assert all(top + high == pytest.approx(line, abs=0.2) for top, high in up)


def test_blind_and_partial_stretches_are_hatched_differently() -> None:
    seen_ = incident()
    coverage = CoverageMap((
        Coverage("web", 0, T, Sight.FULL), Coverage("web", T, 2 * T, Sight.BLIND, "silent"),
        Coverage("mailer", 0, T, Sight.FULL), Coverage("mailer", T, 2 * T, Sight.PARTIAL, "cut"),
    ))  # fmt: skip
    seen_ = replace(seen_, snapshot=replace(seen_.snapshot, coverage=coverage))
    drawn = ET.fromstring(SvgExporter().render(seen_, ANALYSIS, OPTIONS))
    fills = {}
    for lane in (one for one in drawn.iter(f"{SVG}g") if one.get("class") == "lane"):
        fills[said(lane).split(":")[0]] = [one.get("fill") for one in lane.iter(f"{SVG}rect")]
    assert fills["web"] == ["url(#blind)"]
    assert fills["mailer"] == ["url(#partial)"]
    assert {one.get("id") for one in drawn.iter(f"{SVG}pattern")} == {"blind", "partial"}


def test_the_colours_are_those_of_okabe_and_ito() -> None:
    known = {"#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7"}
    inks = {ink.INK, ink.CALM, ink.WARNING, ink.ERROR, ink.DEPTH, ink.MARK, ink.ONSET}
    assert inks <= known
    assert len(inks) == 7


@pytest.mark.parametrize("verdict", list(Verdict))
def test_how_sure_a_finding_is_shows_in_its_line(verdict: Verdict) -> None:
    finding = replace(HICCUP, verdict=verdict, ended=HICCUP.began + 60 * SECOND)
    text = SvgExporter().render(incident(), replace(ANALYSIS, findings=(finding,)), OPTIONS)
    dashes = {"certain": "none", "likely": "6 3", "possible": "1.5 3"}[verdict.value]
    wide = [one for one in ET.fromstring(text).iter(f"{SVG}path") if one.get("stroke-width") == "3"]
    assert [one.get("stroke-dasharray") for one in wide] == [dashes]


def test_an_incident_without_anything_is_drawn_and_told() -> None:
    quiet = replace(ANALYSIS, onset=None, findings=(), not_evaluated=(), common=(), blind=())
    for exporter in (SvgExporter(), HtmlExporter()):
        text = exporter.render(incident(()), quiet, OPTIONS)
        ET.fromstring(text)
        assert seen(text).forbidden == []


def test_the_picture_can_be_drawn_by_a_program_without_style_sheets() -> None:
    cairosvg = pytest.importorskip("cairosvg")
    image = pytest.importorskip("PIL.Image")
    import io

    text = SvgExporter().render(incident(), ANALYSIS, OPTIONS)
    drawn = image.open(io.BytesIO(cairosvg.svg2png(bytestring=text.encode()))).convert("RGB")
    colours = {colour for _, colour in drawn.getcolors(drawn.width * drawn.height)}
    for wanted in (ink.CALM, ink.ERROR, ink.MARK, ink.INK, ink.PAPER):
        assert tuple(bytes.fromhex(wanted[1:])) in colours, wanted
