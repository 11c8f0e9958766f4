"""What is added to a price: another package of the workspace knows it."""

from pricing import gross

__all__ = ["gross"]
