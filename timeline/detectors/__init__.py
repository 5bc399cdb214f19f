"""One file per detector. Each tells one kind of story and how sure it is of it.

A detector reads the facts of an `Incident` and returns findings, or `NotEvaluated` when it lacks
a source. It never scans log bodies at large and never imports another detector.
"""
