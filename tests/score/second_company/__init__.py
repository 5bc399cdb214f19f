"""Other companies than the generator draws: their languages, ids, queues and neighbours.

Written without knowledge of the detectors; the families that settle here have since been read, so
they count as developed. Owns words and shapes only; what goes wrong is the families' business.
"""
