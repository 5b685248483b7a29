"""Who may do what: the scopes and the customer of the token that API Gateway's JWT authorizer has checked.

Checked once more here, and closed where in doubt: without the authorizer's context, as under `sam local`, which skips
JWT authorizers, for a route that has no decision on access, and for a claim that cannot be read.
"""

import re
from collections.abc import Mapping
from typing import Any

from storefront import settings
from storefront.actor import OWN_ACTORS, claims_of
from storefront.cold_start.powertools import APIGatewayProxyEventV2
from storefront.errors import Problem
from storefront.fields import MAX_INTEGER
from storefront.routes import DEFAULT_ROUTE, ROUTES, Access, match

OPEN = frozenset({Access.ANYONE, Access.SIGNATURE})
"""What asks for no token."""

CUSTOMERS = frozenset({Access.ORDERS_WRITE, Access.ORDERS_READ})
"""What a customer's token may be good for; with any other scope in it somebody made a mistake."""

MAX_SUBJECT = 255
"""Characters (OpenID Connect Core, section 2): it is kept with whatever it did, and in the key of its keys."""

COGNITO_PREFIX = "storefront/"
"""Cognito puts the resource server's identifier before a scope's name.
https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-define-resource-servers.html"""


class TokenMissing(Problem):
    """The route requires an access token."""

    status, kind, title = 401, "token-missing", "Access token required"
    default_detail = "This route requires an access token."

    def __init__(self) -> None:
        # RFC 6750, section 3.
        super().__init__(headers={"WWW-Authenticate": "Bearer"})


class Forbidden(Problem):
    """The access token does not allow this request. `WWW-Authenticate` names the required scope if it is missing."""

    status, kind, title = 403, "forbidden", "Forbidden"


class InsufficientScope(Forbidden):
    def __init__(self, scope: str) -> None:
        # RFC 6750, section 3.1.
        challenge = f'Bearer error="insufficient_scope", scope="{scope}"'
        super().__init__(
            f"This route requires an access token with the scope {scope}.", headers={"WWW-Authenticate": challenge}
        )


def check(event: APIGatewayProxyEventV2) -> None:
    """Raise TokenMissing or Forbidden if the access token does not allow the request."""
    if settings.auth_is_on():
        _check_scope(event)


def customer_of(event: APIGatewayProxyEventV2) -> int | None:
    """The customer whose token it is, who sees their own orders alone; None for the shop's. Raises Forbidden."""
    if "customer_id" not in (claims := claims_of(event)) or not settings.auth_is_on():
        return None
    text = str(claims["customer_id"])
    if not re.fullmatch(r"[1-9][0-9]{0,9}", text) or int(text) > MAX_INTEGER:
        raise Forbidden("The customer_id claim is not a valid ID.")
    return int(text)


def own_customer_id(event: APIGatewayProxyEventV2, asked_for: int | None) -> int | None:
    """Whose orders a request is about: a customer's own, or whoever's the shop asks for; None for everybody's.

    Raises Forbidden where a customer asks for another one's.
    """
    customer_id = customer_of(event)
    if customer_id is None:
        return asked_for
    if asked_for not in (None, customer_id):
        raise Forbidden("The access token belongs to another customer.")
    return customer_id


def _check_scope(event: APIGatewayProxyEventV2) -> None:
    # As Powertools finds the handler, and not by API Gateway's routeKey: what is checked has to be what is done.
    path = match(event.path)
    needed = ROUTES.get(path or "", {}).get(event.http_method.upper())
    if needed in OPEN or (needed is None and event["routeKey"] == DEFAULT_ROUTE):
        # The latter to be answered 404 or 405.
        return
    claims = claims_of(event)
    if not claims:
        raise TokenMissing
    if needed is None:
        raise Forbidden("This route has no access rule.")
    if not _is_subject(claims.get("sub")):
        raise Forbidden("The sub claim is missing or not valid.")
    if needed not in _scopes(claims):
        raise InsufficientScope(needed)
    if customer_of(event) is not None and needed not in CUSTOMERS:
        raise Forbidden("Customers cannot use this route.")


def _is_subject(sub: Any) -> bool:
    return isinstance(sub, str) and 0 < len(sub) <= MAX_SUBJECT and sub.isprintable() and sub not in OWN_ACTORS


def _scopes(claims: Mapping[str, str]) -> set[str]:
    # RFC 8693, section 4.2, has "scope"; some issuers send the list "scp" in its place. API Gateway reads both.
    text = str(claims.get("scope") or claims.get("scp") or "")
    return {scope.removeprefix(COGNITO_PREFIX) for scope in text.removeprefix("[").removesuffix("]").split(" ")}
