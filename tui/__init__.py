"""The one screen. Draws what it is handed; never reads a source and never touches the network."""
