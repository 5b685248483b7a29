"""Cursors: where a page of a list ended, in a text that only this shop can have made.

A cursor is base64url(MAC ‖ position). The MAC is HMAC-SHA256, cut to 128 bits, over what the cursor is bound to (the
list, its filters and its order) and the position (the sort keys of the page's last row, as JSON).
"""

import base64
import hashlib
import hmac
import json
from typing import Any

from storefront.errors import BadCursor

_MAC_BYTES = 16


def encode(key: bytes, bound_to: str, position: list[Any]) -> str:
    """The cursor that goes on after a position."""
    return _text(key, bound_to, json.dumps(position, separators=(",", ":")).encode())


def decode(key: bytes, bound_to: str, cursor: str) -> list[Any]:
    """The position to go on after. Raises BadCursor for one that was changed, or made for another list."""
    try:
        payload = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))[_MAC_BYTES:]
    except ValueError:
        payload = b""
    # As text, since base64 has several texts for the same bytes.
    if not hmac.compare_digest(cursor.encode(errors="replace"), _text(key, bound_to, payload).encode()):
        raise BadCursor
    position: list[Any] = json.loads(payload)
    return position


def _text(key: bytes, bound_to: str, payload: bytes) -> str:
    return base64.urlsafe_b64encode(_mac(key, bound_to, payload) + payload).rstrip(b"=").decode()


def _mac(key: bytes, bound_to: str, payload: bytes) -> bytes:
    # The length keeps what is bound to and the position from running into each other.
    bound = bound_to.encode()
    return hmac.digest(key, len(bound).to_bytes(8, "big") + bound + payload, hashlib.sha256)[:_MAC_BYTES]
