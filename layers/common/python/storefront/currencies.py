"""The decimal places of currencies."""

EXPONENTS = {
    **dict.fromkeys("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split(), 0),  # noqa: SIM905  20 lines
    **dict.fromkeys("BHD JOD KWD OMR TND".split(), 3),  # noqa: SIM905  likewise
}
"""Decimal places of Stripe's amounts, if not 2. https://docs.stripe.com/currencies"""

_WHOLE_IN_TWO_PLACES = {"ISK", "UGX"}
"""Stripe's amounts have two places, which must be zeros."""


WHOLE = sorted({currency for currency, places in EXPONENTS.items() if places == 0} | _WHOLE_IN_TWO_PLACES)
"""Currencies whose prices have no decimal places."""


def price_places(currency: str) -> int:
    """Return the decimal places that a price may have: 0 or 2. A third place of a currency is not used.

    Stripe requires a zero in the third place, which has the same effect. https://docs.stripe.com/currencies
    """
    return 0 if currency in WHOLE else 2
