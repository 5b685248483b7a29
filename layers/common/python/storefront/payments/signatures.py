"""Who sent a payment event: HMAC-SHA256 over the bytes received (RFC 2104, FIPS 180-4). Pure, no I/O.

Three schemes, told apart by the header that has the signature:

x_signature        X-Signature: the HMAC of the body, in 64 lower-case hexadecimal digits
standard_webhooks  webhook-signature: v1,base64 of the HMAC of id.timestamp.body, several of them apart by spaces; the
                   id and the timestamp in webhook-id and webhook-timestamp
                   https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
stripe             Stripe-Signature: t=timestamp,v1=hexadecimal of the HMAC of timestamp.body, with several v1
                   https://docs.stripe.com/webhooks#verify-manually
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from storefront.errors import Problem

Scheme = Literal["x_signature", "standard_webhooks", "stripe"]

TOLERANCE = 300
"""Seconds that an event may be older or newer than now: a recorded one cannot be sent again after that."""

MAX_SIGNATURES = 16
"""In one header; a sender has one for each of its live secrets."""

_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_HEX_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
# 32 bytes, and no bit set beyond them: each digest has one text only.
_BASE64_DIGEST = re.compile(r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=", re.ASCII)
# Visible, and no full stop: it ends where the timestamp begins in what is signed.
_WEBHOOK_ID = re.compile(r"[!-\-/-~]{1,255}", re.ASCII)
_VERSION = re.compile(r"[a-z][a-z0-9]*", re.ASCII)


class Unauthenticated(Problem):
    """The payment event has no valid signature.

    The response says only that a signature is missing or invalid, so that it does not help an attacker. The log has
    the cause, for the person who sets up the processor.
    """

    status, kind, title = 401, "unauthenticated", "Payment event not authenticated"


class MissingSignature(Unauthenticated):
    def __init__(self, cause: str) -> None:
        super().__init__("Missing signature", cause=cause)


class InvalidSignature(Unauthenticated):
    def __init__(self, cause: str) -> None:
        super().__init__("Invalid signature", cause=cause)


class Claim(NamedTuple):
    """What an event's headers say: that one of the digests, of 32 bytes, is the content's HMAC. Yet to be checked."""

    scheme: Scheme
    content: bytes
    digests: list[bytes]
    webhook_id: str | None = None


def claim_of(headers: Mapping[str, str], body: bytes, now: float) -> Claim:
    """What an event's headers claim of its body.

    headers: with names in any case; one that came twice has a comma, as API Gateway joins them, and so is refused.
    now: seconds since 1970, for the schemes with a timestamp.
    Raises MissingSignature, or InvalidSignature where no sender of ours can have made them.
    """
    found: dict[str, str] = {}
    for name, value in headers.items():
        found[name.lower()] = f"{found[name.lower()]},{value}" if name.lower() in found else value
    readers = [reader for header, reader in _READERS.items() if found.get(header)]
    if not readers:
        raise MissingSignature("no header with a signature")
    # Which of two to believe would be a guess.
    if len(readers) > 1:
        raise InvalidSignature("headers of more than one scheme")
    return readers[0](found, body, now)


def is_signed(claim: Claim, secret: bytes) -> bool:
    """Whether the secret made one of the claim's digests."""
    expected = hmac.digest(secret, claim.content, hashlib.sha256)
    # Every digest is compared, and for as long wherever it differs. An empty secret is none: anyone can sign with it.
    matches = [hmac.compare_digest(expected, digest) for digest in claim.digests]
    return bool(secret) and any(matches)


def _x_signature(headers: Mapping[str, str], body: bytes, _: float) -> Claim:
    return Claim("x_signature", body, [_from_hex(headers["x-signature"])])


def _standard_webhooks(headers: Mapping[str, str], body: bytes, now: float) -> Claim:
    id_, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not id_ or not timestamp:
        raise MissingSignature("no webhook-id or no webhook-timestamp")
    if not _WEBHOOK_ID.fullmatch(id_):
        raise InvalidSignature("webhook-id is malformed")
    signatures = _versioned(headers["webhook-signature"].split(" "), ",")
    digests = [_from_base64(value) for version, value in signatures if version == "v1"]
    content = f"{id_}.{_timely(timestamp, now)}.".encode() + body
    return Claim("standard_webhooks", content, digests, id_)


def _stripe(headers: Mapping[str, str], body: bytes, now: float) -> Claim:
    items = _versioned(headers["stripe-signature"].split(","), "=")
    timestamps = [value for version, value in items if version == "t"]
    if len(timestamps) != 1:
        raise InvalidSignature("Stripe-Signature should have one t")
    digests = [_from_hex(value) for version, value in items if version == "v1"]
    return Claim("stripe", f"{_timely(timestamps[0], now)}.".encode() + body, digests)


_READERS: dict[str, Callable[[Mapping[str, str], bytes, float], Claim]] = {
    "x-signature": _x_signature,
    "webhook-signature": _standard_webhooks,
    "stripe-signature": _stripe,
}


def _versioned(items: list[str], separator: str) -> list[tuple[str, str]]:
    """Each item's version and value. A version that nobody knows is let through, for senders add new ones."""
    if len(items) > MAX_SIGNATURES:
        raise InvalidSignature("too many signatures")
    pairs = [item.partition(separator) for item in items]
    if not all(_VERSION.fullmatch(version) and value and separator not in value for version, _, value in pairs):
        raise InvalidSignature("the signature is malformed")
    return [(version, value) for version, _, value in pairs]


def _timely(timestamp: str, now: float) -> str:
    if not _TIMESTAMP.fullmatch(timestamp):
        raise InvalidSignature("the timestamp is malformed")
    age = now - int(timestamp)
    if abs(age) > TOLERANCE:
        raise InvalidSignature(f"the timestamp is {abs(age):.0f} s {'old' if age > 0 else 'early'}")
    return timestamp


def _from_hex(text: str) -> bytes:
    if not _HEX_DIGEST.fullmatch(text):
        raise InvalidSignature("the signature is not 64 lower-case hexadecimal digits")
    return bytes.fromhex(text)


def _from_base64(text: str) -> bytes:
    if not _BASE64_DIGEST.fullmatch(text):
        raise InvalidSignature("the signature is not the base64 of 32 bytes")
    return base64.b64decode(text)
