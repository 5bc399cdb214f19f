"""Other companies than the generator draws: their languages, ids, queues and neighbours.

Written without knowledge of the detectors, for the families in `families/kept_aside`. Owns words
and shapes only; what goes wrong is the families' business.
"""
