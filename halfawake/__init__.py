"""The command: reads what the person asked for, wires the rooms, decides nothing about time."""

__version__ = "0.1.0"
