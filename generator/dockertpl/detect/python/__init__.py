"""What a Python repository is."""
