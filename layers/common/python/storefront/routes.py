"""The table of routes and who may use them.

A test compares the table with the template and with the functions' handlers. The function for unmatched requests uses
the table to distinguish an unknown path (404) from a wrong method (405). HEAD has the rule of GET, and is not listed.
"""

import re
from enum import StrEnum
from functools import lru_cache


class Access(StrEnum):
    """The access rule of a route: open, a signature, or an access token with a scope (RFC 6749, section 3.3)."""

    ANYONE = "anyone"
    SIGNATURE = "signature"
    CATALOG_WRITE = "catalog:write"
    ORDERS_WRITE = "orders:write"
    ORDERS_READ = "orders:read"
    ORDERS_MANAGE = "orders:manage"


ORDERS_ALL = "orders:all"
"""The scope that marks a token of the shop. It opens no route by itself."""


ROUTES: dict[str, dict[str, Access]] = {
    "/api/products": {"GET": Access.ANYONE, "POST": Access.CATALOG_WRITE},
    "/api/products/{id}": {"GET": Access.ANYONE, "PUT": Access.CATALOG_WRITE, "DELETE": Access.CATALOG_WRITE},
    "/api/products/{id}/stock-adjustments": {"POST": Access.CATALOG_WRITE},
    "/api/products/{id}/stock-movements": {"GET": Access.CATALOG_WRITE},
    "/api/orders": {"GET": Access.ORDERS_READ, "POST": Access.ORDERS_WRITE},
    "/api/orders/{id}": {"GET": Access.ORDERS_READ},
    "/api/orders/{id}/status": {"PUT": Access.ORDERS_MANAGE},
    "/api/orders/{id}/events": {"GET": Access.ORDERS_READ},
    "/api/orders/{id}/notes": {"POST": Access.ORDERS_MANAGE},
    "/api/orders/{id}/payments": {"GET": Access.ORDERS_MANAGE},
    "/api/orders/{id}/refunds": {"GET": Access.ORDERS_MANAGE, "POST": Access.ORDERS_MANAGE},
    "/api/refunds": {"GET": Access.ORDERS_MANAGE},
    "/api/refunds/{id}/status": {"PUT": Access.ORDERS_MANAGE},
    "/api/customers/{customer_id}/personal-data": {"DELETE": Access.ORDERS_MANAGE},
    "/api/payment-webhook": {"POST": Access.SIGNATURE},
    "/api/payment-events": {"GET": Access.ORDERS_MANAGE},
    "/api/payment-events/{id}/replay": {"POST": Access.ORDERS_MANAGE},
    "/api/reconciliation": {"GET": Access.ORDERS_MANAGE},
    "/api/reconciliation/{kind}/{id}/acknowledgement": {"POST": Access.ORDERS_MANAGE},
    "/": {"GET": Access.ANYONE},
    "/docs": {"GET": Access.ANYONE},
    "/docs/{file}": {"GET": Access.ANYONE},
    "/console": {"GET": Access.ANYONE},
    "/console/{file}": {"GET": Access.ANYONE},
    "/openapi.json": {"GET": Access.ANYONE},
}

STATIC = frozenset({"/docs/{file}", "/console/{file}"})
"""The routes of files that pages consist of. They are no part of the API, so its description leaves them out."""

OF_CUSTOMERS = {("PUT", "/api/orders/{id}/status"): Access.ORDERS_WRITE}
"""The routes for which a customer's token needs another scope than the shop's."""

CHECKS_IF_MATCH = frozenset(
    {
        ("GET", "/api/products/{id}"),
        ("PUT", "/api/products/{id}"),
        ("DELETE", "/api/products/{id}"),
        ("POST", "/api/products/{id}/stock-adjustments"),
        ("GET", "/api/orders/{id}"),
        ("PUT", "/api/orders/{id}/status"),
        ("POST", "/api/orders/{id}/refunds"),
    }
)
"""The routes whose handlers compare If-Match with the current ETag. All other routes refuse it with 412."""

DEFAULT_ROUTE = "$default"
"""The route key of requests that match no route in API Gateway."""

# One expression with one group per route is faster than one expression per route.
_PATHS = tuple(ROUTES)
_PATTERN = re.compile("|".join("(" + re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)) + ")" for path in ROUTES))


def allowed_methods(route: str) -> list[str]:
    """Return the methods of a route, sorted. HEAD works wherever GET does (RFC 9110, section 9.1)."""
    methods = ROUTES[route]
    return sorted({*methods, "HEAD"} if "GET" in methods else methods)


def path_parameters(route: str) -> list[str]:
    """Return the names of the parameters in the path of a route."""
    return re.findall(r"\{(\w+)\}", route)


def cache_control(method: str, path: str) -> str:
    """Return whether caches may keep the response of a route (RFC 9111, section 5.2.2)."""
    methods = ROUTES.get(match(path) or "", {})
    # no-cache: a copy may be kept, and must be revalidated. Only responses that anyone may read.
    return "no-cache" if methods.get(method.upper()) is Access.ANYONE else "no-store"


@lru_cache(maxsize=1)
def match(path: str) -> str | None:
    """Return the route of a path, or None. It is remembered, because a request needs it several times."""
    result = _PATTERN.fullmatch(path)
    return _PATHS[result.lastindex - 1] if result and result.lastindex else None
