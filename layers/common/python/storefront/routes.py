"""Every route of the API and who may use it, in one table.

The template, the functions' own routes and this table are held together by a test. With it any function can tell
an unknown path from a wrong method, the one that API Gateway sends everything unmatched to above all.
"""

import re
from enum import StrEnum


class Access(StrEnum):
    """Who may use a route: anyone, whoever signs, or whoever has a token with the scope (RFC 6749, section 3.3)."""

    ANYONE = "anyone"
    SIGNATURE = "signature"
    CATALOG_WRITE = "catalog:write"
    ORDERS_WRITE = "orders:write"
    ORDERS_READ = "orders:read"
    ORDERS_MANAGE = "orders:manage"


ROUTES: dict[str, dict[str, Access]] = {
    "/api/products": {"GET": Access.ANYONE, "POST": Access.CATALOG_WRITE},
    "/api/products/{id}": {"GET": Access.ANYONE, "PUT": Access.CATALOG_WRITE, "DELETE": Access.CATALOG_WRITE},
    "/api/products/{id}/stock-adjustments": {"POST": Access.CATALOG_WRITE},
    "/api/orders": {"GET": Access.ORDERS_READ, "POST": Access.ORDERS_WRITE},
    "/api/orders/{id}": {"GET": Access.ORDERS_READ},
    "/api/orders/{id}/status": {"PUT": Access.ORDERS_MANAGE},
    "/api/orders/{id}/events": {"GET": Access.ORDERS_READ},
    "/api/payment-webhook": {"POST": Access.SIGNATURE},
    "/api/payment-events": {"GET": Access.ORDERS_MANAGE},
    "/api/payment-events/{id}/replay": {"POST": Access.ORDERS_MANAGE},
    "/api/reconciliation": {"GET": Access.ORDERS_MANAGE},
    "/": {"GET": Access.ANYONE},
    "/docs": {"GET": Access.ANYONE},
    "/openapi.json": {"GET": Access.ANYONE},
}

DEFAULT_ROUTE = "$default"
"""Where API Gateway sends what no route matches."""

# One expression, with a group for each route.
_PATTERN = re.compile("|".join("(" + re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)) + ")" for path in ROUTES))


def match(path: str) -> str | None:
    """The route that a request path is of; None where there is none."""
    found = _PATTERN.fullmatch(path)
    return list(ROUTES)[found.lastindex - 1] if found and found.lastindex else None
