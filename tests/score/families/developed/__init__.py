"""Families whose authors may know the detectors; see `tests.score.families`."""
