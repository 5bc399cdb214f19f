"""What the account may do, from its own GRANT lines: the proof that it cannot write, if there is.

The lines also hold the hash of a password; nothing of them but names of rights is ever kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

GRANTS = "SHOW GRANTS"
READING = frozenset(
    [
        "USAGE",
        "SELECT",
        "PROCESS",
        "SHOW DATABASES",
        "SHOW VIEW",
        "SHOW CREATE ROUTINE",
        "SHOW_ROUTINE",
        "REPLICATION CLIENT",
        "BINLOG MONITOR",
        "SLAVE MONITOR",
        "REPLICA MONITOR",
    ]
)
"""Rights that change nothing (MySQL 8 manual 8.2.2; MariaDB "GRANT"). Any other could."""
PROCESS = "PROCESS"
MONITORS = frozenset(["REPLICATION CLIENT", "SLAVE MONITOR", "REPLICA MONITOR"])
"""Any of these lets the account ask whether the server is a replica."""
ALL = "ALL PRIVILEGES"

_GRANT = re.compile(r"^GRANT (.+?) ON (?:TABLE |FUNCTION |PROCEDURE )?\S+ TO ", re.IGNORECASE)
_COLUMNS = re.compile(r"\s*\([^)]*\)")


@dataclass(frozen=True, slots=True)
class Rights:
    """`writing` are the rights that could change something; `roles` whether roles may add some."""

    writing: tuple[str, ...]
    sees_transactions: bool
    sees_replication: bool
    roles: bool

    @property
    def refuses_writes(self) -> bool | None:
        """True when provably so, False when it could write, None when roles leave it open."""
        if self.writing:
            return False
        return None if self.roles else True


def rights_from(lines: Iterable[str], *, lists_roles: bool) -> Rights:
    """The rights in the lines of SHOW GRANTS. `lists_roles`: it also lists what roles bring."""
    held: set[str] = set()
    roles = False
    for line in lines:
        match = _GRANT.match(line)
        if match is None:
            roles = roles or line.upper().startswith("GRANT ")
            continue
        names = _COLUMNS.sub("", match[1]).split(",")
        held |= {name.strip().upper() for name in names}
        if "WITH GRANT OPTION" in line.upper():
            held.add("GRANT OPTION")
    everything = ALL in held or "ALL" in held
    return Rights(
        writing=tuple(sorted(held - READING)),
        sees_transactions=everything or PROCESS in held,
        sees_replication=everything or bool(held & MONITORS) or "SUPER" in held,
        roles=roles and not lists_roles,
    )
