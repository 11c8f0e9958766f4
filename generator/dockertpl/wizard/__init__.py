"""The wizard: its screens, its questions, and their order."""
