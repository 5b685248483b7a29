"""The JSON documents that the issuer returns: its metadata, its key and tokens."""

import time
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

from local import tokens
from local.issuer.sign_ins import OPENID, Grant
from local.settings import CONSOLE_CLIENT_ID, CONSOLE_SCOPE

MINUTES = 60
"""Minutes until an access token or an ID token expires."""


def metadata(url: str) -> dict[str, Any]:
    """Return the issuer's metadata (OpenID Connect Discovery, section 3)."""
    return {
        "issuer": url,
        "authorization_endpoint": f"{url}/authorize",
        "token_endpoint": f"{url}/token",
        "jwks_uri": f"{url}/jwks",
        "revocation_endpoint": f"{url}/revoke",
        "end_session_endpoint": f"{url}/logout",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "scopes_supported": CONSOLE_SCOPE.split(),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [tokens.ALGORITHM],
        "authorization_response_iss_parameter_supported": True,
        "request_uri_parameter_supported": False,
    }


def key_set(key: RSAKey) -> dict[str, Any]:
    """Return the public part of the signing key (RFC 7517, section 5)."""
    public = key.as_dict(private=False)
    return {"keys": [{**public, "kid": key.thumbprint(), "use": "sig", "alg": tokens.ALGORITHM}]}


def token_response(key: RSAKey, url: str, grant: Grant, refresh_token: str, nonce: str | None) -> dict[str, Any]:
    """Return new tokens (RFC 6749, section 5.1). They include an ID token if the client asked for it."""
    response = {
        "access_token": tokens.issue(key, grant.user, grant.scopes, MINUTES),
        "token_type": "Bearer",
        "expires_in": MINUTES * 60,
        "refresh_token": refresh_token,
        "scope": " ".join(grant.scopes),
    }
    return {**response, "id_token": _id_token(key, url, grant.user, nonce)} if OPENID in grant.scopes else response


def _id_token(key: RSAKey, url: str, user: str, nonce: str | None) -> str:
    now = int(time.time())
    claims: dict[str, Any] = {"iss": url, "aud": CONSOLE_CLIENT_ID, "sub": user, "iat": now, "exp": now + MINUTES * 60}
    if nonce is not None:
        claims["nonce"] = nonce
    return jwt.encode({"alg": tokens.ALGORITHM, "kid": key.thumbprint()}, claims, key)
