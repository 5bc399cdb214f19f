"""What every queue connector tells in the same shape: transitions, the present, the account.

A connector knows where its queue keeps things; how a job's life is told is decided here, once, so
that detectors and lanes need to know no queue.
"""
