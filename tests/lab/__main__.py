"""``python -m tests.lab run|record``: a story live, or recorded for the package.

Standard output carries what the next command needs; all else goes to stderr.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from halfawake.exit_codes import ExitCode
from tests.lab.catalog import STORIES, Played
from tests.lab.recording import REPOSITORY, objections
from tests.lab.stories import SHORT, Timing, instant
from tests.lab.truth import SECOND_NS, Unlucky

DEMOS = REPOSITORY / "halfawake" / "demos"
TRUTHS = Path(__file__).parent / "truth"
ATTEMPTS = 3
"""A race is a race: now and then the machine is too slow or too fast for it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 done, 1 no attempt had the effect of the story, else that of halfawake."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run a story and keep its logs, truth and configuration")
    run.add_argument("story", choices=STORIES)
    run.add_argument("--keep", type=Path, metavar="DIR", help="default: a new temporary folder")
    run.add_argument(
        "--before", type=float, metavar="S", help="seconds of traffic before the fault"
    )
    run.add_argument("--late", type=float, metavar="S", help="how late T is after the onset")
    run.add_argument("--stay", action="store_true", help="leave the servers up until Enter")
    record = commands.add_parser("record", help="run a story and capture it into the package")
    record.add_argument("story", nargs="?", choices=STORIES, help="default: all")
    record.add_argument("--keep", type=Path, metavar="DIR", help="default: a new temporary folder")
    options = parser.parse_args(arguments)
    if options.command == "run":
        timing = Timing(options.before or SHORT.before_s, options.late or SHORT.late_s)
        return _run(options.story, options.keep, timing, stay=options.stay)
    names = [options.story] if options.story else list(STORIES)
    return max(_record(name, options.keep) for name in names)


def _run(story: str, keep: Path | None, timing: Timing, *, stay: bool) -> int:
    folder = _folder(keep)
    chosen = STORIES[story]
    with chosen.scene(folder, timing) as scene:
        try:
            truth = chosen.play(scene, timing)
        except Unlucky as unlucky:
            _say(f"{story}: {unlucky}. Its logs are in {folder / 'logs'}; run it again.")
            return 1
        (folder / "truth.json").write_text(truth.to_json())
        configuration = scene.write_configuration()
        sys.stdout.write(f"logs           {folder / 'logs'}\n")
        sys.stdout.write(f"truth          {folder / 'truth.json'}\n")
        sys.stdout.write(f"configuration  {configuration}\n")
        sys.stdout.write(f"T              {instant(truth.pin_ns)}\n")
        sys.stdout.write(f"try            {' '.join(_command('findings', truth, configuration))}\n")
        sys.stdout.flush()
        if stay:
            _say("The servers stay up. Press Enter to end them.")
            sys.stdin.readline()
    return 0


def _record(story: str, keep: Path | None) -> int:
    for attempt in range(1, ATTEMPTS + 1):
        folder = _folder(keep / f"{story}-{attempt}" if keep else None)
        chosen = STORIES[story]
        with chosen.scene(folder, chosen.recorded) as scene:
            try:
                truth = chosen.play(scene, chosen.recorded)
            except Unlucky as unlucky:
                _say(f"{story}, attempt {attempt}: {unlucky}")
                continue
            configuration = scene.write_configuration()
            output = folder / f"{story}.halfawake"
            command = [*_command("capture", truth, configuration), "-o", str(output)]
            done = subprocess.run(command, check=False, cwd=REPOSITORY)
            if done.returncode not in (ExitCode.DONE, ExitCode.PARTIAL):
                return done.returncode
        if found := objections(output):
            _say(f"{output} cannot be published: {'; '.join(found)}")
            return 1
        for place in (DEMOS, TRUTHS):
            place.mkdir(exist_ok=True)
        (DEMOS / output.name).write_bytes(output.read_bytes())
        (TRUTHS / f"{story}.truth.json").write_text(truth.to_json())
        _say(f"{story}: {DEMOS / output.name} ({output.stat().st_size} bytes)")
        return 0
    return 1


def _command(name: str, truth: Played, configuration: Path) -> list[str]:
    """The halfawake command line that looks at a story from its beginning to its end."""
    before = (truth.pin_ns - truth.began_ns) // SECOND_NS
    after = max(1, (time.time_ns() - truth.pin_ns) // SECOND_NS)
    return [
        *(sys.executable, "-m", "halfawake", name, instant(truth.pin_ns)),
        *("--before", f"{before}s", "--after", f"{after}s", "--config", str(configuration)),
    ]


def _folder(keep: Path | None) -> Path:
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="halfawake-lab-"))
    keep.mkdir(parents=True, exist_ok=True)
    return keep


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
