"""API clients with access tokens."""

from functools import partial

from storefront import access
from storefront.routes import ROUTES
from tests.api_client import ApiClient, over_handlers

SCOPES = sorted({scope for methods in ROUTES.values() for scope in methods.values()} - access.OPEN)

# Literal, so that a change of the scopes that the code allows fails a test.
CUSTOMER_SCOPES = ("orders:read", "orders:write")
"""The scopes that a customer's token may have."""

WITHOUT_TOKEN = ApiClient(over_handlers)
"""A client without a token."""


def with_claims(**claims: str) -> ApiClient:
    """A client whose token has these claims."""
    return ApiClient(partial(over_handlers, claims={"sub": "somebody", **claims}))


def client_with_scopes(*scopes: str, **claims: str) -> ApiClient:
    """A client of the shop, or of the customer in the claims."""
    of_the_shop = [] if "customer_id" in claims else ["orders:all"]
    return with_claims(scope=" ".join([*scopes, *of_the_shop]), **claims)


def customer_client(customer_id: int) -> ApiClient:
    return client_with_scopes(*CUSTOMER_SCOPES, sub=f"customer-{customer_id}", customer_id=str(customer_id))
