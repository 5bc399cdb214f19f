"""A small real shop with real faults, and the recorded incidents that come with the package.

Real processes, a real queue library and real servers on stock settings; the only thing that is
made is the fault, by the TCP proxy between two of them. Start with ``python -m tests.lab --help``.
"""
