"""Limit the token of a staff member to the scopes of their groups.

Cognito calls this function before it issues tokens to a user, at sign-in and at each refresh. Without it, every user
would get every scope that the client requests. If it raises an exception, Cognito issues no token.
https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html
"""

from typing import Any

ORDERS = frozenset({"storefront/orders:all", "storefront/orders:read", "storefront/orders:manage"})

SCOPES_OF_GROUPS = {
    "managers": ORDERS | {"storefront/catalog:write"},
    "orders": ORDERS,
}
"""The scopes of each group, with the prefix of Cognito's resource server. The template creates the groups."""

FOR_EVERYONE = frozenset({"openid"})
"""Scopes that give no rights in the API."""

ALWAYS_SUPPRESSED = frozenset(
    {
        *("storefront/catalog:write", "storefront/orders:all", "storefront/orders:write"),
        *("storefront/orders:read", "storefront/orders:manage"),
        # With it, a token could change its user's email address.
        "aws.cognito.signin.user.admin",
    }
)
"""Suppressed without a group that has them, even if the event does not name them."""

TRIGGERS = (
    *("TokenGeneration_HostedAuth", "TokenGeneration_Authentication", "TokenGeneration_NewPasswordChallenge"),
    *("TokenGeneration_AuthenticateDevice", "TokenGeneration_RefreshTokens"),
)
"""The occasions on which a user gets a token. A program's token has another one, and does not come here."""


class UnknownEventError(Exception):
    """The event is not a pre token generation event of version 2. No token was issued."""

    def __init__(self) -> None:
        # Without the event, which has the name and the email address of a person.
        super().__init__(self.__doc__)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Return the event with the scopes to suppress. Scopes are never added."""
    request = _request(event)
    requested = _texts(request.get("scopes"))
    groups = _texts((request.get("groupConfiguration") or {}).get("groupsToOverride"))
    allowed = FOR_EVERYONE.union(*(SCOPES_OF_GROUPS.get(group, ()) for group in groups))
    suppressed = sorted((ALWAYS_SUPPRESSED | requested) - allowed)
    details = {"accessTokenGeneration": {"scopesToSuppress": suppressed}}
    return {**event, "response": {"claimsAndScopeOverrideDetails": details}}


def _request(event: Any) -> dict[str, Any]:
    if not isinstance(event, dict) or event.get("version") != "2" or event.get("triggerSource") not in TRIGGERS:
        raise UnknownEventError
    request = event.get("request")
    if not isinstance(request, dict) or not isinstance(request.get("groupConfiguration") or {}, dict):
        raise UnknownEventError
    return request


def _texts(value: Any) -> set[str]:
    """The texts of a list, which Cognito leaves out or sets to null if it is empty."""
    if value is None:
        return set()
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise UnknownEventError
    return set(value)
