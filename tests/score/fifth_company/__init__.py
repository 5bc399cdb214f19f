"""A fifth company: languages, ids, queues in tables, an audit trail and neighbours of its own.

Families that settle here are kept aside. Written without knowledge of the detectors and of the
families they were tuned on. Owns words and shapes only; what goes wrong is the families' business.
"""
