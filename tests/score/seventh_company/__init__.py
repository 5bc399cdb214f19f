"""A seventh company, a municipal utility: its languages, ids, queues and neighbours.

Written by somebody who has read neither the detectors nor what they are developed on. Owns words
and shapes only; what goes wrong is the kept-aside families' business.
"""
