"""Errors as sentences, grouped by what the caller does next.

    SourceProblem            one source cannot answer; the others go on
      ├─ Misconfigured       the person must change the configuration
      ├─ MissingDriver       the person must install an extra
      ├─ AccessRefused       password, certificate or rights
      ├─ Unreachable         refused, timed out, tunnel died: may be retried
      ├─ Overloaded          the system itself refuses (too many clients, 429): evidence too
      ├─ BadAnswer           it answered with something that is not what it should be
      └─ NothingHere         it answered, and holds nothing of what this source reads

Every problem carries what happened, where, and what to do next. Secrets never enter one.
"""

from __future__ import annotations


class SourceProblem(Exception):
    """One source cannot answer: `where` names file, line, key or endpoint, `remedy` what to do."""

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.remedy = remedy

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
