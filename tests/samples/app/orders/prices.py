"""What is added to a price."""

from decimal import Decimal

TAX = Decimal("1.19")


def gross(net: str) -> str:
    """Return a net price with tax, both in euros."""
    return str((Decimal(net) * TAX).quantize(Decimal("0.01")))
