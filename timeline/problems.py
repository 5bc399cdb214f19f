"""Errors as sentences, grouped by what the caller does next.

    SourceProblem            one source cannot answer; the others go on
      ├─ Misconfigured       the person must change the configuration
      ├─ MissingDriver       the person must install an extra
      ├─ AccessRefused       password, certificate or rights
      ├─ Unreachable         refused, timed out, tunnel died: may be retried
      ├─ Overloaded          the system itself refuses (too many clients, 429): evidence too
      ├─ BadAnswer           it answered with something that is not what it should be
      └─ NothingHere         it answered, and holds nothing of what this source reads

Every problem carries what happened, where, and what to do next. What drivers and servers say may
hold a password or a header that was sent: it is taken out here, so secrets never leave in one.
"""

from __future__ import annotations


def quoted(text: str, most: int) -> str:
    """What a system said, for a problem: one line of at most `most` signs, without secrets.

    Cut last: half an address no longer shows that a password is in it.
    """
    from timeline.clean import clean
    from timeline.export.redact_messages import without_secrets

    return without_secrets(clean(text))[:most]


class SourceProblem(Exception):
    """One source cannot answer: `where` names file, line, key or endpoint, `remedy` what to do."""

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        from timeline.export.redact_messages import without_secrets  # what goes well needs none

        self.what = without_secrets(what)
        self.where = without_secrets(where)
        self.remedy = without_secrets(remedy)
        super().__init__(self.what)

    def sentence(self) -> str:
        """What happened, where and what to do, as one line."""
        place = f" ({self.where})" if self.where else ""
        advice = f" {self.remedy}" if self.remedy else ""
        return f"{self.what}{place}.{advice}"


class Misconfigured(SourceProblem):
    """The configuration cannot be right; nothing was sent anywhere."""


class MissingDriver(SourceProblem):
    """A driver is not installed; `remedy` holds the install command."""


class AccessRefused(SourceProblem):
    """The system answered and refused us."""


class Unreachable(SourceProblem):
    """No answer: refused, timed out, name not resolved, tunnel gone."""


class Overloaded(SourceProblem):
    """The system is up and turns clients away; seen from here, it is evidence."""


class BadAnswer(SourceProblem):
    """The answer cannot be understood."""


class NothingHere(SourceProblem):
    """The server answers, but this system keeps nothing there: no keys, no tables, no schema."""
