"""Finds the repositories of a fleet: in folders, in a list, at a forge."""
