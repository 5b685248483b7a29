"""Signs events and verifies their signatures."""

import base64
from collections.abc import Mapping

from local.signing import LOCAL_SECRETS, sign
from storefront.payments.signatures import InvalidSignature, Unauthenticated, claim_of, is_signed
from tests.forged_events import EVENT_ID

NOW = 1_700_000_000
BODY = b'{"order_id": "1", "payment_status": "paid"}'
WHSEC, STRIPE_SECRET = LOCAL_SECRETS["standard_webhooks"][0], LOCAL_SECRETS["stripe"][0]
KEYS = {
    "x_signature": LOCAL_SECRETS["x_signature"][0].encode(),
    "standard_webhooks": base64.b64decode(WHSEC.removeprefix("whsec_")),
    "stripe": STRIPE_SECRET.encode(),
}
"""Each scheme's secret, as HMAC takes it."""


def verify(headers: Mapping[str, str], body: bytes, key: bytes, now: float = NOW) -> None:
    if not is_signed(claim_of(headers, body, now), key):
        raise InvalidSignature("signed with another secret")


def is_accepted(headers: Mapping[str, str], body: bytes, key: bytes) -> bool:
    try:
        verify(headers, body, key)
    except Unauthenticated:
        return False
    return True


def signed(scheme: str, body: bytes = BODY, *, at: int = NOW, event_id: str = EVENT_ID) -> dict[str, str]:
    """The headers of an authentic event."""
    return sign(scheme, LOCAL_SECRETS[scheme][:1], body, event_id, at)
