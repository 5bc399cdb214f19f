"""Families written by authors who do not read the detectors; see README.md here."""
