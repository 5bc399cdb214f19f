"""Reach the systems: one file per system, each turning its facts into events."""
