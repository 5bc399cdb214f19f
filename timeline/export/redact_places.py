"""Where in a text a rule is tried, and what stands there afterwards.

A rule's own pattern is slow to search and quick to try at one place. What can only begin where its
`starts` are found is tried only there, and in a long text only within the stretches that
`timeline.export.gates` names. The outcome is that of `pattern.sub` over the whole text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from timeline.export.rule import Rule

Stretch: TypeAlias = tuple[int, int]
"""Begin and end in a text, the end not included."""
Edit: TypeAlias = tuple[int, int, str]
"""Begin and end of what is replaced, and what stands there instead."""
Judge: TypeAlias = Callable[[Rule, re.Match[str]], Edit | None]
"""What a match changes; None leaves the text alone."""

HEAD = 640
"""Signs behind a stretch that are read to see that a match begins in it: more than any `starts`
matches (600), and than a rule without one needs (credentials in an address: 520)."""
LEAD = 129
"""Signs that a rule's `lead` may read: one more than any rule allows."""
LONGEST_RUN = 8_195
"""Signs that a rule reads of one `run` at most: a token's `eyJ` and the 8,192 behind it."""
NEAR = 160
"""Signs before a gate's match in which its rule's may begin (an address before its `@`: 128), and
beside a place that changed in which a later rule may match otherwise than before."""


def edits_of(rule: Rule, text: str, within: Sequence[Stretch] | None, judge: Judge) -> list[Edit]:
    """What `rule` changes in `text`, ascending; `within` are all stretches it can begin in."""
    if rule.starts is None:
        if within is None:
            matches: Iterable[re.Match[str]] = rule.pattern.finditer(text)
        else:
            matches = _searched(rule.pattern, text, within)
        return [edit for match in matches if (edit := judge(rule, match)) is not None]
    edits: list[Edit] = []
    done = 0
    for start, end in ((0, len(text)),) if within is None else within:
        done = _tried(rule, rule.starts, text, (max(start, done), end), done, judge, edits)
    return edits


def applied(text: str, edits: Sequence[Edit]) -> str:
    """`text` with every edit made."""
    told: list[str] = []
    done = 0
    for start, end, stand_in in edits:
        told += (text[done:start], stand_in)
        done = end
    return "".join((*told, text[done:]))


def moved(
    stretches: Sequence[Stretch] | None, edits: Sequence[Edit], length: int
) -> Sequence[Stretch] | None:
    """The same stretches in the text of `length` that the edits made, and what is near those.

    None, all of the text, where hardly a stretch of it is without an edit.
    """
    if stretches is None or len(edits) * 2 * NEAR > length:
        return None
    found: list[Stretch] = []
    shifts: list[tuple[int, int, int]] = []
    shift = 0
    for start, end, stand_in in edits:
        found.append((max(start + shift - NEAR, 0), start + shift + len(stand_in) + NEAR))
        shifts.append((start, end, shift))
        shift += len(stand_in) - (end - start)
    shifts.append((1 << 62, 1 << 62, shift))
    behind = 0
    for start, end in stretches:
        while shifts[behind][1] <= start:
            behind += 1
        first = last = behind
        while shifts[last][1] <= end:
            last += 1
        begin = min(start, shifts[first][0]) + shifts[first][2]
        until = min(end, shifts[last][0]) + shifts[last][2]
        found.append((begin, max(until, begin)))
    return merged(found)


def merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The same places in stretches that are ascending and apart."""
    found: list[Stretch] = []
    for start, end in sorted(stretches):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _tried(
    rule: Rule,
    starts: re.Pattern[str],
    text: str,
    stretch: Stretch,
    done: int,
    judge: Judge,
    edits: list[Edit],
) -> int:
    """Adds the edits that begin in `stretch` and not before `done`; where the last match ended."""
    place, end = stretch
    read = text[place : end + HEAD]
    if rule.folds:
        read = _lowered(read)
    match_at, lead = rule.pattern.match, rule.lead
    at = 0
    while (near := starts.search(read, at)) is not None:
        at = near.start() + 1
        begin = place + near.start()
        if begin >= end:
            break
        match = None
        if lead is not None and (back := lead.match(text[max(begin - LEAD, 0) : begin][::-1])):
            led = begin - back.end()
            match = match_at(text, led) if led >= done else None
        if match is None and begin >= done:
            match = match_at(text, begin)
        if match is None or match.end() == match.start():
            if rule.run is not None and (run := rule.run.match(text, begin)):
                at = max(at, _behind(run) - place)
            continue
        if (edit := judge(rule, match)) is not None:
            edits.append(edit)
        done = match.end()
        at = max(done - place, at)
    return done


def _behind(run: re.Match[str]) -> int:
    """The next place in which a match that failed at the begin of `run` may succeed."""
    return run.end() if run.end() - run.start() <= LONGEST_RUN else run.end() - LONGEST_RUN


def _searched(
    pattern: re.Pattern[str], text: str, within: Sequence[Stretch]
) -> Iterable[re.Match[str]]:
    """All matches that begin in a stretch, each as it is in the whole text."""
    done = 0
    for start, end in within:
        place = max(start, done)
        while place < end:
            # what is found near the end of the stretch is matched again without that end
            near = pattern.search(text, place, end + HEAD)
            if near is None or near.start() >= end:
                break
            place = near.start() + 1
            whole = pattern.match(text, near.start())
            if whole is not None and whole.end() > whole.start():
                yield whole
                done = place = whole.end()


def _lowered(text: str) -> str:
    """`text` with its ASCII letters in lower case and no other sign changed."""
    if text.isascii():
        return text.lower()
    return text.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")
