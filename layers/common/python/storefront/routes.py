"""Every route of the API, in one table.

The template, the functions' own routes and this table are held together by a test. With it any function can tell
an unknown path from a wrong method, the one that API Gateway sends everything unmatched to above all.
"""

import re

ROUTES: dict[str, frozenset[str]] = {
    "/api/products": frozenset({"GET", "POST"}),
    "/api/products/{id}": frozenset({"GET", "PUT", "DELETE"}),
    "/api/products/{id}/stock-adjustments": frozenset({"POST"}),
    "/api/orders": frozenset({"GET", "POST"}),
    "/api/orders/{id}": frozenset({"GET"}),
    "/api/orders/{id}/status": frozenset({"PUT"}),
    "/api/orders/{id}/events": frozenset({"GET"}),
    "/api/payment-webhook": frozenset({"POST"}),
    "/api/payment-events": frozenset({"GET"}),
    "/api/payment-events/{id}/replay": frozenset({"POST"}),
    "/api/reconciliation": frozenset({"GET"}),
}

_PATTERNS = [(re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), path) for path in ROUTES]


def match(path: str) -> str | None:
    """The route that a request path is of; None where there is none."""
    return next((route for pattern, route in _PATTERNS if pattern.fullmatch(path)), None)
