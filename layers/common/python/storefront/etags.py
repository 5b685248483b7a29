"""Conditional requests: ETag, If-Match, If-None-Match (RFC 9110, sections 8.8.3, 13.1.1 and 13.1.2)."""

import hashlib
import re
from collections.abc import Collection

from storefront.errors import PreconditionNotSupported
from storefront.routes import CHECKS_IF_MATCH, ROUTES, Access

_CONDITIONS = frozenset({"if-match", "if-none-match", "if-unmodified-since"})
_ENTITY_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_LIST = re.compile(rf"\s*{_ENTITY_TAG.pattern}(\s*,\s*{_ENTITY_TAG.pattern})*\s*")


def etag(body: str) -> str:
    """Return the strong ETag of a response. product_etag.sql and order_etag.sql compute the same."""
    return f'"{hashlib.sha256(body.encode()).hexdigest()}"'


def refuse_unchecked(method: str, path: str, headers: Collection[str]) -> None:
    """Raise PreconditionNotSupported if a request has a condition that its route does not check.

    path: as in ROUTES. headers: the names, in lowercase.
    """
    if _CONDITIONS.isdisjoint(headers):
        return
    # An unmatched request gets 404 or 405. A payment event is never refused for a condition: the payment would be lost.
    if ROUTES.get(path, {}).get(method) in (None, Access.SIGNATURE):
        return
    conditions = {"if-match": "If-Match", "if-unmodified-since": "If-Unmodified-Since"}
    if (method, path) in CHECKS_IF_MATCH:
        del conditions["if-match"]
        if "if-match" in headers:
            # If-Match is the more accurate condition (RFC 9110, section 13.1.4).
            del conditions["if-unmodified-since"]
    if method != "GET":
        # A read may ignore it: the whole response is always correct.
        conditions["if-none-match"] = "If-None-Match"
    for name, header in conditions.items():
        if name in headers:
            raise PreconditionNotSupported(header)


def if_match(header: str | None) -> list[str] | None:
    """Return the ETags in If-Match without quotes, or None if every ETag matches.

    Weak ETags never match (RFC 9110, section 13.1.1). Malformed text matches nothing either, so that a change that
    asked for a check is never made without it.
    """
    if header is None or header.strip() == "*":
        return None
    return [tag for weak, tag in _entity_tags(header) if not weak]


def is_match(header: str | None, current: str) -> bool:
    """Return whether If-Match is missing or contains the current ETag."""
    tags = if_match(header)
    return tags is None or current.strip('"') in tags


def is_not_modified(header: str | None, current: str) -> bool:
    """Return whether If-None-Match contains the current ETag. Weak and strong ETags compare as equal here."""
    if header is None:
        return False
    return header.strip() == "*" or current.strip('"') in [tag for _, tag in _entity_tags(header)]


def _entity_tags(header: str) -> list[tuple[str, str]]:
    return _ENTITY_TAG.findall(header) if _LIST.fullmatch(header) else []
