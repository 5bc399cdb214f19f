"""What kinds of work are called: job classes that queues tell, and names on workers' first lines.

A queue that shows no message tells no class; the worker still writes it whenever it takes one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from timeline.incident import Incident

NAME = re.compile(
    r"\b(?:[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]*)+|[a-z][a-z0-9]+(?:[_-][a-z0-9]+)+)\b(?!\\?[\"']?\s?[=:])"
)
"""`WelcomeMail` or `welcome_mail`; one word alone may be anything, and a field's name is none."""
ENDING = re.compile(r"(?:Processor|Worker|Consumer|Handler|Listener|Job|Task|_job|_task|_worker)$")
LEAST_LETTERS = 6
MOST_NAMES = 200


def work_names(incident: Incident) -> tuple[str, ...]:
    """Names of kinds of work, sorted; modules, namespaces and endings such as `Worker` are cut."""
    told = incident.jobs.transitions.get_column("job_class").drop_nulls().unique().to_list()
    names = {re.split(r"\.|::|\\", kind.partition("(")[0])[-1] for kind in told}
    if not incident.jobs.named.is_empty():
        forms = incident.handled.filter(incident.handled.get_column("usual")).get_column("form")
        for form in forms.unique().head(MOST_NAMES).to_list():
            names.update(NAME.findall(form))
    bare = {ENDING.sub("", name) or name for name in names}
    return tuple(sorted(name for name in bare if len(name) >= LEAST_LETTERS))[:MOST_NAMES]
