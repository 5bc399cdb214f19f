"""What a pasted alert, stack trace, log line or link says about time, place and ids.

Pure: text in, `Pasted` out; `settle` makes one instant of it, or two or more to ask about. A time
that can be read in two ways is never decided here.
"""
