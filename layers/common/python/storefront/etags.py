"""Conditional requests: ETag, If-Match, If-None-Match (RFC 9110, sections 8.8.3, 13.1.1 and 13.1.2)."""

import hashlib
import re

_ENTITY_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_LIST = re.compile(rf"\s*{_ENTITY_TAG.pattern}(\s*,\s*{_ENTITY_TAG.pattern})*\s*")


def etag(body: str) -> str:
    """The strong ETag of an answer: it changes with any byte. product_etag.sql makes the same."""
    return f'"{hashlib.sha256(body.encode()).hexdigest()}"'


def if_match(header: str | None) -> list[str] | None:
    """The ETags that a change may find, without their quotes; None where any will do.

    A weak one never matches, and neither does what is no ETag: a change that asked for a check is not made unchecked.
    """
    if header is None or header.strip() == "*":
        return None
    return [tag for weak, tag in _entity_tags(header) if not weak]


def is_not_modified(header: str | None, current: str) -> bool:
    """Whether If-None-Match names the current ETag; weak and strong ones compare alike here."""
    if header is None:
        return False
    return header.strip() == "*" or current.strip('"') in [tag for _, tag in _entity_tags(header)]


def _entity_tags(header: str) -> list[tuple[str, str]]:
    return _ENTITY_TAG.findall(header) if _LIST.fullmatch(header) else []
