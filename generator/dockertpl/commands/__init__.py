"""One short file a command: what it does, in order."""
