"""One file that a browser opens without a network: impact, lanes, findings, timeline, evidence.

The page forbids itself everything but its own style (Content-Security-Policy), so that even markup
that slipped through could run and fetch nothing; and nothing slips through, because all text from
outside passes `markup.told`. Links lead to places on the page only. It reads on paper, on a
telephone, in light and in dark, and it needs no script.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from timeline.export.document import Document
from timeline.export.html_evidence import built_section, evidence_section
from timeline.export.html_findings import findings_section
from timeline.export.html_style import rules
from timeline.export.html_timeline import timeline_section
from timeline.export.html_words import bullets, counted, facts, linked
from timeline.export.markup import NOTHING, Markup, look_over, style, tag, together, told
from timeline.export.publish import publish
from timeline.export.svg import picture
from timeline.export.times import rfc3339
from timeline.export.told import facts as told_facts

if TYPE_CHECKING:
    from timeline.analysis import Analysis
    from timeline.export.contract import ExportOptions
    from timeline.incident import Incident

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""No script, no frame, no font, no request: a saved page about an outage must not phone home."""

_PARTS = (
    ("impact", "Impact"), ("lanes", "Lanes"), ("findings", "Findings"), ("timeline", "Timeline"),
    ("unknown", "Unknown"), ("evidence", "Evidence"), ("built", "How it was built"),
)  # fmt: skip


class HtmlExporter:
    """A page to attach, to mail or to keep beside the postmortem."""

    name: ClassVar[str] = "html"
    suffix: ClassVar[str] = ".html"

    def render(self, incident: Incident, analysis: Analysis, options: ExportOptions) -> str:
        return publish(incident, analysis, options, write, look_over, bands=True)


def write(document: Document) -> str:
    """The page, well-formed as XML too, ending with a line break."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", told(document.title)),
        style(rules()),
    )
    body = tag(
        "body",
        _header(document),
        _impact_section(document),
        _lanes_section(document),
        findings_section(document),
        timeline_section(document),
        _unknown_section(document),
        evidence_section(document),
        built_section(document),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n"


def _header(document: Document) -> Markup:
    pin = rfc3339(document.pin.timestamp, document.pin.precision)
    links = [tag("a", told(said), href=f"#{part}") for part, said in _PARTS]
    return tag(
        "header",
        tag("h1", told(document.title)),
        tag(
            "p",
            tag("span", told(document.impact.condition.value), class_="verdict"), Markup(" "),
            told(f"T {pin}"),
            class_="faint",
        ),
        tag("nav", together(links, " ")),
    )  # fmt: skip


def _impact_section(document: Document) -> Markup:
    """The two sentences that everybody reads, then the figures."""
    headline, next_action = document.impact.headline, document.impact.next_action
    lead = tag("p", told(headline), class_="lead") if headline else NOTHING
    then = NOTHING
    if next_action:
        then = tag("p", tag("strong", told("Next:")), Markup(" "), told(next_action), class_="next")
    named = [
        (fact.title, Markup(told(fact.text) + linked(fact.cites)))
        for fact in told_facts(document)
        if fact.title != "State" and not (next_action and fact.title == "Next")
    ]
    place = next((n for n, (name, _) in enumerate(named, 1) if name == "Affected"), len(named))
    named.insert(place, ("Counted", counted(document.impact.counted)))
    return tag("section", tag("h2", told("Impact")), lead, then, facts(named), id="impact")


def _lanes_section(document: Document) -> Markup:
    drawn = tag("figure", picture(document, is_file=False))
    return tag("section", tag("h2", told("Lanes")), drawn, id="lanes")


def _unknown_section(document: Document) -> Markup:
    everything = ("nothing: every source answered in full and every finding is certain",)
    return tag(
        "section",
        tag("h2", told("Unknown, to verify")),
        bullets(document.unknown or everything),
        id="unknown",
    )
