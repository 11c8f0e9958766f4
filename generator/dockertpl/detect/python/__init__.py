"""Detect facts about a Python repository."""
