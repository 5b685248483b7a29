"""Requests that are safe to retry: the Idempotency-Key header.

https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header
"""

import hashlib
import json
import re
from typing import Any, NamedTuple

from storefront import db
from storefront.actor import Actor
from storefront.errors import InvalidRequest, Problem, retry_after

_BARE = re.compile(r"[\x21-\x7e]{1,255}")
# A string of structured fields (RFC 8941, section 3.3.3), as in the draft, but without spaces.
_QUOTED = re.compile(r'"((?:[\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')


class KeyInFlight(Problem):
    """The first request with this key is still running. Retry after `Retry-After` seconds."""

    status, kind, title = 409, "idempotency-key-in-flight", "Request still running"
    default_detail = "The first request with this Idempotency-Key is still running. Retry to get its response."

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": retry_after()})


class KeyReused(Problem):
    """The key was used before, for a request with other content."""

    status, kind, title = 422, "idempotency-key-reused", "Idempotency key reused"
    default_detail = "This Idempotency-Key was used for a request with other content. Send a new key."


class IdempotentResponse(NamedTuple):
    """The response of an SQL function, or the stored response to the first request."""

    outcome: str
    body: str
    is_replay: bool


def idempotency_key(header: str | None) -> str | None:
    """Return the key, or None without the header. Quotes are not part of the key. Raises InvalidRequest."""
    if header is None:
        return None
    key = header.strip(" \t")
    # API Gateway joins a repeated header with commas, and a key can contain commas. The same key twice is one key.
    given = {one.strip(" \t") for one in key.split(",")}
    if len(given) == 1 and given != {""} and not _QUOTED.fullmatch(key):
        key = given.pop()
    if quoted := _QUOTED.fullmatch(key):
        key = re.sub(r"\\(.)", r"\1", quoted[1])
    elif key.startswith('"'):
        key = ""
    if not _BARE.fullmatch(key):
        detail = "Idempotency-Key should be 1 to 255 visible ASCII characters, quoted or bare"
        raise InvalidRequest(detail, errors=[{"detail": detail, "header": "Idempotency-Key"}])
    return key


def call_once(
    operation: str, content: dict[str, Any], actor: Actor, key: str | None, **circumstances: Any
) -> IdempotentResponse:
    """Call an SQL function with the content. With a key, the function runs once for all requests with that key.

    circumstances: what the function also needs, such as an ETag or a setting. It is not part of the content, because it
    may be different in a retry.
    Raises KeyReused if the key was used with other content, or KeyInFlight if the first request is still running.
    """
    if key is None:
        return IdempotentResponse(
            *db.call(operation, json.dumps({**content, **actor, **circumstances}), repeatable=False),
            is_replay=False,
        )
    request = {
        "operation": operation,
        "caller": actor["actor"],
        "key": key,
        "fingerprint": hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest(),
        "content": {**content, **actor, **circumstances, "idempotency_key": key},
    }
    outcome, body = db.call("call_once", json.dumps(request), repeatable=True)
    if outcome == "key_reused":
        raise KeyReused
    if outcome == "in_flight":
        raise KeyInFlight
    return IdempotentResponse(outcome, body, is_replay=outcome == "replayed")


def sweep(batch_size: int) -> int:
    """Delete up to batch_size expired keys. Return how many."""
    return int(db.call("sweep_idempotency_keys", json.dumps({"batch_size": batch_size}), repeatable=False)[1])
