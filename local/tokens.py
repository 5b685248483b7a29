"""Access tokens for `make run`: issue them, and check them as API Gateway's JWT authorizer does.

python -m local.tokens --scope orders:read
"""

import argparse
import os
import re
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from local.settings import read_settings
from storefront.access import CUSTOMERS, OPEN
from storefront.routes import ORDERS_ALL, Access

KEY_FILE = "token-key.pem"
ISSUER = "https://local-only.invalid"
AUDIENCE = "storefront"
ALGORITHM = "RS256"
"""API Gateway accepts only RSA.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html"""

_CLAIMS = jwt.JWTClaimsRegistry(
    iss={"essential": True, "value": ISSUER},
    aud={"essential": True, "value": AUDIENCE},
    exp={"essential": True},
)


class RefusedError(Exception):
    """API Gateway refuses the request."""

    def __init__(self, status: HTTPStatus, challenge: str) -> None:
        super().__init__(challenge)
        self.status = status
        self.challenge = challenge


class Authorizer:
    """Checks the tokens of routes that require one."""

    def __init__(self, key: RSAKey, scopes: Mapping[str, frozenset[str] | None]) -> None:
        """scopes: by route key. A token needs one of them. None if the route needs no token."""
        self._key = key
        self._scopes = scopes

    def context(self, route_key: str, authorization: str | None) -> dict[str, Any] | None:
        """Return the authorizer's part of the event, or None if the route needs no token. Raises RefusedError."""
        needed = self._scopes[route_key]
        if needed is None:
            return None
        if not authorization:
            raise RefusedError(HTTPStatus.UNAUTHORIZED, "Bearer")
        claims = self._checked(re.sub(r"(?i)^bearer\s+", "", authorization))
        held = set(str(claims.get("scope", "")).split())
        if needed and not needed & held:
            raise RefusedError(HTTPStatus.FORBIDDEN, 'Bearer error="insufficient_scope"')
        return {"jwt": {"claims": {name: _as_text(value) for name, value in claims.items()}, "scopes": sorted(needed)}}

    def _checked(self, token: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(token, self._key, algorithms=[ALGORITHM]).claims
            _CLAIMS.validate(claims)
        except (JoseError, ValueError, TypeError) as error:
            raise RefusedError(HTTPStatus.UNAUTHORIZED, 'Bearer error="invalid_token"') from error
        return claims


SCOPES = sorted({*(set(Access) - OPEN), ORDERS_ALL})
"""The scopes that a token can have."""


def issue(key: RSAKey, subject: str, scopes: list[str], minutes: int, customer_id: int | None = None) -> str:
    """Return a token: the shop's, or with a customer_id a customer's."""
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject,
        "scope": " ".join(scopes),
        "iat": now,
        "exp": now + minutes * 60,
        "jti": str(uuid.uuid4()),
    }
    if customer_id is not None:
        claims["customer_id"] = customer_id
    return jwt.encode({"alg": ALGORITHM, "kid": key.thumbprint()}, claims, key)


def signing_key(data_dir: Path) -> RSAKey:
    """Return the signing key of a data folder, created at the first call."""
    path = data_dir / KEY_FILE
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        # The link makes the complete file appear at once.
        with tempfile.NamedTemporaryFile(dir=data_dir) as draft:
            draft.write(RSAKey.generate_key(2048).as_pem(private=True))
            draft.flush()
            os.link(draft.name, path)
    return RSAKey.import_key(path.read_bytes())


def main(arguments: list[str]) -> None:
    options = _parser().parse_args(arguments)
    data_dir = read_settings(os.environ).data_dir
    if not (data_dir / KEY_FILE).exists():
        sys.exit(f"No signing key in {data_dir}. Start `AUTH=on make run` once, with the same DATA_DIR.")
    customer = options.customer
    subject = options.subject or ("staff" if customer is None else f"customer-{customer}")
    scopes = options.scope or (sorted(CUSTOMERS) if customer is not None else SCOPES)
    key = signing_key(data_dir)
    print(issue(key, subject, scopes, options.minutes, customer))


def _as_text(value: Any) -> str:
    # The format in which API Gateway passes claims to a function.
    if isinstance(value, bool):
        return str(value).lower()
    return f"[{' '.join(map(_as_text, value))}]" if isinstance(value, list) else str(value)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m local.tokens", description=__doc__)
    parser.add_argument(
        "--scope",
        action="append",
        choices=SCOPES,
        help="a scope; can be repeated; default: all scopes that the staff or a customer can have",
    )
    parser.add_argument("--customer", type=_customer_id, help="the customer's ID; default: the token is the staff's")
    parser.add_argument("--subject", help="the name in the timelines of orders")
    parser.add_argument("--minutes", type=int, default=60, help="minutes until the token expires; default: %(default)s")
    return parser


def _customer_id(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,9}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a customer's ID")
    return int(text)


if __name__ == "__main__":
    main(sys.argv[1:])
