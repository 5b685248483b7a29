"""Signatures of payment events: HMAC-SHA256 of the received bytes (RFC 2104, FIPS 180-4). Pure functions.

The header with the signature determines the scheme:

x_signature        X-Signature: the HMAC of the body, as 64 lowercase hexadecimal digits

standard_webhooks  webhook-signature: v1,base64 of the HMAC of id.timestamp.body. Spaces separate several.
                   webhook-id and webhook-timestamp: the ID and the timestamp.
                   Svix's names svix-id, svix-timestamp and svix-signature also work, if no webhook- name is sent.
                   https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

stripe             Stripe-Signature: t=timestamp,v1=hexadecimal of the HMAC of timestamp.body. Several v1 are allowed.
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
"""Seconds between the timestamp and now. After that, a recorded event cannot be sent again."""

MAX_SIGNATURES = 16
"""The maximum in one header. A sender signs with each of its valid secrets."""

_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_HEX_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
# 32 bytes. Unused bits are 0, so that each digest has exactly one text.
_BASE64_DIGEST = re.compile(r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=", re.ASCII)
# Visible characters without a full stop, because a full stop separates the ID from the timestamp.
_WEBHOOK_ID = re.compile(r"[!-\-/-~]{1,255}", re.ASCII)
_WEBHOOK_PARTS = ("id", "timestamp", "signature")
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
    """The claim that one of the digests is the HMAC of the content. It is not checked yet."""

    scheme: Scheme
    content: bytes
    digests: list[bytes]
    webhook_id: str | None = None


def claim_of(headers: Mapping[str, str], body: bytes, now: float) -> Claim:
    """Return what an event's headers claim about its body.

    headers: names in any case. API Gateway joins a repeated header with a comma, and such a value is refused.
    now: seconds since 1970.
    Raises MissingSignature, or InvalidSignature if the headers are malformed or the timestamp is too far from now.
    """
    joined: dict[str, str] = {}
    for name, value in headers.items():
        # Whitespace around a value is not part of it (RFC 9110, section 5.5).
        text = value.strip(" \t")
        joined[name.lower()] = f"{joined[name.lower()]},{text}" if name.lower() in joined else text
    # One set of names or the other. Choosing for each header would be a guess.
    if not any(f"webhook-{part}" in joined for part in _WEBHOOK_PARTS):
        joined |= {f"webhook-{part}": joined.get(f"svix-{part}", "") for part in _WEBHOOK_PARTS}
    readers = [reader for header, reader in _READERS.items() if joined.get(header)]
    if not readers:
        raise MissingSignature("no header with a signature")
    # Choosing one of two schemes would be a guess.
    if len(readers) > 1:
        raise InvalidSignature("headers of more than one scheme")
    return readers[0](joined, body, now)


def is_signed(claim: Claim, secret: bytes) -> bool:
    """Return whether one of the digests was made with the secret."""
    expected = hmac.digest(secret, claim.content, hashlib.sha256)
    # Compare every digest in constant time. An empty secret never matches, because anyone can sign with it.
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
    content = f"{id_}.{_check_timestamp(timestamp, now)}.".encode() + body
    return Claim("standard_webhooks", content, digests, id_)


def _stripe(headers: Mapping[str, str], body: bytes, now: float) -> Claim:
    # Whitespace around the commas of a list is not part of it (RFC 9110, section 5.6.1).
    items = _versioned([item.strip(" \t") for item in headers["stripe-signature"].split(",")], "=")
    timestamps = [value for version, value in items if version == "t"]
    if len(timestamps) != 1:
        raise InvalidSignature("Stripe-Signature should have one t")
    digests = [_from_hex(value) for version, value in items if version == "v1"]
    return Claim("stripe", f"{_check_timestamp(timestamps[0], now)}.".encode() + body, digests)


_READERS: dict[str, Callable[[Mapping[str, str], bytes, float], Claim]] = {
    "x-signature": _x_signature,
    "webhook-signature": _standard_webhooks,
    "stripe-signature": _stripe,
}


def _versioned(items: list[str], separator: str) -> list[tuple[str, str]]:
    """Return the version and the value of each item. Unknown versions are allowed, because senders add new ones."""
    if len(items) > MAX_SIGNATURES:
        raise InvalidSignature("too many signatures")
    pairs = [item.partition(separator) for item in items]
    if not all(_VERSION.fullmatch(version) and value and separator not in value for version, _, value in pairs):
        raise InvalidSignature("the signature is malformed")
    return [(version, value) for version, _, value in pairs]


def _check_timestamp(timestamp: str, now: float) -> str:
    if not _TIMESTAMP.fullmatch(timestamp):
        raise InvalidSignature("the timestamp is malformed")
    age = now - int(timestamp)
    if abs(age) > TOLERANCE:
        raise InvalidSignature(f"the timestamp is {abs(age):.0f} s {'old' if age > 0 else 'in the future'}")
    return timestamp


def _from_hex(text: str) -> bytes:
    if not _HEX_DIGEST.fullmatch(text):
        raise InvalidSignature("the signature is not 64 lowercase hexadecimal digits")
    return bytes.fromhex(text)


def _from_base64(text: str) -> bytes:
    if not _BASE64_DIGEST.fullmatch(text):
        raise InvalidSignature("the signature is not the base64 of 32 bytes")
    return base64.b64decode(text)
