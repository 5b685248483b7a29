"""Scopes and customers: what the access token of a request allows.

API Gateway's JWT authorizer checks the token first. The functions check scopes again, because `sam local` has no JWT
authorizer. In doubt they refuse: without claims, with an unreadable claim, or for a route without an access rule.
"""

import re
from collections.abc import Mapping
from typing import Any

from storefront import settings
from storefront.actor import OWN_ACTORS, claims_of
from storefront.cold_start.powertools import APIGatewayProxyEventV2
from storefront.errors import Problem
from storefront.fields import MAX_INTEGER
from storefront.routes import DEFAULT_ROUTE, OF_CUSTOMERS, ORDERS_ALL, ROUTES, Access, match

OPEN = frozenset({Access.ANYONE, Access.SIGNATURE})
"""Routes with these rules need no token."""

CUSTOMERS = frozenset({Access.ORDERS_WRITE, Access.ORDERS_READ})
"""The scopes that a customer's token can use. Other scopes in it are ignored."""

CATALOG = frozenset({Access.CATALOG_WRITE})
"""The scopes of routes that show nothing of customers."""

MAX_SUBJECT = 255
"""Characters (OpenID Connect Core, section 2). The database stores the subject with each change."""

COGNITO_PREFIX = "storefront/"
"""Cognito puts the identifier of the resource server in front of a scope.
https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-define-resource-servers.html"""


class TokenMissing(Problem):
    """The route requires an access token."""

    status, kind, title = 401, "token-missing", "Access token required"
    default_detail = "This route requires an access token."

    def __init__(self) -> None:
        # RFC 6750, section 3.
        super().__init__(headers={"WWW-Authenticate": "Bearer"})


class Forbidden(Problem):
    """The access token does not allow this request. If a scope is missing, `WWW-Authenticate` names it."""

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
    """Return the customer that the token belongs to, or None for the shop's own token. Raises Forbidden.

    A customer has access only to their own orders.
    """
    name = settings.customer_claim()
    if name not in (claims := claims_of(event)) or not settings.auth_is_on():
        return None
    text = str(claims[name])
    if not re.fullmatch(r"[1-9][0-9]{0,9}", text) or int(text) > MAX_INTEGER:
        raise Forbidden(f"The claim {name} is not a valid ID.")
    return int(text)


def allowed_customer_id(event: APIGatewayProxyEventV2, requested: int | None) -> int | None:
    """Return the customer that a request is limited to, or None for all customers.

    requested: the customer that the request names. Raises Forbidden if the token belongs to another customer.
    """
    customer_id = customer_of(event)
    if customer_id is None:
        return requested
    if requested not in (None, customer_id):
        raise Forbidden("The access token belongs to another customer.")
    return customer_id


def _check_scope(event: APIGatewayProxyEventV2) -> None:
    # By method and path, as Powertools finds the handler, and not by API Gateway's routeKey. Both must agree.
    path = match(event.path)
    required = ROUTES.get(path or "", {}).get(event.http_method.upper())
    if required in OPEN or (required is None and event["routeKey"] == DEFAULT_ROUTE):
        # An unmatched request gets 404 or 405, and needs no token.
        return
    claims = claims_of(event)
    if not claims:
        raise TokenMissing
    if required is None:
        raise Forbidden("This route has no access rule.")
    if not _is_subject(claims.get("sub")):
        raise Forbidden("The sub claim is missing or not valid.")
    is_customer = customer_of(event) is not None
    if is_customer:
        required = OF_CUSTOMERS.get((event.http_method.upper(), path or ""), required)
    if required not in (scopes := _scopes(claims)):
        raise InsufficientScope(required)
    if is_customer and required not in CUSTOMERS:
        raise Forbidden("Customers cannot use this route.")
    if required not in CATALOG and is_customer == _is_of_the_shop(claims, scopes):
        raise Forbidden(
            f"A token has either the claim {settings.customer_claim()}, or the scope {ORDERS_ALL} of the shop."
            f" This one has {'both' if is_customer else 'neither'}."
        )


def _is_of_the_shop(claims: Mapping[str, str], scopes: set[str]) -> bool:
    if ORDERS_ALL in scopes:
        return True
    name, _, value = settings.shop_claim().partition("=")
    return value != "" and str(claims.get(name)) == value


def _is_subject(sub: Any) -> bool:
    return isinstance(sub, str) and 0 < len(sub) <= MAX_SUBJECT and sub.isprintable() and sub not in OWN_ACTORS


def _scopes(claims: Mapping[str, str]) -> set[str]:
    # RFC 8693, section 4.2, defines "scope". Some issuers send the list "scp" instead. API Gateway reads both.
    text = str(claims.get("scope") or claims.get("scp") or "")
    return {scope.removeprefix(COGNITO_PREFIX) for scope in text.removeprefix("[").removesuffix("]").split(" ")}
