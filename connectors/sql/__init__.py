"""What the connectors of SQL databases share: stamps, tables, rows as events, reading around T.

Pure: speaks to no server. A connector brings a session, a dialect and the forms of its stamps.
"""
