"""What programs say at the end of a piece of work: done, failed, or what is there now."""

from __future__ import annotations

import re

_STATUS = (
    r"(?:HTTP/\d(?:\.\d)?\"? |\b(?i:(?:http|response)?[_. ]?status(?:[_ ]?code)?)[\"']?[=: ]+\"?|"
    r"\b(?:Completed|Sent|[Rr]espond(?:ed|ing)|[Aa]nswer(?:ed|ing)|[Rr]eturn(?:ed|ing))(?: with)? |"
    r"\b(?:GET|POST|PUT|PATCH|DELETE) \S+(?: -?>?)? )"
)
"""What stands before an HTTP status in access logs and in frameworks' request lines."""
_REQUEST = r" (?:GET|POST|PUT|PATCH|DELETE) /"
"""And what follows it where a framework writes the status first."""
SUCCEEDED = re.compile(
    rf"{_STATUS}2\d\d\b|\b2\d\d{_REQUEST}|(?i:\b(?:ok|success(?:ful(?:ly)?)?|succeeded|completed|finished|done|"
    r"processed|accepted)\b)"
)
FAILED = re.compile(
    rf"{_STATUS}[45]\d\d\b|\b[45]\d\d{_REQUEST}|(?i:\b(?:not|no|fail(?:ed|ure|s)?|error|exception|abort(?:ed|ing)?|"
    r"unsuccessful|incomplete|rejected|retry(?:ing)?|skipp(?:ed|ing))\b)"
)
"""What programs say at the end of a piece of work. A line that says both is no success."""
CREATED = (
    rf"{_STATUS}201\b|\b201{_REQUEST}|"
    r"(?i:\b(?:created|imported|inserted|registered|added|stored)\b)"
)
"""What they say of something that was not there before."""
