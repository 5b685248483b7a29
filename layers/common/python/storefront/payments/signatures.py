"""Who sent a payment event: HMAC-SHA256 over the bytes received (RFC 2104, FIPS 180-4). Pure, no I/O.

X-Signature holds the raw body's HMAC in 64 lower-case hexadecimal digits, of one of the live secrets.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping

from storefront.errors import Problem

SIGNATURE_HEADER = "x-signature"

_HEX_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Unauthenticated(Problem):
    """One of two answers, the same whatever the cause behind it, so that nobody learns from them how to forge."""

    status, kind, title = 401, "unauthenticated", "The event is not authentic"


class MissingSignature(Unauthenticated):
    def __init__(self) -> None:
        super().__init__("Missing signature")


class InvalidSignature(Unauthenticated):
    def __init__(self) -> None:
        super().__init__("Invalid signature")


def signature_of(headers: Mapping[str, str]) -> str:
    """The signature that an event came with. Raises MissingSignature, or InvalidSignature where it cannot be one.

    headers: found by lower-case name; duplicates joined by a comma, as API Gateway does, and so refused.
    """
    signature = headers.get(SIGNATURE_HEADER)
    if not signature:
        raise MissingSignature
    if not _HEX_DIGEST.fullmatch(signature):
        raise InvalidSignature
    return signature


def is_signed(body: bytes, signature: str, secrets: Iterable[bytes]) -> bool:
    """Whether one of the secrets made the signature; with no secret, none did."""
    # Every secret is tried, whichever matches, and each comparison takes the same time wherever it differs. An empty
    # secret is no secret: anyone can sign with it.
    matches = [hmac.compare_digest(sign(body, secret), signature) for secret in secrets if secret]
    return any(matches)


def sign(body: bytes, secret: bytes) -> str:
    """The X-Signature of a body."""
    return hmac.new(secret, body, hashlib.sha256).hexdigest()
