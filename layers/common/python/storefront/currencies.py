"""The decimal places of currencies."""

EXPONENTS = {
    **dict.fromkeys("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split(), 0),  # noqa: SIM905  20 lines
    **dict.fromkeys("BHD JOD KWD OMR TND".split(), 3),  # noqa: SIM905  likewise
}
"""Decimal places of Stripe's amounts, if not 2. https://docs.stripe.com/currencies"""
