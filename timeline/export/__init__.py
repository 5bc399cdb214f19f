"""Ways out: one neutral document, redacted once, rendered by one file per format.

Owns what leaves the machine: Markdown, JSON and the three-line status. Everything that passes
here is cleaned, redacted and harmless where it is pasted. It must never read a source, ask for
the present time, or say more than the analysis and its evidence do.
"""
