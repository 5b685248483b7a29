"""The grammar of e-mail addresses (RFC 5321, section 4.1.2, and RFC 6531, section 3.3)."""

import re
import unicodedata

from storefront.texts import BLANK

MAX_LOCAL_PART = 64
MAX_DOMAIN = 255
MAX_ADDRESS = 254
"""Octets in UTF-8 (RFC 5321, sections 4.5.3.1.1 to 4.5.3.1.3). The path of 256 octets includes < and >."""

_MAX_LABEL = 63
"""Octets of a label in the DNS (RFC 1035, section 2.3.4)."""

_NO_CHARACTERS = ("Cn", "Co", "Cs")
"""Unassigned, private or half of a surrogate pair."""

# Join letters and emojis, and have no image of their own.
_JOINERS = r"\u200c\u200d\ufe0f"
_INVISIBLE = rf"{BLANK}\ufff0-\uffff"
# Look like dots, and some programs treat them as dots (RFC 3490, section 3.1).
_OTHER_DOTS = r"\u3002\uff0e\uff61"

_UTF8 = rf"[^\u0000-\u007f{_INVISIBLE}]|[{_JOINERS}]"
_ATOM = rf"([A-Za-z0-9!#$%&'*+/=?^_`{{|}}~-]|{_UTF8})+"
_QUOTED = rf'"([ !#-\[\]-~]|{_UTF8}|\\[ -~])+"'
_LETTER = rf"[A-Za-z0-9]|[^\u0000-\u007f{_INVISIBLE}{_OTHER_DOTS}]"
_LABEL = rf"({_LETTER})(-*({_LETTER}|[{_JOINERS}]))*"

PATTERN = rf"^({_ATOM}(\.{_ATOM})*|{_QUOTED})@({_LABEL}\.)+(?![0-9]+$){_LABEL}$"
"""For Python and for JSON Schema. The limits are in octets, which a pattern cannot count. It also does not know
categories of characters.

A domain has at least two labels, and the last one is not a number, because it is a name in the public DNS (RFC 3696,
section 2). Comments, addresses in brackets and an empty "" before the @ are refused.
"""


def is_email_address(text: str) -> bool:
    """Return whether a mail server would accept an address."""
    if len(text) > MAX_ADDRESS or not re.fullmatch(PATTERN, text):
        return False
    if any(unicodedata.category(one) in _NO_CHARACTERS for one in text):
        return False
    local_part, _, domain = text.rpartition("@")
    labels = domain.split(".")
    # Digits of any script could be read as an IP address. A mark or a joiner needs a letter before it.
    if labels[-1].isdigit() or any(unicodedata.category(part[0])[0] in "CM" for part in (local_part, *labels)):
        return False
    encoded = [_in_dns(label) for label in labels]
    return (
        len(text.encode()) <= MAX_ADDRESS
        and len(local_part.encode()) <= MAX_LOCAL_PART
        and max(map(len, encoded)) <= _MAX_LABEL
        and len(".".join(encoded)) <= MAX_DOMAIN
    )


def _in_dns(label: str) -> str:
    # RFC 5890, section 2.3.2.1. The form is only measured, so the letters need no mapping.
    return label if label.isascii() else f"xn--{label.lower().encode('punycode').decode()}"
