"""One look-alike per detector: a world in which that detector must stay silent."""
