"""What is added to a price."""

import json
from decimal import Decimal
from pathlib import Path

RATES = json.loads((Path(__file__).parent / "rates.json").read_text())


def gross(net: str) -> str:
    """Return a net price with tax, both in euros."""
    return str((Decimal(net) * Decimal(RATES["standard"])).quantize(Decimal("0.01")))
