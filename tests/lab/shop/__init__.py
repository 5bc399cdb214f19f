"""The shop under investigation: three services in three logging styles, run as processes.

Ordinary code with two ordinary mistakes: a job is enqueued before the transaction commits, and a
row lock is held across a call to a cache. Nothing in here knows of a fault, a proxy or a test.
"""
