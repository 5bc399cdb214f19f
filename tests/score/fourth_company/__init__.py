"""The fourth company: its languages, ids, queues, databases, neighbours and a quiet night.

Written without knowledge of the detectors or of the families they were developed on. Owns words
and shapes only; what goes wrong is the business of the families that settle here.
"""
