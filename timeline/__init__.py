"""What happened, in what order, how sure. Pure: no I/O, no network, no screen."""
