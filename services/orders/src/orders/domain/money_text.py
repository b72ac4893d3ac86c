"""Amounts as people read them."""

from decimal import Decimal


def money_text(amount: Decimal) -> str:
    """A decimal string with at least two places: 25 is "25.00", 0.123 stays."""
    exact = amount.normalize()
    places = max(2, -int(exact.as_tuple().exponent))
    return f"{exact:.{places}f}"
