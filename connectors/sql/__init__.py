"""What the connectors of SQL databases share: stamps, tables, rows as events, reading around T.

Pure: speaks to no server. A connector brings a session, a dialect and the forms of its stamps.

Attributes of a `row.version`, the same names from PostgreSQL, MySQL, MariaDB and SQLite:

    table         the audited table; absent where only a class is recorded and no table is known
    pk            its row: a whole number where the key is one, else text
    columns       new values of the columns that changed; empty for a deletion
    before        their old values; empty for a creation, null where the old value was null
    changed       both: {column: [old, new]}
    actor         who, as recorded (an id or a name); empty where nothing says it
    actor_type    the class of that id, where recorded
    action        created, updated, deleted, superseded, or the tool's own word
    tool          paper_trail, audited, logidze, django-simple-history, django-reversion,
                  system-versioned
    txn           id of the writing transaction (PostgreSQL's xmin), where it can be known
    version       the tool's own number of the version (audited, logidze)
    lock_version  [old, new] of the optimistic locking counter, where the row has one and it moved
    txid          paper_trail's own transaction id, no database's
    request_id    the request, where recorded
    note          what could not be opened or is not known; empty when all was read

A value reads "(not shown)" where the column is neither an id, a time, a small vocabulary nor
configured: then only that it changed is known, and two such values must not be compared. Columns
of bookkeeping (update stamps, `lock_version`) are no part of `columns`, except in tables that the
server versions itself. An empty `columns` with a `note` says nothing about what changed.
"""
