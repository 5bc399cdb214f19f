"""One file per command: its arguments and what it does. Imports of weight stand inside `run`."""
