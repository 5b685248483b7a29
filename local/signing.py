"""Sign payment events as processors do. Shares no code with the verification, so that tests find errors in either."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence

SCHEMES = ("x_signature", "standard_webhooks", "stripe")

SECRET_VARIABLES = {
    "x_signature": "WEBHOOK_SECRET",
    "standard_webhooks": "STANDARD_WEBHOOKS_SECRET",
    "stripe": "STRIPE_WEBHOOK_SECRET",
}

LOCAL_SECRETS = {
    "x_signature": ["local-only-not-a-secret", "local-only-not-a-secret-next"],
    # Of "local-only-not-a-secret!" and "local-only-not-a-secret-next!".
    "standard_webhooks": ["whsec_bG9jYWwtb25seS1ub3QtYS1zZWNyZXQh", "whsec_bG9jYWwtb25seS1ub3QtYS1zZWNyZXQtbmV4dCE="],
    "stripe": ["whsec_local-only-not-a-secret", "whsec_local-only-not-a-secret-next"],
}
"""The default secrets of each scheme: the current one, and the next one for a rotation."""


def secrets(environment: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the valid secrets of each scheme.

    If the environment sets a secret, the well-known default secrets are invalid: the stack may be public then.
    """
    named = {scheme: [environment[name]] for scheme, name in SECRET_VARIABLES.items() if environment.get(name)}
    return named or LOCAL_SECRETS


def sign(scheme: str, keys: Sequence[str], body: bytes, event_id: str, timestamp: int) -> dict[str, str]:
    """Return the headers for a body, with a signature for each key. X-Signature supports only the first key.

    timestamp: seconds since 1970.
    """
    if scheme == "x_signature":
        return {"x-signature": _hmac(keys[0].encode(), body).hex()}
    if scheme == "stripe":
        content = f"{timestamp}.".encode() + body
        signatures = [f"v1={_hmac(key.encode(), content).hex()}" for key in keys]
        return {"stripe-signature": ",".join([f"t={timestamp}", *signatures])}
    content = f"{event_id}.{timestamp}.".encode() + body
    secrets = [base64.b64decode(key.removeprefix("whsec_")) for key in keys]
    signatures = [f"v1,{base64.b64encode(_hmac(secret, content)).decode()}" for secret in secrets]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def _hmac(key: bytes, content: bytes) -> bytes:
    return hmac.new(key, content, hashlib.sha256).digest()
