"""A third company: its languages, ids, queues, database servers and neighbours.

Written by somebody who has read neither the detectors nor the families and wordings they are
developed on. Owns words and shapes only; what goes wrong is the kept-aside families' business.
"""
