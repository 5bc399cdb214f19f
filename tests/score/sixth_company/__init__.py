"""A sixth company: its languages, ids, queues, neighbours and nights. For kept-aside families."""
