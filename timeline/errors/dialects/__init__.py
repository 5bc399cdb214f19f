"""How each ecosystem says it: one module of wordings per family of libraries, one table.

Data only; standard library. The modules beside this package hold what every ecosystem shares, one
class of failure each.
"""

from __future__ import annotations

from timeline.errors.dialects import (
    beam,
    brokers,
    clouds,
    databases,
    dotnet,
    golang,
    jvm,
    node,
    perl_shell,
    php,
    pools,
    python,
    ruby,
    rust,
)
from timeline.errors.kinds import Fragment

FRAGMENTS: tuple[Fragment, ...] = (
    beam.FRAGMENTS
    + rust.FRAGMENTS
    + jvm.FRAGMENTS
    + php.FRAGMENTS
    + dotnet.FRAGMENTS
    + golang.FRAGMENTS
    + node.FRAGMENTS
    + python.FRAGMENTS
    + ruby.FRAGMENTS
    + perl_shell.FRAGMENTS
    + databases.FRAGMENTS
    + brokers.FRAGMENTS
    + clouds.FRAGMENTS
    + pools.FRAGMENTS
)
