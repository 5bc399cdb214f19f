"""Every way out of the product, and none of the planted secrets on any of them.

A new exporter is found by its entry point. A new place that prints, copies or writes fails
`test_every_place_that_lets_something_out_is_known` until it stands there with what guards it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import pytest

from halfawake import breakage
from halfawake.handover import FileHandover
from halfawake.plugins import EXPORTERS, exporter, names
from tests.export.planted import (
    PLANTED,
    SECRETS,
    SURVIVORS,
    TELLING,
    hostile_analysis,
    hostile_incident,
    leaks,
)
from tests.export.world import ANALYSIS, EVENTS, OPTIONS, at, incident
from timeline.analysis import Analysis
from timeline.event import Lane, Precision
from timeline.export.contract import ExportOptions
from timeline.export.findings import findings_json, findings_text
from timeline.export.plain import PlainOptions, render_plain
from timeline.export.postmortem import comparison_json, comparison_text
from timeline.export.status import status
from timeline.incident import Incident
from timeline.postmortem import Claim, Comparison, held_against
from timeline.progress import Phase, SourceStatus

ROOT = Path(__file__).parents[2]
PRINTS_RECORDS = ("md", "json", "html", "csv", "jira")
"""Formats in which a cited record stands in full."""
KNOWN_PLACES = {
    "halfawake/breakage.py": "the crash report: redacted, tested below",
    "halfawake/bundles.py": "as recorded, mode 0600; `capture --redact`: test_redact_bundle",
    "halfawake/commands/capture.py": "the same",
    "halfawake/commands/check.py": "what sources say of themselves, to the one who asked",
    "halfawake/commands/compare.py": "a postmortem against the records, tested below",
    "halfawake/commands/demo.py": "names of the demos",
    "halfawake/commands/export.py": "the exporters, tested below",
    "halfawake/commands/findings.py": "findings for people and scripts, tested below",
    "halfawake/commands/init.py": "the configuration, which holds references to secrets only",
    "halfawake/commands/note.py": "a person's own note, back to them",
    "halfawake/early.py": "a pipe to its own child process",
    "halfawake/handover.py": "drafts of the screen, tested below",
    "halfawake/keeping.py": "what was on the screen, beside the autosaved bundle, mode 0600",
    "halfawake/notebook.py": "a person's own note, mode 0600",
    "halfawake/pasting.py": "reads the terminal",
    "halfawake/show.py": "plain text, tested below",
    "halfawake/trust.py": "digests of agreed commands",
    "tui/export_page.py": "copies a draft",
    "tui/gestures/handing_over.py": "copies the status",
}
"""Files that print, copy or write, and why nothing leaks there."""
_WRITING = {
    "copy_to_clipboard",
    "write_text",
    "write_bytes",
    "save_bundle",
    "write_bundle",
    "fdopen",
}


@cache
def hostile() -> tuple[Incident, Analysis]:
    return hostile_incident(), hostile_analysis()


def _options(**more: object) -> ExportOptions:
    snapshot = hostile()[0].snapshot
    marked = tuple(snapshot.in_order(0, len(snapshot)))
    return replace(OPTIONS, marked=marked, title=SECRETS[0].text, limit=10_000_000, **more)  # type: ignore[arg-type]


def _exported(name: str) -> str:
    return exporter(name).render(*hostile(), _options())


def _drafted(name: str) -> str:
    return FileHandover(Path("/nowhere")).draft(*hostile(), _options().marked, name).text


def _copied_status() -> str:
    return FileHandover(Path("/nowhere")).status(*hostile())


def _plain() -> str:
    seen, analysis = hostile()
    texts = [secret.text for secret in SECRETS]
    statuses = [
        SourceStatus(text, Lane.LOG, "file", Phase.FAILED, problem=text, remedy=text)
        for text in texts
    ]
    options = PlainOptions(width=60, rows=10_000, key=f"note:{texts[0]}")
    return render_plain(seen, analysis, statuses, options)


def _compared() -> Comparison:
    """A postmortem that holds every secret too, behind so many words that a cut falls into it."""
    claims = [
        Claim(at("02:07:29"), Precision.SECOND, f"{'x' * (150 - n)} {secret.text}", secret.text)
        for n, secret in enumerate(SECRETS)
    ]
    return held_against(*hostile(), claims)


EXITS: dict[str, Callable[[], str]] = {
    **{f"export {name}": partial(_exported, name) for name in names(EXPORTERS)},
    **{f"preview {name}": partial(_drafted, name) for name in names(EXPORTERS)},
    "y": _copied_status,
    "status": lambda: status(*hostile(), _options()),
    "findings --json": lambda: findings_json(*hostile()),
    "findings": lambda: findings_text(*hostile()),
    "compare": lambda: comparison_text(_compared()),
    "compare --json": lambda: comparison_json(_compared()),
    "plain text": _plain,
}


def test_the_secrets_are_of_many_kinds_and_in_the_incident() -> None:
    assert len(SECRETS) >= 40
    assert len({secret.kind for secret in SECRETS}) == len(SECRETS)
    naked = exporter("json").render(*hostile(), _options(no_redact_reason="a test"))
    missing = [secret.kind for secret in SECRETS if not leaks(naked, (secret,))]
    assert missing == [], "a secret that is nowhere cannot leak"


@pytest.mark.parametrize("way", EXITS, ids=str)
def test_no_secret_leaves(way: str) -> None:
    assert leaks(EXITS[way](), SECRETS) == []


@pytest.mark.parametrize("width", [40, 57, 80, 200])
def test_wrapping_hides_no_secret_from_redaction(width: int) -> None:
    seen, analysis = hostile()
    text = render_plain(seen, analysis, (), PlainOptions(width=width, rows=10_000))
    assert leaks(text, SECRETS) == []


@pytest.mark.parametrize("limit", [3_000, 9_000, 25_000])
@pytest.mark.parametrize("name", names(EXPORTERS))
def test_cutting_hides_no_secret_from_redaction(name: str, limit: int) -> None:
    text = exporter(name).render(*hostile(), replace(_options(), limit=limit))
    assert leaks(text, SECRETS) == []


@pytest.mark.parametrize("name", PRINTS_RECORDS)
def test_what_an_incident_is_told_by_stands_there_to_the_letter(name: str) -> None:
    telling = PLANTED[-1]
    seen = incident((telling, *EVENTS))
    text = exporter(name).render(seen, ANALYSIS, replace(OPTIONS, marked=(telling,)))
    assert [word for word in SURVIVORS if word not in text] == []
    if name != "html":  # where long words may be parted
        assert TELLING in text


def test_the_crash_report_holds_no_secret(tmp_path: Path) -> None:
    try:
        raise ValueError("; ".join(secret.text for secret in SECRETS))
    except ValueError as error:
        report = breakage.write_report(error, tmp_path)
        assert leaks(breakage.sentence(error, report), SECRETS) == []
    assert leaks(report.read_text(encoding="utf-8"), SECRETS) == []


def test_every_place_that_lets_something_out_is_known() -> None:
    found = {
        str(path.relative_to(ROOT))
        for room in ("halfawake", "tui", "timeline", "connectors")
        for path in (ROOT / room).rglob("*.py")
        if any(_lets_out(node) for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    }
    unknown = found - KNOWN_PLACES.keys()
    assert not unknown, f"say in KNOWN_PLACES why nothing leaks, and add a test here: {unknown}"


def _lets_out(node: ast.AST) -> bool:
    """Whether it is a call that prints, copies or opens a file for writing."""
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in _WRITING or ast.unparse(node.func) in ("sys.stdout.write", "print"):
        return True
    modes = [a.value for a in (*node.args, *(k.value for k in node.keywords))
             if isinstance(a, ast.Constant) and isinstance(a.value, str)]  # fmt: skip
    return name == "open" and any(mode.strip("bt+") in ("w", "a", "x") for mode in modes)
