"""The grammar of e-mail addresses (RFC 5321, section 4.1.2, and RFC 6531, section 3.3)."""

import re

MAX_LOCAL_PART = 64
MAX_DOMAIN = 255
MAX_ADDRESS = 254
"""Octets in UTF-8 (RFC 5321, sections 4.5.3.1.1 to 4.5.3.1.3). The path of 256 octets includes < and >."""

_MAX_LABEL = 63
"""Octets of a label in the DNS (RFC 1035, section 2.3.4)."""

# White space, controls, and other characters without an image, except those that join letters.
_HIDDEN = (
    r"\u0080-\u00a0\u00ad\u061c\u1680\u180e\u2000-\u200b\u200e-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff"
    r"\ufff0-\uffff"
)
# Look like dots, and some programs treat them as dots (RFC 3490, section 3.1).
_OTHER_DOTS = r"\u3002\uff0e\uff61"

_UTF8 = rf"[^\u0000-\u007f{_HIDDEN}]"
_ATOM = rf"([A-Za-z0-9!#$%&'*+/=?^_`{{|}}~-]|{_UTF8})+"
_QUOTED = rf'"([ !#-\[\]-~]|{_UTF8}|\\[ -~])*"'
_LETTER = rf"([A-Za-z0-9]|[^\u0000-\u007f{_HIDDEN}{_OTHER_DOTS}])"
_LABEL = rf"{_LETTER}(-*{_LETTER})*"

PATTERN = rf"^({_ATOM}(\.{_ATOM})*|{_QUOTED})@({_LABEL}\.)+(?![0-9]+$){_LABEL}$"
"""For Python and for JSON Schema. The limits are in octets, which a pattern cannot count.

A domain has at least two labels, and the last one is not a number, because it is a name in the public DNS (RFC 3696,
section 2). Comments and addresses in brackets are refused.
"""


def is_email_address(text: str) -> bool:
    """Return whether a mail server would accept an address."""
    if len(text.encode()) > MAX_ADDRESS or not re.fullmatch(PATTERN, text):
        return False
    local_part, _, domain = text.rpartition("@")
    labels = [_in_dns(label) for label in domain.split(".")]
    return (
        len(local_part.encode()) <= MAX_LOCAL_PART
        and max(map(len, labels)) <= _MAX_LABEL
        and len(".".join(labels)) <= MAX_DOMAIN
    )


def _in_dns(label: str) -> str:
    # RFC 5890, section 2.3.2.1. The form is only measured, so the letters need no mapping.
    return label if label.isascii() else f"xn--{label.lower().encode('punycode').decode()}"
