"""One module per command: what it does, in order."""
