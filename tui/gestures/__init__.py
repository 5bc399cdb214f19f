"""What a person can do on the incident screen, one file for each kind of gesture.

A gesture is a line of `tui/actions.py` and a method `action_<name>` here. Methods stay short: what
is known lives in `ScreenState`, what is drawn in the pure modules.
"""
