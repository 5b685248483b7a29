"""Cursors: signed texts that say where a page of a list ended.

A cursor is base64url(MAC ‖ position). The position is the sort keys of the last row, as JSON. The MAC is HMAC-SHA256,
cut to 128 bits. It covers the position and what the cursor is bound to: the list, its filters and its sort order.
"""

import base64
import hashlib
import hmac
import json
from typing import Any

from storefront.errors import BadCursor

_MAC_BYTES = 16


def encode(key: bytes, bound_to: str, position: list[Any]) -> str:
    """Return the cursor that continues after a position."""
    return _text(key, bound_to, json.dumps(position, ensure_ascii=False, separators=(",", ":")).encode())


def decode(key: bytes, bound_to: str, cursor: str) -> list[Any]:
    """Return the position to continue after. Raises BadCursor if the cursor is invalid or bound to another list."""
    try:
        payload = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))[_MAC_BYTES:]
    except ValueError:
        payload = b""
    # Compare the text, because several base64 texts can have the same bytes.
    if not hmac.compare_digest(cursor.encode(errors="replace"), _text(key, bound_to, payload).encode()):
        raise BadCursor
    position: list[Any] = json.loads(payload)
    return position


def _text(key: bytes, bound_to: str, payload: bytes) -> str:
    return base64.urlsafe_b64encode(_mac(key, bound_to, payload) + payload).rstrip(b"=").decode()


def _mac(key: bytes, bound_to: str, payload: bytes) -> bytes:
    # The length separates the two parts.
    bound = bound_to.encode()
    return hmac.digest(key, len(bound).to_bytes(8, "big") + bound + payload, hashlib.sha256)[:_MAC_BYTES]
