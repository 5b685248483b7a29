"""Values of payment events, as a sender writes them."""

from typing import Any

from storefront.payments import values


def start_of(parameter: Any) -> str:
    """A short name for a parameter."""
    return repr(parameter)[:40]


def sent(text: str) -> Any:
    """A value as a sender writes it."""
    return values.parse_json(text.encode())
