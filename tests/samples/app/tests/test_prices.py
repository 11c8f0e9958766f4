from orders.prices import gross


def test_tax_is_added() -> None:
    assert gross("100") == "119.00"
