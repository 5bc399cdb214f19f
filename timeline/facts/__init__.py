"""What several detectors need to know, derived once from a snapshot: errors, jobs, rows, spans.

Facts state what the records say and how exactly they say it. They never judge what caused an
incident; detectors do. Everything that reads log lines is a column expression.
"""
