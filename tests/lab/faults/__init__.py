"""Real faults, one a file: `break_it(yard)` makes it happen and says what must be told of it."""
