"""How right the detectors are, measured on seeded incidents whose truth is known.

Nothing here reads a detector: worlds are built as connectors would have read them, faults are
injected with their truth beside them, and the findings are compared with it.
"""
