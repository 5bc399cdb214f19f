"""`python -m tests.score`: measure, print the table, keep the figures as JSON where asked."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.score.measure import Plan, measure
from tests.score.show import show
from tests.score.table import as_json, as_markdown


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.score", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few seeds, at most two minutes")
    parser.add_argument("--family", help="this family or confuser only (or: healthy)")
    parser.add_argument("--seed", type=int, help="this seed only")
    parser.add_argument("--show", action="store_true", help="print what was found and stop")
    parser.add_argument("--without", default="", help="with --show: a source to leave out")
    parser.add_argument("--clock-ms", type=float, default=0, help="with --show: clock error")
    parser.add_argument("--log-share", type=float, default=1, help="with --show: lines kept")
    parser.add_argument("--unregistered", action="store_true", help="detectors not registered yet")
    parser.add_argument("--markdown", type=Path, help="write the table there, too")
    parser.add_argument("--json", type=Path, help="write every figure there")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    if options.show:
        name, seed = options.family or "healthy", options.seed or 0
        clock, share = int(options.clock_ms * 1e6), options.log_share
        told = show(name, seed, options.without, clock, share, unregistered=options.unregistered)
        sys.stdout.write(told)
        return 0
    plan = Plan.quick() if options.quick else Plan.full()
    plan = plan.only(options.family, options.seed).over(options.processes)
    result = measure(
        plan.including(unregistered=options.unregistered),
        _progress,
    )
    told = as_markdown(result)
    sys.stdout.write(told)
    if options.markdown:
        options.markdown.write_text(told, "utf-8")
    if options.json:
        options.json.write_text(as_json(result), "utf-8")
    return 0


def _progress(words: str) -> None:
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    raise SystemExit(main())
